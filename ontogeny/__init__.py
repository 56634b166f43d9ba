"""Ontogeny: developmental interpretability of reinforcement learning.

`import ontogeny as og` gives the nouns and verbs below; each is imported when it is first used, so
that the front door itself stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirics.llc.along import llc_along
    from empirics.llc.calibration import calibrate
    from empirics.llc.estimate import estimate_llc
    from empirics.readers import read_curves
    from empirics.store import Store
    from fitting.aggregates.aggregate import aggregate
    from fitting.compare import compare
    from fitting.point import fit, fit_many
    from fitting.propose import propose
    from fitting.runs.order import order
    from fitting.runs.order_frequency import order_frequency
    from fitting.runs.random_effects import random_effects
    from fitting.runs.ranks import ranks
    from fitting.sampling.posterior import sample
    from fitting.search.proposal import propose_and_search
    from fitting.search.search import search
    from fitting.search.source import form_source
    from papers.mechanism_tests import mechanism_test as test
    from papers.report import render as report
    from theory.curve import Curve
    from theory.form import Form
    from theory.forms import FORMS
    from theory.hypothesis import Hypothesis
    from theory.ladder import Ladder

__version__ = "0.1.0"

__all__ = [
    "FORMS",
    "Curve",
    "Form",
    "Hypothesis",
    "Ladder",
    "Store",
    "aggregate",
    "calibrate",
    "compare",
    "estimate_llc",
    "fit",
    "fit_many",
    "form_source",
    "llc_along",
    "order",
    "order_frequency",
    "over_runs",
    "pool",
    "propose",
    "propose_and_search",
    "random_effects",
    "ranks",
    "read_curves",
    "report",
    "sample",
    "search",
    "test",
]

# public name: (module, name there)
_HOMES = {
    "FORMS": ("theory.forms", "FORMS"),
    "Curve": ("theory.curve", "Curve"),
    "Form": ("theory.form", "Form"),
    "Hypothesis": ("theory.hypothesis", "Hypothesis"),
    "Ladder": ("theory.ladder", "Ladder"),
    "Store": ("empirics.store", "Store"),
    "aggregate": ("fitting.aggregates.aggregate", "aggregate"),
    "calibrate": ("empirics.llc.calibration", "calibrate"),
    "compare": ("fitting.compare", "compare"),
    "estimate_llc": ("empirics.llc.estimate", "estimate_llc"),
    "fit": ("fitting.point", "fit"),
    "fit_many": ("fitting.point", "fit_many"),
    "form_source": ("fitting.search.source", "form_source"),
    "llc_along": ("empirics.llc.along", "llc_along"),
    "order": ("fitting.runs.order", "order"),
    "order_frequency": ("fitting.runs.order_frequency", "order_frequency"),
    "over_runs": ("fitting.runs.over_runs", "over_runs"),
    "pool": ("fitting.runs.hierarchical", "pool"),
    "propose": ("fitting.propose", "propose"),
    "propose_and_search": ("fitting.search.proposal", "propose_and_search"),
    "random_effects": ("fitting.runs.random_effects", "random_effects"),
    "ranks": ("fitting.runs.ranks", "ranks"),
    "read_curves": ("empirics.readers", "read_curves"),
    "report": ("papers.report", "render"),
    "sample": ("fitting.sampling.posterior", "sample"),
    "search": ("fitting.search.search", "search"),
    "test": ("papers.mechanism_tests", "mechanism_test"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ontogeny' has no attribute {name!r}")
    from ontogeny.rooms import check_rooms

    check_rooms()
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
