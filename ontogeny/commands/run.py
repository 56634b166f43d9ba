"""`ontogeny run`: train and probe, curves to the store."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.backends import add_backend_arguments, on_backend
from ontogeny.command import UsageError, check_names, write_json
from ontogeny.progress import Report, show_progress

if TYPE_CHECKING:
    from empirics.agent_experiment import AgentExperiment
    from empirics.experiment import Experiment
    from empirics.run import Run
    from empirics.sweep import Sweep, SweepFile
    from theory.curve import Condition

SUMMARY = "train and probe only; the curves go to a store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the experiment, its seeds, and the conditions to vary."""
    parser.add_argument(
        "experiment", nargs="?", metavar="EXPERIMENT", help="see 'ontogeny show experiments'"
    )
    parser.add_argument(
        "--vary",
        nargs="+",
        action="append",
        metavar=("CONDITION", "VALUE"),
        help="run a ladder: this condition at each of these values; given several times, all "
        "combinations, or as --combine says",
    )
    parser.add_argument(
        "--combine",
        choices=("grid", "random", "zip"),
        default="grid",
        help="values of several --vary: all combinations (default), drawn, or in step",
    )
    parser.add_argument(
        "--number", type=int, metavar="N", help="points that --combine random draws"
    )
    parser.add_argument(
        "--sweep",
        type=Path,
        metavar="FILE",
        help="a TOML file with experiment, seeds and one table [grid], [ladder], [zip] or [random]",
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
    add_backend_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the experiment and print the path of the store."""
    from empirics.experiments import EXPERIMENTS

    declared = _declared(args)
    name = declared.experiment if declared else args.experiment
    check_names([name], EXPERIMENTS, "experiment")
    experiment = EXPERIMENTS[name]
    num_seeds = experiment.num_seeds if args.seeds is None else args.seeds
    if num_seeds < 1 or args.jobs < 1:
        raise UsageError("--seeds and --jobs must be 1 or more.")
    seeds: Sequence[int] = range(args.seed, args.seed + num_seeds)
    if declared and declared.seeds and args.seeds is None:
        seeds = [args.seed + seed for seed in declared.seeds]
    sweep = declared.sweep if declared else _sweep(args, experiment)
    out = args.out or Path("results", "store")
    with show_progress(args.quiet) as progress, on_backend(args):
        runs = _trained(experiment, sweep.points, seeds, out, args.jobs, progress)
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
    points: Sequence[Mapping[str, Condition]],
    seeds: Sequence[int],
    out: Path,
    jobs: int,
    progress: Report,
) -> tuple[Run, ...]:
    """Run the sweep; the seeds of a small agent are trained together."""

    def on_run(done: int, total: int, run: Run) -> None:
        progress("training", done, total)

    from empirics.agent_experiment import AgentExperiment

    if isinstance(experiment, AgentExperiment):
        from empirics.agent_sweep import sweep_agents, sweep_tasks

        arms = [(experiment, experiment.cells(points))]
        progress("training", 0, len(sweep_tasks(arms, seeds)))
        return sweep_agents(arms, seeds, out, n_jobs=jobs, on_run=on_run)

    from empirics.task import run_tasks, sweep_runs

    tasks = sweep_runs(experiment, points, seeds)
    progress("training", 0, len(tasks))
    return run_tasks(tasks, out, n_jobs=jobs, on_run=on_run)


def _declared(args: argparse.Namespace) -> SweepFile | None:
    """Return the sweep of a file, if one is named."""
    if args.sweep is None:
        if args.experiment is None:
            raise UsageError("name an EXPERIMENT, or a file of a sweep by --sweep.")
        return None
    if args.experiment or args.vary or args.number is not None or args.combine != "grid":
        raise UsageError("--sweep declares all of EXPERIMENT, --vary, --combine and --number.")

    from empirics.sweep import read_sweep

    return read_sweep(args.sweep)


def _sweep(args: argparse.Namespace, experiment: Experiment | AgentExperiment) -> Sweep:
    """Return the sweep of the command line; the experiment's own ladder unless told."""
    from empirics.sweep import Sweep

    if not args.vary:
        return Sweep("ladder", dict([experiment.rungs]))
    if (args.number is None) is (args.combine == "random"):
        raise UsageError("--combine random and --number N belong together.")
    settings: dict[str, Sequence[Condition]] = {}
    for condition, *words in args.vary:
        if not words:
            raise UsageError(f"--vary {condition} needs at least one value.")
        if condition in settings:
            raise UsageError(f"--vary {condition} is given twice; name all its values at once.")
        settings[condition] = [_value(word) for word in words]
    return Sweep(args.combine, settings, args.number or 0, args.seed)


def _value(word: str) -> Condition:
    """Read a value of a condition: a number or a truth value where it is one, else a word."""
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    try:
        value = ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
    return value if isinstance(value, bool | int | float) else word
