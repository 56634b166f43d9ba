"""`ontogeny show`: what there is to use."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from ontogeny.command import UsageError, write_listing

SUMMARY = "list the forms, mechanisms or experiments, or what a store holds"

Row = Mapping[str, str | list[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to show."""
    parser.add_argument("what", choices=tuple(SHELVES), help="what to list")
    parser.add_argument("path", type=Path, nargs="?", metavar="STORE", help="for 'show store'")


def run(args: argparse.Namespace) -> int:
    """List a shelf."""
    if args.path is not None and args.what != "store":
        raise UsageError(f"'show {args.what}' lists all there are and takes no {args.path}.")
    rows = SHELVES[args.what](args.path)
    if not args.quiet:
        for row in rows:
            first, *rest = row.values()
            print(f"{first}")
            for value in rest:
                for line in [value] if isinstance(value, str) else value:
                    if line:
                        print(f"    {line}")
    write_listing(args, {"schema": 1, "command": "show", args.what: list(rows)})
    return 0


def _forms(path: Path | None) -> list[Row]:
    from theory.forms import FORMS

    return [
        {
            "name": name,
            "expression": form.python,
            "parameters": [f"{p.name}: {p.meaning}" for p in form.parameters],
            "reference": form.reference,
        }
        for name, form in FORMS.items()
    ]


def _mechanisms(path: Path | None) -> list[Row]:
    from theory.mechanisms import MECHANISMS

    return [
        {
            "name": name,
            "story": mechanism.story,
            "conditions": [f"given {c.name}: {c.meaning}" for c in mechanism.conditions],
            "implications": [
                f"implies that {i.statement.rstrip('.')} ({i.valid})"
                for i in mechanism.implications
            ],
            "reference": mechanism.reference,
        }
        for name, mechanism in MECHANISMS.items()
    ]


def _experiments(path: Path | None) -> list[Row]:
    from empirics.experiments import EXPERIMENTS

    return [
        {
            "name": name,
            "length": f"{experiment.ppo.total_timesteps:,} environment steps, "
            f"{len(experiment.schedule)} checkpoints",
            "conditions": ", ".join(f"{k}={v}" for k, v in experiment.conditions.items()),
        }
        for name, experiment in EXPERIMENTS.items()
    ]


def _store(path: Path | None) -> list[Row]:
    from empirics.store import Store

    if path is None:
        raise UsageError("Name the store: ontogeny show store FOLDER.")
    curve_set = Store(path, create=False).curves()
    rows: list[Row] = [
        {
            "run": curve.run or curve.run_id or "(unnamed run)",
            "curve": f"{curve.observable}, {curve.n_obs} points over {curve.progress} "
            f"{curve.t[0]:g} to {curve.t[-1]:g}",
            "conditions": ", ".join(f"{name}={value}" for name, value in curve.conditions.items()),
        }
        for curve in curve_set.curves
    ]
    return rows + [{"rejected": str(rejected)} for rejected in curve_set.rejected]


SHELVES: Mapping[str, Callable[[Path | None], list[Row]]] = {
    "forms": _forms,
    "mechanisms": _mechanisms,
    "experiments": _experiments,
    "store": _store,
}
