"""`ontogeny llc`: learning coefficients of stored checkpoints, curves to a store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.agents import add_agents_argument, chosen_runs
from ontogeny.backends import add_backend_arguments, on_backend
from ontogeny.command import UsageError, positive, write_json
from ontogeny.progress import show_progress

if TYPE_CHECKING:
    from empirics.llc.along import Along
    from empirics.llc.along_settings import AlongSettings
    from empirics.llc.calibration import Calibration
    from empirics.llc.reading import LLCReading
    from empirics.run_record import RunRecord

SUMMARY = "the local learning coefficient of stored checkpoints, as curves"
SWEPT = {"step_size": 2.0, "localization": 10.0}
"""What --calibrate multiplies and divides a setting by, where only one is given."""
FEW = 3
"""Checkpoints of each run at which --calibrate sweeps unless told."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the store, the energy, and the settings of the chains."""
    parser.add_argument("store", type=Path, metavar="STORE", help="what run or study left behind")
    parser.add_argument("--run", nargs="+", metavar="LABEL", help="these runs alone (default: all)")
    add_agents_argument(parser)
    parser.add_argument(
        "--checkpoints",
        type=int,
        metavar="N",
        help=f"so many of each run, evenly spaced (default: all; with --calibrate {FEW})",
    )
    parser.add_argument(
        "--energy",
        choices=("behavior", "value"),
        help="divergence from the checkpoint's own policy (default), or from its own values",
    )
    parser.add_argument(
        "--states",
        choices=("held_out", "on_policy"),
        help="squares of held-out levels that all checkpoints share (default), or those that the "
        "checkpoint visits",
    )
    parser.add_argument("--num-states", type=int, metavar="N", help="states of the energy")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="checkpoints at a time (default: 1)"
    )
    add_backend_arguments(parser)
    chains = parser.add_argument_group("chains (several values of the first three: --calibrate)")
    for name in ("step-size", "localization", "nbeta"):
        chains.add_argument(f"--{name}", type=positive, nargs="+", metavar="X")
    chains.add_argument("--chains", type=int, metavar="N", help="chains a checkpoint")
    chains.add_argument("--draws", type=int, metavar="N", help="draws of each chain")
    chains.add_argument("--burnin", type=int, metavar="N", help="moves before the first draw")
    chains.add_argument("--batch-size", type=int, metavar="N", help="states a move")
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="sweep step size and localization at a few checkpoints and say where readings agree",
    )


def run(args: argparse.Namespace) -> int:
    """Read the checkpoints, or calibrate, and print the path of what was made."""
    if args.checkpoints is not None and args.checkpoints < 1:
        raise UsageError(f"--checkpoints must be 1 or more; it is {args.checkpoints}.")
    if args.jobs < 1:
        raise UsageError(f"--jobs must be 1 or more; it is {args.jobs}.")
    if args.run and args.where is not None:
        raise UsageError("--run names runs and --where chooses them: give one of the two.")
    settings = _settings(args)
    if args.calibrate:
        return _calibrate(args, settings)
    return _read(args, settings)


def _settings(args: argparse.Namespace) -> AlongSettings:
    """Return what was given, over the defaults."""
    from empirics.llc.along_settings import AlongSettings

    given = {
        "energy": args.energy,
        "states": args.states,
        "num_states": args.num_states,
        "rows_per_move": args.batch_size,
        "num_chains": args.chains,
        "num_draws": args.draws,
        "num_burnin_steps": args.burnin,
        "seed": args.seed,
    }
    for name in ("step_size", "localization", "nbeta"):
        values = getattr(args, name)
        if values and len(values) > 1 and not args.calibrate:
            raise UsageError(f"--{name.replace('_', '-')} takes one value without --calibrate.")
        given[name] = values[0] if values else None
    return AlongSettings(**{name: value for name, value in given.items() if value is not None})


