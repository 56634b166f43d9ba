"""A perceptron that learns from the rewards of whole episodes: many seeds at once.

Each run draws from streams of its own, so it does not depend on its company. What is drawn is
exact (`empirics.perceptron_events`): neither limit of high dimension nor mean field.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from empirics.agent_run import AgentRun
from empirics.agent_training import Engine, agent_onsets, train_agents
from empirics.perceptron_cell import PerceptronCell
from empirics.perceptron_events import run_perceptrons
from theory.curve import FloatArray, Progress

__all__ = ["PerceptronCell", "perceptron_onsets", "train_perceptrons"]


def train_perceptrons(
    cells: Sequence[PerceptronCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 80
) -> tuple[AgentRun, ...]:
    """Train one student a cell and seed.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run, in episodes: each is an update.
    checkpoints : int
        Number of log-spaced episodes at which curves are recorded (fewer where they coincide).

    Returns
    -------
    tuple of AgentRun
        In the order of cells, then seeds. Curves: ``alignment``, the cosine between student and
        teacher; ``p_correct``, the chance that a decision is right; ``episodic_return``, the
        chance that an episode is rewarded. The onset is exactly when the alignment first reaches
        1/2.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    return train_agents(
        cells,
        seeds,
        _engine_of,
        updates=updates,
        checkpoints=checkpoints,
        supports={"alignment": (-1.0, 1.0)},
        progress=Progress.EPISODES,
    )


def perceptron_onsets(cell: PerceptronCell, n_seeds: int, seed: int, updates: int) -> FloatArray:
    """Return the exact onsets of many runs, each ended by its onset.

    Parameters
    ----------
    cell : PerceptronCell
    n_seeds : int
        Number of runs.
    seed : int
        Seed of the first run; the others follow. The runs are those of `train_perceptrons`.
    updates : int
        Episodes after which a run is censored.

    Returns
    -------
    (n_seeds,) array
        First episode after which the alignment is at least 1/2: 0 where it is so from the start,
        infinite where a run is censored.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    return agent_onsets(cell, n_seeds, seed, updates, _engine_of)


def _engine_of(cell: PerceptronCell) -> tuple[Engine, Hashable]:
    return run_perceptrons, (cell.n_decisions, cell.n_mistakes)
