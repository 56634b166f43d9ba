"""`ontogeny show`: what there is to use."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ontogeny.command import UsageError, write_listing
from ontogeny.curves import add_where_argument
from ontogeny.progress import show_progress

if TYPE_CHECKING:
    from empirics.store import Store
    from theory.curve import Curve

SUMMARY = "list the forms, mechanisms, experiments, probes or papers, or what a store holds"

RUNS_LISTED = 12
"""Runs of a store up to which each is listed by itself."""

Row = Mapping[str, str | list[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to show."""
    parser.add_argument("what", choices=tuple(SHELVES), help="what to list")
    parser.add_argument("path", type=Path, nargs="?", metavar="STORE", help="for 'show store'")
    add_where_argument(parser)
    parser.add_argument(
        "--check", action="store_true", help="of a store: read every file whole, name what is wrong"
    )


def run(args: argparse.Namespace) -> int:
    """List a shelf."""
    if args.path is not None and args.what != "store":
        raise UsageError(f"'show {args.what}' lists all there are and takes no {args.path}.")
    if args.what != "store" and (args.check or args.where is not None):
        raise UsageError(f"--check and --where are of 'show store', not of 'show {args.what}'.")
    rows = SHELVES[args.what](args)
    if not args.quiet:
        for row in rows:
            first, *rest = row.values()
            print(f"{first}")
            for value in rest:
                for line in [value] if isinstance(value, str) else value:
                    if line:
                        print(f"    {line}")
    write_listing(args, {"schema": 1, "command": "show", args.what: list(rows)})
    return int(any("wrong" in row for row in rows))


def _forms(args: argparse.Namespace) -> list[Row]:
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


def _mechanisms(args: argparse.Namespace) -> list[Row]:
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


def _experiments(args: argparse.Namespace) -> list[Row]:
    from empirics.experiments import EXPERIMENTS

    return [
        {
            "name": name,
            "length": experiment.length,
            "conditions": _listed(experiment.conditions),
        }
        for name, experiment in EXPERIMENTS.items()
    ]


def _probes(args: argparse.Namespace) -> list[Row]:
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


def _papers(args: argparse.Namespace) -> list[Row]:
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


def _store(args: argparse.Namespace) -> list[Row]:
    from empirics.notes import counted
    from empirics.store import Store
    from empirics.store_summary import said_values, summary_of

    if args.path is None:
        raise UsageError("Name the store: ontogeny show store FOLDER.")
    store = Store(args.path, create=False)
    found = summary_of(store, args.where)
    varied = [f"{name}: {said_values(values)}" for name, values in found.varied.items()]
    varying: Row = {"varied": "conditions that vary", "values": varied}
    gaps: Row = {"gaps": "gaps", "missing": list(found.gaps)}
    rows: list[Row] = [
        {
            "store": str(args.path),
            "holds": f"{counted(found.n_runs, 'run')}, {counted(found.n_curves, 'curve')}, "
            f"{counted(found.n_rows, 'row')}",
            "shared": f"conditions of every run: {_listed(found.shared)}" if found.shared else "",
        },
        *([varying] if found.varied else []),
        {
            "observables": "observables",
            "of": [f"{name}: {words}" for name, words in found.observables.items()],
        },
        *([gaps] if found.gaps else []),
        *([] if found.n_runs > RUNS_LISTED else _runs(store, args.where, found.shared)),
        *({"note": note} for note in found.notes),
    ]
    return [*rows, *(_checked(store, args.quiet) if args.check else [])]


def _runs(store: Store, where: str | None, shared: Collection[str]) -> list[Row]:
    """Say what each run has, where there are few; and which files could not be read to the end."""
    from empirics.notes import counted

    curve_set = store.curves(where=where)
    runs: dict[tuple[str, str], list[Curve]] = {}
    for curve in curve_set.curves:
        runs.setdefault((curve.run, curve.run_id), []).append(curve)
    rows: list[Row] = [
        {
            "run": run or run_id or "(unnamed run)",
            "conditions": _listed(
                {k: v for k, v in curves[0].conditions.items() if k not in shared}
            ),
            "curves": [
                f"{curve.observable}: {counted(curve.n_obs, 'point')} over {curve.progress}, "
                f"{curve.t[0]:g} to {curve.t[-1]:g}"
                for curve in curves
            ],
        }
        for (run, run_id), curves in runs.items()
    ]
    known = set(store.headers()[1])
    return [*rows, *({"note": note} for note in curve_set.notes if note not in known)]


def _checked(store: Store, quiet: bool) -> list[Row]:
    from empirics.store_check import check_store

    with show_progress(quiet) as progress:
        wrong = list(check_store(store, progress=progress))
    if wrong:
        return [{"check": "check", "wrong": wrong}]
    return [{"check": "check", "found": "every file holds what its name says"}]


def _listed(conditions: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in conditions.items())


SHELVES: Mapping[str, Callable[[argparse.Namespace], list[Row]]] = {
    "forms": _forms,
    "mechanisms": _mechanisms,
    "experiments": _experiments,
    "probes": _probes,
    "papers": _papers,
    "store": _store,
}
