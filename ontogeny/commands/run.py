"""`ontogeny run`: train and probe, curves to the store."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.command import UsageError, check_names, write_json
from ontogeny.progress import Report, show_progress

if TYPE_CHECKING:
    from empirics.agent_experiment import AgentExperiment
    from empirics.experiment import Experiment
    from empirics.run import Run
    from theory.curve import Condition

SUMMARY = "train and probe only; the curves go to a store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the experiment, its seeds, and a condition to vary."""
    parser.add_argument("experiment", metavar="EXPERIMENT", help="see 'ontogeny show experiments'")
    parser.add_argument(
        "--vary",
        nargs="+",
        action="append",
        metavar=("CONDITION", "VALUE"),
        help="run a ladder: this condition at each of these values; given several times (small "
        "agents), all combinations",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="runs a rung, from --seed on (default: 1; of small agents, as the experiment says)",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes at a time (default: 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the experiment and print the path of the store."""
    from empirics.experiments import EXPERIMENTS

    check_names([args.experiment], EXPERIMENTS, "experiment")
    experiment = EXPERIMENTS[args.experiment]
    num_seeds = experiment.num_seeds if args.seeds is None else args.seeds
    if num_seeds < 1 or args.jobs < 1:
        raise UsageError("--seeds and --jobs must be 1 or more.")
    settings = _settings(args.vary, experiment)
    seeds = range(args.seed, args.seed + num_seeds)
    out = args.out or Path("results", "store")
    with show_progress(args.quiet) as progress:
        runs = _trained(experiment, settings, seeds, out, args.jobs, progress)
    for each in runs:
        if each.status and not args.quiet:
            print(f"{each.run}: {each.status}")
    if args.json:
        listing = [{"run": r.run, "run_id": r.run_id, "status": r.status} for r in runs]
        write_json(args.json, {"schema": 1, "command": "run", "runs": listing})
    print(out)
    return 0


def _trained(
    experiment: Experiment | AgentExperiment,
    settings: Mapping[str, Sequence[Condition]],
    seeds: Sequence[int],
    out: Path,
    jobs: int,
    progress: Report,
) -> tuple[Run, ...]:
    """Run the ladder; small agents are trained together, in this process."""

    def on_run(done: int, total: int, run: Run) -> None:
        progress("training", done, total)

    from empirics.agent_experiment import AgentExperiment

    if isinstance(experiment, AgentExperiment):
        from empirics.agent_sweep import sweep_agents, sweep_tasks

        arms = [(experiment, experiment.grid(settings))]
        progress("training", 0, len(sweep_tasks(arms, seeds)))
        return sweep_agents(arms, seeds, out, on_run=on_run)

    from empirics.task import ladder_tasks, run_ladder

    if len(settings) > 1:
        raise UsageError(f"{experiment.name} takes one --vary; it got {len(settings)}.")
    ((condition, values),) = settings.items()
    progress("training", 0, len(ladder_tasks(experiment, condition, values, seeds)))
    return run_ladder(experiment, condition, values, seeds, out, n_jobs=jobs, on_run=on_run)


def _settings(
    ladders: list[list[str]] | None, experiment: Experiment | AgentExperiment
) -> dict[str, Sequence[Condition]]:
    """Return the values of each condition to vary; the experiment's own unless told."""
    if not ladders:
        return dict([experiment.rungs])
    settings: dict[str, Sequence[Condition]] = {}
    for condition, *words in ladders:
        if not words:
            raise UsageError(f"--vary {condition} needs at least one value.")
        if condition in settings:
            raise UsageError(f"--vary {condition} is given twice; name all its values at once.")
        settings[condition] = [_value(word) for word in words]
    return settings


def _value(word: str) -> Condition:
    """Read a value of a condition: a number or a truth value where it is one, else a word."""
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    try:
        value = ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
    return value if isinstance(value, bool | int | float) else word
