"""Critical windows and stability: the runs that are changed while they train, and their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from empirics.experiment import Experiment
from empirics.maze_window import windowed
from empirics.provenance import processors
from empirics.run import Run
from empirics.task import Task, run_tasks
from papers.curve_results import Document
from papers.development.matched import LEAD, Observed
from papers.development.stability import Share, Stability, stability
from papers.development.windows import EffectCurve, effect_curve
from papers.proposals import Progress
from papers.wording import plural, short

STRUCTURES = (
    LEAD,
    Observed({"p_goal": 1.0}),
    Observed({"p_proxy": 1.0}),
    Observed({"success_on_distribution": 1.0}),
)


@final
@dataclass(frozen=True)
class Interventions:
    """What is changed in an organism's training, and when.

    Attributes
    ----------
    organism : str
        Whose agents are the controls.
    alpha : float
        Share of levels with the cheese anywhere while a window is open.
    length : int
        Environment steps for which it is open.
    onsets : tuple of int
        Environment steps at which windows open, each in runs of its own.
    change : int
        Environment steps at which, in further runs, the same change is made for good.
    recovery : int
        Environment steps after a change that do not count.
    num_seeds : int
        Agents of each kind, held against as many controls.
    """

    organism: str
    alpha: float
    length: int
    onsets: tuple[int, ...]
    change: int
    recovery: int
    num_seeds: int

    def windows(self, experiment: Experiment) -> tuple[Experiment, ...]:
        """Return the experiments with a window, one an onset."""
        return tuple(
            windowed(
                experiment,
                window_start=onset,
                window_length=self.length,
                window_alpha=self.alpha,
            )
            for onset in self.onsets
        )

    def changed(self, experiment: Experiment) -> Experiment:
        """Return the experiment whose window never closes."""
        return windowed(
            experiment,
            window_start=self.change,
            window_length=experiment.algorithm.total_timesteps,
            window_alpha=self.alpha,
        )


@final
@dataclass(frozen=True)
class Intervened:
    """What the interventions left behind.

    Attributes
    ----------
    effects : tuple of EffectCurve
        Of each structure.
    stabilities : tuple of Stability
    """

    plan: Interventions
    effects: tuple[EffectCurve, ...]
    stabilities: tuple[Stability, ...]


def intervene(
    plan: Interventions,
    experiment: Experiment,
    controls: Sequence[Run],
    seeds: Sequence[int],
    out: Path,
    *,
    progress: Progress,
) -> Intervened:
    """Train the changed runs beside controls that are there already, and compare them.

    Parameters
    ----------
    plan : Interventions
    experiment : Experiment
        Of the controls.
    controls : sequence of Run
        Its runs of all seeds.
    seeds : sequence of int
        Those of the controls, of which the first are taken.
    out : Path
        The folder of the study.
    progress : callable
        Told (label, done, total).
    """
    label = f"Training {plan.organism} agents that are changed meanwhile"
    seeds, controls = seeds[: plan.num_seeds], controls[: plan.num_seeds]
    kinds = [*plan.windows(experiment), plan.changed(experiment)]
    tasks = [Task(kind, seed) for kind in kinds for seed in seeds]
    progress(label, 0, len(tasks))
    runs = run_tasks(
        tasks,
        out / "store",
        n_jobs=processors(),
        on_run=lambda done, total, _: progress(label, done, total),
    )
    closed, for_good = runs[: -len(seeds)], runs[-len(seeds) :]
    return Intervened(
        plan,
        tuple(
            effect_curve([*closed, *controls], each, recovery=plan.recovery) for each in STRUCTURES
        ),
        tuple(
            stability([*for_good, *controls], each, recovery=plan.recovery) for each in STRUCTURES
        ),
    )


def windows_page(found: Intervened) -> Document:
    """Return the page of the study."""
    plan = found.plan
    return {
        "title": "Critical windows, and what is stable",
        "paragraphs": [
            f"In runs of {plan.organism} the share of levels with the cheese anywhere is set to "
            f"{plan.alpha:g} for {short(plan.length)} environment steps, from different moments "
            f"on, with {plural(plan.num_seeds, 'seed')} each. The control is the same run, same "
            "seed, without a window. What windows leave "
            "behind is averaged over the checkpoints from "
            f"{short(plan.recovery)} environment steps after the last window to the end. In "
            f"further runs the change is made for good, at {short(plan.change)}.",
            *(curve.status() for curve in found.effects),
            *(each.status for each in found.stabilities),
        ],
        "tables": [_effects(found.effects), _stabilities(found.stabilities)],
    }


def _effects(curves: Sequence[EffectCurve]) -> Document:
    columns = [
        "observable", "onset", "with the window", "control", "effect", "se over seeds",
        "se over levels, at most",
    ]  # fmt: skip
    rows = [
        [
            curve.observable,
            effect.onset,
            round(effect.run.mean, 3),
            round(effect.control.mean, 3),
            round(effect.difference.mean, 3),
            _rounded(effect.difference.se_seeds),
            round(effect.difference.se_levels, 3),
        ]
        for curve in curves
        for effect in curve.effects
    ]
    return {"caption": "What a window left behind, by its onset", "columns": columns, "rows": rows}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _stabilities(found: Sequence[Stability]) -> Document:
    columns = [
        "structure", "when the levels change", "after continued training", "after the change",
        "share left after training", "share left after the change",
    ]  # fmt: skip
    rows = [
        [
            each.observable,
            round(each.before.mean, 3),
            round(each.continued.mean, 3),
            round(each.changed.mean, 3),
            _share(each.after_training, each),
            _share(each.after_change, each),
        ]
        for each in found
    ]
    return {"caption": "What is left of structures", "columns": columns, "rows": rows}


def _share(share: Share, of: Stability) -> str:
    return share.status() if of.exists else "CANNOT TELL: not certain that there was anything"
