"""Toy models that go on learning while one of their features grows rare, and then frequent again.

Training starts at the hexagon, the best of all phases where all features are as frequent. The
probability of the last feature falls evenly from 1/c to its lowest value and comes back. Rows are
drawn afresh for every update, from the probability of that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from empirics.coerce import coerce_fields, whole
from empirics.llc.toy_model_phase import num_represented
from empirics.llc.toy_model_potential import toy_model_potential
from empirics.run_stream import run_id_of, stream_of
from empirics.toy_model_cell import AnyCell, ToyModelCell, ToyModelPPOCell
from empirics.toy_model_steps import sgd_steps
from empirics.toy_model_training import ToyModelRun, rollouts
from theory.curve import Condition, Curve, FloatArray, IntArray, Origin, Progress, Schedule
from theory.learning_coefficients.k_gons import k_gon


@final
@dataclass(frozen=True)
class RareSweep:
    """How the probability of the last feature goes down and comes back.

    Attributes
    ----------
    lowest : float
        Where it turns, above 0 and below 1/c.
    updates : int
        Gradient steps (or PPO's rollouts) of the whole way, half of them down.
    checkpoints : int
        Number of evenly spaced updates at which checkpoints are taken, besides the start.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    lowest: float = 0.03
    updates: int = 400_000
    checkpoints: int = 400

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("updates", self.updates, 2)
        whole("checkpoints", self.checkpoints, 2)
        if not self.lowest > 0:
            raise ValueError(f"lowest must be above 0; it is {self.lowest}.")

    def probability(self, updates: FloatArray | IntArray, num_features: int) -> FloatArray:
        """Return the probability of the last feature after so many updates."""
        even = 1 / num_features
        if not self.lowest < even:
            raise ValueError(f"lowest must be below 1/c = {even:.4g}; it is {self.lowest}.")
        turned = np.abs(2 * np.asarray(updates, dtype=np.float64) / self.updates - 1)
        return self.lowest + (even - self.lowest) * turned


@final
@dataclass(frozen=True)
class Drifting:
    """What decides a run but for its seed: the rule that learns, and the way of the probability."""

    cell: AnyCell
    sweep: RareSweep


def train_drifting(
    cells: Sequence[AnyCell], sweep: RareSweep, seeds: Sequence[int]
) -> tuple[ToyModelRun, ...]:
    """Train one toy model a cell and seed under the sweep.

    Parameters
    ----------
    cells : sequence of ToyModelCell or ToyModelPPOCell
        Their rules and step sizes are used; their own data and start are not.
    sweep : RareSweep
    seeds : sequence of int

    Returns
    -------
    tuple of ToyModelRun
        In the order of cells, then seeds. ``loss`` is that of all inputs at the probability of the
        moment, which is the curve ``rare_probability``.

    Raises
    ------
    ValueError
        If the sweep does not fit the number of features, or training diverges.
    """
    return tuple(_drifted(cell, sweep, whole("seed", seed, 0)) for cell in cells for seed in seeds)


def _drifted(cell: AnyCell, sweep: RareSweep, seed: int) -> ToyModelRun:
    c = cell.num_features
    t = np.unique(np.linspace(0, sweep.updates, sweep.checkpoints + 1).astype(np.int64))
    p = sweep.probability(t, c)
    hexagon = k_gon(c, c)
    w = np.concatenate([hexagon.weights.ravel(), hexagon.bias])
    drifting = Drifting(cell, sweep)
    rng, run_id = stream_of(drifting, seed), run_id_of(drifting, seed, t)
    if isinstance(cell, ToyModelPPOCell):
        moments = _ppo(cell, sweep, w, t, rng)
    else:
        moments = _sgd(cell, sweep, w, t, rng)
    weights = np.stack([w.copy() for _ in moments])
    if not np.isfinite(weights).all():
        raise ValueError(f"training of {cell.label} diverged; make learning_rate smaller.")
    run = f"{cell.label} under drift to {sweep.lowest:g} seed={seed}"
    conditions: dict[str, Condition] = {
        **cell.conditions(seed),
        "rare_probability": Schedule(t.astype(float), p),
    }
    return ToyModelRun(
        run,
        run_id,
        cell,
        seed,
        tuple(
            Curve(
                observable,
                t.astype(float),
                y,
                progress=Progress.UPDATES,
                run=run,
                run_id=run_id,
                conditions=conditions,
                origin=Origin.MEASURED,
            )
            for observable, y in _measured(weights, p).items()
        ),
        t,
        weights,
    )


def _measured(weights: FloatArray, p: FloatArray) -> dict[str, FloatArray]:
    c = weights.shape[1] // 3
    probability = np.concatenate([np.repeat((1 - p)[:, None] / (c - 1), c - 1, 1), p[:, None]], 1)
    potential = toy_model_potential(c, probability=torch.as_tensor(probability))
    return {
        "loss": potential.energy_and_gradient(torch.as_tensor(weights)[:, None, :])[0][
            :, 0
        ].numpy(),
        "rare_probability": p,
        "num_represented": num_represented(weights).astype(np.float64),
    }


def draw_features(p: FloatArray, num_features: int, rng: np.random.Generator) -> IntArray:
    """Return a feature for every probability of the last one, the others alike."""
    u = rng.random(p.shape)
    others = np.minimum((u - p) / (1 - p) * (num_features - 1), num_features - 2)
    return np.where(u < p, num_features - 1, others).astype(np.int64)


BLOCK = 256
"""Gradient steps whose rows are drawn at once."""


def _sgd(
    cell: ToyModelCell, sweep: RareSweep, w: FloatArray, t: IntArray, rng: np.random.Generator
) -> Iterator[None]:
    size, c = cell.minibatch_size, cell.num_features
    room = np.empty(w.size), np.empty(c)
    done = 0
    for until in t.tolist():
        while done < until:
            count = min(BLOCK, until - done)
            p = sweep.probability(done + np.arange(count), c)
            features = draw_features(np.repeat(p, size), c, rng)
            rows = np.arange(count * size).reshape(count, size)
            sgd_steps(w, features, rng.random(count * size), rows, cell.learning_rate, *room)
            done += count
        yield


def _ppo(
    cell: ToyModelPPOCell, sweep: RareSweep, w: FloatArray, t: IntArray, rng: np.random.Generator
) -> Iterator[None]:
    c, size, done = cell.num_features, cell.num_envs, 0
    update = rollouts(cell, w, rng)
    for until in t.tolist():
        while done < until:
            p = sweep.probability(np.full(size, done), c)
            update(draw_features(p, c, rng), rng.random(size))
            done += 1
        yield
