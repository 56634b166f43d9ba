"""Growing organisms: train every seed, measure every checkpoint, fit forms to what forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from empirics.maze_agent import stored_agents
from empirics.probe import Reading
from empirics.probed_checkpoints import Readings, probe_agents, probed_curves
from empirics.provenance import processors
from empirics.run import Run
from empirics.store import Store
from empirics.task import Task, run_tasks
from fitting.comparison import Comparison
from papers.development.organism import Organism
from papers.proposals import Progress, propose_all
from theory.curve import Curve

INITIAL = "random initialization"


@final
@dataclass(frozen=True, eq=False)
class Grown:
    """One agent: its run, all that was measured along it, and the forms of what was fitted.

    Attributes
    ----------
    organism : Organism
    run : Run
    curves : mapping of str to Curve
        All observables.
    readings : Readings
        Those of probes, with their errors and baselines, in order of environment steps.
    comparisons : mapping of str to Comparison
        Of the fitted observables; one that could not be measured is missing.
    """

    organism: Organism
    run: Run
    curves: Mapping[str, Curve]
    readings: Readings
    comparisons: Mapping[str, Comparison]

    def last(self, observable: str) -> Reading:
        """Return the last reading of an observable, the untrained network among its baselines."""
        (_, first), (_, last) = self.readings[0], self.readings[-1]
        found = last[observable]
        baselines = {**found.baselines, INITIAL: first[observable].value}
        return replace(found, baselines=baselines)


def grow(
    organisms: Sequence[Organism], seeds: Sequence[int], out: Path, *, seed: int, progress: Progress
) -> tuple[Grown, ...]:
    """Train, measure and fit; what was done before is taken up.

    Parameters
    ----------
    organisms : sequence of Organism
    seeds : sequence of int
        Of the runs of each.
    out : Path
        Runs and checkpoints go to ``store`` in it, readings of probes beside them.
    seed : int
        Drives the Monte-Carlo part of fits.
    progress : callable
        Told (label, done, total).

    Returns
    -------
    tuple of Grown
        By organism, then seed.
    """
    store = out / "store"
    tasks = [Task(one.experiment, each) for one in organisms for each in seeds]
    progress("Training agents", 0, len(tasks))
    runs = run_tasks(
        tasks,
        store,
        n_jobs=processors(),
        on_run=lambda done, total, _: progress("Training agents", done, total),
    )
    of = {one.name: one for one in organisms}
    measured = [
        each
        for i, one in enumerate(organisms)
        for each in _measured(one, runs[i * len(seeds) : (i + 1) * len(seeds)], out, progress)
    ]
    fitted = [
        (run, curves[name])
        for run, curves, _ in measured
        for name in of[_name(run)].fitted
        if name in curves
    ]
    found = propose_all([curve for _, curve in fitted], seed=seed, progress=progress)
    comparisons: dict[str, dict[str, Comparison]] = {}
    for (run, curve), comparison in zip(fitted, found, strict=True):
        comparisons.setdefault(run.run_id, {})[curve.observable] = comparison
    return tuple(
        Grown(of[_name(run)], run, curves, readings, comparisons[run.run_id])
        for run, curves, readings in measured
    )


def _name(run: Run) -> str:
    return str(run.conditions["experiment"])


def _measured(
    organism: Organism, runs: Sequence[Run], out: Path, progress: Progress
) -> list[tuple[Run, dict[str, Curve], Readings]]:
    """Measure the checkpoints of all seeds of an organism in one pass, and store the curves."""
    label = f"Measuring checkpoints of {organism.name}"
    by_id = {agent.record.run_id: agent for agent in stored_agents(out / "store")}
    agents = [by_id[run.run_id] for run in runs]
    progress(label, 0, 1)
    read = probe_agents(
        agents,
        organism.plans,
        out,
        n_jobs=processors(),
        on_done=lambda done, total: progress(label, done, total),
    )
    found = []
    for run, agent, readings in zip(runs, agents, read, strict=True):
        probed = probed_curves(agent, organism.plans, readings)
        Store(out / "store").append_curves(list(probed.values()))
        curves = {curve.observable: curve for curve in run.curves} | dict(probed)
        found.append((run, curves, _joined(run.readings, readings)))
    return found


def _joined(trained: Sequence[tuple[int, Mapping[str, Reading]]], probed: Readings) -> Readings:
    """Return the readings taken in training and those taken after it, by moment."""
    known = dict(probed)
    return tuple((t, {**mapping, **known.get(t, {})}) for t, mapping in trained)