def _read(args: argparse.Namespace, settings: AlongSettings) -> int:
    """Read the checkpoints; curves and readings to the store."""
    from empirics.llc.along import llc_along
    from papers.llc_readings import value_and_error, write_readings

    out = args.out or Path("results", "llc")

    def told(done: int, total: int, run: RunRecord, env_steps: int, reading: LLCReading) -> None:
        progress(f"reading {settings.observable}", done, total)
        if not args.quiet:
            print(f"{run.run} at {env_steps}: {value_and_error(reading)} {reading.status}")

    with show_progress(args.quiet) as progress, on_backend(args):
        try:
            found = llc_along(
                args.store,
                settings,
                out=out,
                runs=_runs(args),
                num_checkpoints=args.checkpoints,
                told=told,
                n_jobs=args.jobs,
            )
        finally:
            write_readings(out)
    if args.json:
        write_json(args.json, {"schema": 1, "command": "llc", "runs": [_entry(f) for f in found]})
    lost = [each.record.run for each in found if each.curve is None]
    if lost:
        raise ValueError(
            f"no chain survived at any checkpoint of {', '.join(lost)}, so there is no curve; try "
            f"a smaller --step-size than {settings.step_size:g}."
        )
    print(out)
    return 0


def _runs(args: argparse.Namespace) -> list[str] | None:
    """Return the runs that are named, or chosen by their conditions; None for all."""
    return args.run or chosen_runs(args.store, args)


def _entry(found: Along) -> dict[str, Any]:
    from empirics.llc.kept_readings import KeptReading

    run, run_id, settings = found.record.run, found.record.run_id, found.settings
    readings = [KeptReading(run, run_id, t, settings, r).entry() for t, r in found.readings.items()]
    return {
        "run": run,
        "run_id": run_id,
        "observable": settings.observable,
        "settings": dict(settings.conditions),
        "readings": [{"env_steps": each["env_steps"], **each["reading"]} for each in readings],
    }


def _calibrate(args: argparse.Namespace, settings: AlongSettings) -> int:
    """Sweep the settings at a few checkpoints; the page and the table to the folder."""
    from empirics.llc.along_calibration import by_localization, calibrate_along
    from empirics.maze_agent import stored_agents
    from papers.calibration_page import write_calibration

    agents = stored_agents(args.store, _runs(args))
    count = args.checkpoints or FEW
    with show_progress(args.quiet) as progress:
        found = calibrate_along(
            agents,
            settings,
            step_sizes=_swept(args, settings, "step_size"),
            localizations=_swept(args, settings, "localization"),
            nbetas=_swept(args, settings, "nbeta"),
            num_checkpoints=count,
            told=lambda done, total: progress("sweeping checkpoints", done, total),
        )
    parts = by_localization(found) if len(found.cells) > len(found.step_sizes) else ()
    sentences = [_said(part) for part in parts]
    page = write_calibration(
        found,
        args.out or Path("results", "llc-calibration"),
        f"calibration_{settings.observable}",
        checkpoints=[
            f"{agent.record.run} at {env_steps}"
            for agent in agents
            for env_steps, _ in agent.spread(count)
        ],
        sentences=sentences,
    )
    if not args.quiet:
        print("\n".join([found.sentence, *sentences]))
    if args.json:
        write_json(args.json, _calibration(found, parts))
    print(page)
    return 0


def _swept(args: argparse.Namespace, settings: AlongSettings, name: str) -> Sequence[float]:
    """Return the values that were given, or those around the default."""
    given: list[float] = getattr(args, name) or []
    if given or name not in SWEPT:
        return given or [getattr(settings, name)]
    middle, factor = getattr(settings, name), SWEPT[name]
    return [middle / factor, middle, middle * factor]


def _said(part: Calibration) -> str:
    (localization,), (nbeta,) = part.localizations, part.nbetas
    return f"With localization {localization:g} and nbeta {nbeta:g}: {part.sentence}"


def _calibration(found: Calibration, parts: Sequence[Calibration]) -> dict[str, Any]:
    """Return what was recommended, whole and at each localization, as JSON values."""
    return {
        "schema": 1,
        "command": "llc",
        "sentence": found.sentence,
        "recommended": asdict(found.recommended) if found.recommended else None,
        "fixed": [
            {
                "localization": part.localizations[0],
                "nbeta": part.nbetas[0],
                "sentence": part.sentence,
                "recommended": asdict(part.recommended) if part.recommended else None,
            }
            for part in parts
        ],
    }
