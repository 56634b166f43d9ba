"""`ontogeny show`: what there is to use."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.command import UsageError, write_listing

if TYPE_CHECKING:
    from theory.curve import Condition, Curve

SUMMARY = "list the forms, mechanisms, experiments, probes or papers, or what a store holds"

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
    from theory.way_back import mechanisms_that_imply

    return [
        {
            "name": name,
            "expression": form.python,
            "parameters": [f"{p.name}: {p.meaning}" for p in form.parameters],
            "implied_by": [f"implied by {one.words}" for one in mechanisms_that_imply(name)],
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
                + (f": the form {i.form}" if i.form else "")
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
            "length": experiment.length,
            "conditions": _listed(experiment.conditions),
        }
        for name, experiment in EXPERIMENTS.items()
    ]


def _probes(path: Path | None) -> list[Row]:
    from empirics.probes.catalog import catalog

    return [
        {
            "name": entry.name,
            "summary": entry.summary,
            "observables": ", ".join(entry.observables),
            "plan": f"part of {entry.plan}",
        }
        for entry in catalog()
    ]


def _papers(path: Path | None) -> list[Row]:
    from papers.published import PAPERS

    return [
        {
            "name": name,
            "summary": paper.summary,
            "source": paper.publication.source,
            "claims": [f"{claim.name}: {claim.statement}" for claim in paper.publication.claims],
        }
        for name, paper in PAPERS.items()
    ]


def _store(path: Path | None) -> list[Row]:
    from empirics.store import Store

    if path is None:
        raise UsageError("Name the store: ontogeny show store FOLDER.")
    curve_set = Store(path, create=False).curves()
    runs: dict[tuple[str, str], list[Curve]] = {}
    for curve in curve_set.curves:
        runs.setdefault((curve.run, curve.run_id), []).append(curve)
    shared = _shared([curve.conditions for curve in curve_set.curves])
    head: Row = {
        "store": str(path),
        "holds": f"{_counted(len(runs), 'run')}, {_counted(len(curve_set), 'curve')}",
        "shared": f"conditions of every run: {_listed(shared)}" if shared else "",
    }
    rows: list[Row] = [
        {
            "run": run or run_id or "(unnamed run)",
            "conditions": _listed(
                {k: v for k, v in curves[0].conditions.items() if k not in shared}
            ),
            "curves": [
                f"{curve.observable}: {_counted(curve.n_obs, 'point')} over {curve.progress}, "
                f"{curve.t[0]:g} to {curve.t[-1]:g}"
                for curve in curves
            ],
        }
        for (run, run_id), curves in runs.items()
    ]
    rejected = [{"rejected": str(rejected)} for rejected in curve_set.rejected]
    return [head, *rows, *rejected, *({"note": note} for note in curve_set.notes)]


def _shared(ledgers: Sequence[Mapping[str, Condition]]) -> dict[str, Condition]:
    """Return what all ledgers have and agree on; of one alone there is nothing to share."""
    if len(ledgers) < 2:
        return {}
    return {
        name: value
        for name, value in ledgers[0].items()
        if all(ledger.get(name) == value for ledger in ledgers)
    }


def _listed(conditions: Mapping[str, Condition]) -> str:
    return ", ".join(f"{name}={value}" for name, value in conditions.items())


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


SHELVES: Mapping[str, Callable[[Path | None], list[Row]]] = {
    "forms": _forms,
    "mechanisms": _mechanisms,
    "experiments": _experiments,
    "probes": _probes,
    "papers": _papers,
    "store": _store,
}
