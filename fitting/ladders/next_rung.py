"""Which further rung would separate the mechanisms that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from fitting.ladders.evidence import LadderPosterior, bracketed, rung_log_likelihood
from fitting.ladders.hypothesis import Law, of_mechanism
from fitting.ladders.onset_law import Rung
from fitting.ladders.simulation import draw_onsets, observed
from fitting.log_sum_exp import log_sum_exp
from theory.curve import Condition, FloatArray
from theory.mechanism import Mechanism, NoOnset

SURVIVES = 0.01
SIMULATED, POSTERIOR_DRAWS = 30, 80
GRID = 40
LONE_STEP = 3.0


@final
@dataclass(frozen=True)
class NextRung:
    """A rung that could be run next.

    Attributes
    ----------
    condition : str
    value : float
    information : float
        Expected nats about which mechanism it is, of at most the entropy that is left.
    se : float
        Monte-Carlo standard error of it.
    length : float
        Progress by which nine in ten runs have their onset, whichever mechanism it is: what a run
        there costs.
    """

    condition: str
    value: float
    information: float
    se: float
    length: float

    @property
    def per_length(self) -> float:
        """Expected nats for one unit of progress of every run."""
        return self.information / self.length


def menu(values: Sequence[float]) -> tuple[float, ...]:
    """Return rungs to choose from: between those that were run, and beyond them on both sides."""
    seen = np.unique(np.asarray(values, dtype=np.float64))
    if np.any(seen <= 0):
        gap = float(np.mean(np.diff(seen))) if seen.size > 1 else 1.0
        between = (seen[:-1] + seen[1:]) / 2
        return tuple(float(v) for v in (seen[0] - gap, *between, seen[-1] + gap))
    step = float(np.exp(np.mean(np.diff(np.log(seen))))) if seen.size > 1 else LONE_STEP
    between = np.sqrt(seen[:-1] * seen[1:])
    beyond = (seen[-1] * step, seen[-1] * step**2)
    return tuple(float(f"{v:.2g}") for v in (seen[0] / step**2, seen[0] / step, *between, *beyond))


def next_rungs(
    mechanisms: Sequence[Mechanism],
    posteriors: Sequence[LadderPosterior],
    shared: Mapping[str, Condition],
    condition: str,
    values: Sequence[float],
    *,
    n_runs: int,
    known_steps: bool,
    rng: np.random.Generator,
) -> tuple[NextRung, ...]:
    """Rank further rungs by what their runs are expected to say about the mechanisms.

    U(d) = Σ_M p_M E[ln p(Y | M, D, d) - ln Σ_M' p_M' p(Y | M', D, d)], the mutual information of
    mechanism and outcome (Lindley 1956, Ann. Math. Stat. 27:986), by simulation.

    Parameters
    ----------
    mechanisms, posteriors : sequences
        As many; those with less than 1 % of the weight count as out.
    shared : mapping
        The other conditions of the new runs.
    condition : str
    values : sequence of float
        The menu.
    n_runs : int
        Runs at the new rung.
    known_steps : bool
        As in the test.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of NextRung
        Most informative first; empty where fewer than two mechanisms are left.
    """
    logs = np.array([posterior.log_evidence for posterior in posteriors])
    weights = np.exp(logs - log_sum_exp(logs)) if logs.size else logs
    left = [i for i in range(len(mechanisms)) if weights[i] >= SURVIVES]
    if len(left) < 2:
        return ()
    weight = weights[left] / weights[left].sum()
    found = []
    for value in values:
        given = {**shared, condition: value}
        try:
            laws = [
                of_mechanism(mechanisms[i], [given], known_steps=known_steps).laws[0] for i in left
            ]
        except (NoOnset, ValueError):
            continue  # outside what some mechanism speaks of
        kept = [posteriors[i].resampled(POSTERIOR_DRAWS, rng=rng) for i in left]
        found.append(_informed(condition, value, laws, kept, weight, n_runs, given, rng))
    return tuple(sorted(found, key=lambda rung: -rung.information))


def _informed(
    condition: str,
    value: float,
    laws: Sequence[Law],
    draws: Sequence[Mapping[str, FloatArray]],
    weight: FloatArray,
    n_runs: int,
    given: Mapping[str, Condition],
    rng: np.random.Generator,
) -> NextRung:
    """Return the expected information of one rung."""
    simulated = []
    for law, of_law in zip(laws, draws, strict=True):
        for _ in range(SIMULATED):
            at = {k: v[[rng.integers(POSTERIOR_DRAWS)]] for k, v in of_law.items()}
            simulated.append(draw_onsets(law, at, n_runs, rng=rng))
    pooled = np.concatenate(simulated)
    pooled = pooled[np.isfinite(pooled)]
    length = float(np.quantile(pooled, 0.9))
    checkpoints = np.geomspace(float(np.quantile(pooled, 0.001)) / 2, length, GRID)
    gains = []
    for index, onsets in enumerate(simulated):
        rung = Rung(((condition, value),), observed(onsets, checkpoints, given))
        table = bracketed(rung)
        logs = np.array(
            [
                log_sum_exp(rung_log_likelihood(law, table, of_law)) - np.log(POSTERIOR_DRAWS)
                for law, of_law in zip(laws, draws, strict=True)
            ]
        )
        own = index // SIMULATED
        gains.append(float(logs[own] - log_sum_exp(logs + np.log(weight))))
    each = np.array(gains).reshape(len(laws), SIMULATED)
    se = np.sqrt(np.sum(weight**2 * each.var(axis=1, ddof=1) / SIMULATED))
    return NextRung(condition, value, float(weight @ each.mean(axis=1)), float(se), length)
