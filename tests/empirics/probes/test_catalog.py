"""The catalog lists every probe there is, once."""

import importlib
import inspect
import pkgutil

import empirics.probes
from empirics.probes.catalog import PLANS, catalog, kind_of


def probe_classes():
    """Return the classes under `empirics.probes` that are probes by what they have."""
    found = set()
    for module in pkgutil.walk_packages(empirics.probes.__path__, "empirics.probes."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            own = cls.__module__.startswith("empirics.probes")
            if own and "__call__" in vars(cls) and hasattr(cls, "observables"):
                found.add(cls)
    return found


def test_no_probe_is_missing_and_none_is_listed_twice():
    entries = catalog()
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names)
    made = {kind_of(probe) for make in PLANS.values() for probe in make()}
    assert made == probe_classes()
    assert len(entries) == len(made)


def test_observables_have_one_probe_each_and_a_summary():
    observables = [name for entry in catalog() for name in entry.observables]
    assert len(set(observables)) == len(observables)
    assert all(entry.summary.endswith(".") and "Probe" not in entry.summary for entry in catalog())
    assert {entry.plan for entry in catalog()} == set(PLANS)
