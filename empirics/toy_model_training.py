"""Toy models of superposition that learn, by gradient descent on data or by PPO on a bandit.

Every run draws from a stream of its own, so it does not depend on its company, nor on when it is
looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from empirics.coerce import whole
from empirics.llc.toy_model_phase import num_represented
from empirics.llc.toy_model_potential import toy_model_data_potential, toy_model_potential
from empirics.run_stream import run_id_of, stream_of
from empirics.toy_model_cell import (
    AnyCell,
    Optimizer,
    ToyModelCell,
    ToyModelPPOCell,
    toy_model_data,
    toy_model_start,
)
from empirics.toy_model_steps import ppo_update, sgd_steps
from theory.curve import Curve, FloatArray, IntArray, Origin, Progress


@final
@dataclass(frozen=True, eq=False)
class ToyModelRun:
    """What one toy model left behind.

    Attributes
    ----------
    run, run_id : str
        Label, and hash of what decides the curves.
    cell : ToyModelCell or ToyModelPPOCell
    seed : int
    curves : tuple of Curve
        ``loss`` over all inputs, ``data_loss`` over the run's own data, and ``num_represented``,
        the features whose own output at full strength exceeds 1/2.
    updates : (n,) array
        When checkpoints were taken.
    weights : (n, 3c) array
        The checkpoints: W row by row, then b.
    """

    run: str
    run_id: str
    cell: AnyCell
    seed: int
    curves: tuple[Curve, ...]
    updates: IntArray
    weights: FloatArray


def train_toy_models(
    cells: Sequence[AnyCell], seeds: Sequence[int], *, updates: int, checkpoints: int = 150
) -> tuple[ToyModelRun, ...]:
    """Train one toy model a cell and seed.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    updates : int
        Length of a run: gradient steps, or PPO's rollouts.
    checkpoints : int
        Number of evenly spaced updates at which checkpoints are taken, besides the start.

    Returns
    -------
    tuple of ToyModelRun
        In the order of cells, then seeds.

    Raises
    ------
    ValueError
        If a number is not whole or too small, or training diverges.
    """
    last, number = whole("updates", updates, 1), whole("checkpoints", checkpoints, 1)
    t = np.unique(np.linspace(0, last, number + 1).astype(np.int64))
    return tuple(_train(cell, whole("seed", seed, 0), t) for cell in cells for seed in seeds)


def _train(cell: AnyCell, seed: int, t: IntArray) -> ToyModelRun:
    data, w = toy_model_data(cell, seed), toy_model_start(cell, seed)
    rng = stream_of(cell, seed)
    if isinstance(cell, ToyModelPPOCell):
        moments = _ppo(cell, data, w, t, rng)
    else:
        moments = _sgd(cell, data, w, t, rng)
    weights = np.stack([w.copy() for _ in moments])
    if not np.isfinite(weights).all():
        raise ValueError(f"training of {cell.label} diverged; make learning_rate smaller.")
    run, run_id = f"{cell.label} seed={seed}", run_id_of(cell, seed, t)
    curves = tuple(
        Curve(
            observable,
            t.astype(float),
            y,
            progress=Progress.UPDATES,
            run=run,
            run_id=run_id,
            conditions=cell.conditions(seed),
            origin=Origin.MEASURED,
        )
        for observable, y in _measured(cell, data, weights).items()
    )
    return ToyModelRun(run, run_id, cell, seed, curves, t, weights)


def _sgd(
    cell: ToyModelCell,
    data: tuple[IntArray, FloatArray],
    w: FloatArray,
    t: IntArray,
    rng: np.random.Generator,
) -> Iterator[None]:
    """Change the parameters step by step, pausing at every update of `t`."""
    room = np.empty(w.size), np.empty(cell.num_features)
    done, rows = 0, np.empty((0, cell.minibatch_size), dtype=np.int64)
    for until in t.tolist():
        while done < until:
            if not len(rows):
                rows = rng.permutation(cell.num_samples).reshape(-1, cell.minibatch_size)
            now, rows = rows[: until - done], rows[until - done :]
            sgd_steps(w, *data, now, cell.learning_rate, *room)
            done += len(now)
        yield


def _ppo(
    cell: ToyModelPPOCell,
    data: tuple[IntArray, FloatArray],
    w: FloatArray,
    t: IntArray,
    rng: np.random.Generator,
) -> Iterator[None]:
    """Change the parameters rollout by rollout, pausing at every update of `t`."""
    update, done = rollouts(cell, w, rng), 0
    for until in t.tolist():
        while done < until:
            rows = rng.integers(cell.num_samples, size=cell.num_envs)
            update(data[0][rows], data[1][rows])
            done += 1
        yield


def rollouts(
    cell: ToyModelPPOCell, w: FloatArray, rng: np.random.Generator
) -> Callable[[IntArray, FloatArray], None]:
    """Return PPO's update on the inputs it is given: features and strengths, (num_envs,) each.

    It changes the parameters w, (3c,), and keeps the optimizer's moments from call to call.
    """
    size, c = cell.num_envs, cell.num_features
    settings = np.array(
        [
            cell.learning_rate,
            cell.action_sd,
            cell.clip_coef,
            cell.norm_adv,
            cell.optimizer is Optimizer.ADAM,
        ],
        dtype=np.float64,
    )
    moments, gradient, output = np.zeros((2, w.size + 1)), np.empty(w.size), np.empty(c)
    room = moments, gradient, output, np.empty((size, c)), np.empty(size)
    epochs = np.tile(np.arange(size), (cell.update_epochs, 1))
    shape = (cell.update_epochs, cell.num_minibatches, cell.minibatch_size)

    def update(features: IntArray, strengths: FloatArray) -> None:
        normals = rng.standard_normal((size, c))
        orders = rng.permuted(epochs, axis=1).reshape(shape)
        ppo_update(w, features, strengths, normals, orders, settings, *room)

    return update


def _measured(
    cell: AnyCell, data: tuple[IntArray, FloatArray], weights: FloatArray
) -> dict[str, FloatArray]:
    """Return what checkpoints (n, 3c) are measured by, (n,) each."""
    features, strengths = (torch.as_tensor(each) for each in data)
    c, at = cell.num_features, torch.as_tensor(weights)[:, None, :]
    over_all = toy_model_potential(c)
    over_data = toy_model_data_potential(c, features, strengths)
    return {
        "loss": over_all.energy_and_gradient(at)[0][:, 0].numpy(),
        "data_loss": over_data.energy_and_gradient(at)[0][:, 0].numpy(),
        "num_represented": num_represented(weights).astype(np.float64),
    }
