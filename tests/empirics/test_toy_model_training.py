"""Toy models that learn: every step against plain torch, runs against their company."""

import numpy as np
import pytest
import torch
from torch import Tensor

from empirics.llc.toy_model_phase import num_represented
from empirics.toy_model_cell import (
    Optimizer,
    ToyModelCell,
    ToyModelPPOCell,
    toy_model_data,
    toy_model_start,
)
from empirics.toy_model_steps import ppo_update, sgd_steps
from empirics.toy_model_training import train_toy_models
from theory.curve import FloatArray, IntArray

C, N, SD, CLIP, RATE = 4, 12, 0.3, 0.05, 0.2


def outputs(w: Tensor, features: Tensor, strengths: Tensor) -> Tensor:
    matrix, bias = w[: 2 * C].reshape(2, C), w[2 * C :]
    x = torch.nn.functional.one_hot(features, C) * strengths[:, None]
    return (x @ matrix.T @ matrix + bias).relu()


def inputs(seed: int = 0) -> tuple[FloatArray, IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return 0.7 * rng.standard_normal(3 * C), rng.integers(C, size=N), rng.random(N)


def test_a_step_of_descent_is_that_of_autograd() -> None:
    w, features, strengths = inputs()
    rows = np.array([[0, 5, 7], [1, 2, 3]])
    at = torch.tensor(w, requires_grad=True)
    for row in rows:
        i, mu = torch.as_tensor(features[row]), torch.as_tensor(strengths[row])
        x = torch.nn.functional.one_hot(i, C) * mu[:, None]
        loss = ((outputs(at, i, mu) - x) ** 2).sum(-1).mean()
        at = (at - 0.1 * torch.autograd.grad(loss, at)[0]).detach().requires_grad_()

    sgd_steps(w, features, strengths, rows, 0.1, np.empty(3 * C), np.empty(C))

    assert np.allclose(w, at.detach().numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("norm_adv", [False, True])
@pytest.mark.parametrize("optimizer", Optimizer)
def test_an_update_is_that_of_ppo_in_plain_torch(norm_adv: bool, optimizer: Optimizer) -> None:
    w, features, strengths = inputs()
    rng = np.random.default_rng(1)
    normals = rng.standard_normal((N, C))
    orders = rng.permuted(np.tile(np.arange(N), (3, 1)), axis=1).reshape(3, 3, 4)
    job = (w, features, strengths, normals, orders)
    expected, expected_clipped = plain_ppo(*job, norm_adv, optimizer)

    settings = np.array([RATE, SD, CLIP, norm_adv, optimizer is Optimizer.ADAM], dtype=float)
    room = np.zeros((2, 3 * C + 1)), np.empty(3 * C), np.empty(C), np.empty((N, C)), np.empty(N)
    clipped = ppo_update(*job, settings, *room)

    assert np.allclose(w, expected, rtol=0, atol=1e-10)
    assert clipped == expected_clipped > 0


def plain_ppo(
    w: FloatArray,
    features: IntArray,
    strengths: FloatArray,
    normals: FloatArray,
    orders: IntArray,
    norm_adv: bool,
    optimizer: Optimizer,
) -> tuple[FloatArray, int]:
    """Return the parameters after an update as CleanRL writes it, and how much was clipped."""
    i, mu = torch.as_tensor(features), torch.as_tensor(strengths)
    x = torch.nn.functional.one_hot(i, C) * mu[:, None]
    at = torch.tensor(w, requires_grad=True)
    made = (
        torch.optim.Adam([at], lr=RATE, eps=1e-5)
        if optimizer is Optimizer.ADAM
        else torch.optim.SGD([at], lr=RATE)
    )
    mean = outputs(at, i, mu).detach()
    actions = mean + SD * torch.as_tensor(normals)
    advantages = ((mean - x) ** 2).sum(-1) + C * SD**2 - ((actions - x) ** 2).sum(-1)
    old = torch.distributions.Normal(mean, SD).log_prob(actions).sum(-1)
    clipped = 0
    for rows in torch.as_tensor(orders.reshape(-1, orders.shape[-1])):
        policy = torch.distributions.Normal(outputs(at, i[rows], mu[rows]), SD)
        ratio = (policy.log_prob(actions[rows]).sum(-1) - old[rows]).exp()
        advantage = advantages[rows]
        if norm_adv:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        cut = ratio.clamp(1 - CLIP, 1 + CLIP)
        clipped += int(((cut * advantage) < (ratio * advantage)).sum())
        made.zero_grad()
        (-torch.min(ratio * advantage, cut * advantage).mean()).backward()
        made.step()
    return at.detach().numpy(), clipped


def test_the_first_step_of_ppo_descends_the_loss_on_average() -> None:
    w, features, strengths = inputs()
    rng, number = np.random.default_rng(2), 4000
    at = torch.tensor(w, requires_grad=True)
    i, mu = torch.as_tensor(features), torch.as_tensor(strengths)
    x = torch.nn.functional.one_hot(i, C) * mu[:, None]
    loss = ((outputs(at, i, mu) - x) ** 2).sum(-1).mean()
    expected = -torch.autograd.grad(loss, at)[0].numpy()
    settings = np.array([1.0, SD, CLIP, 0.0, 0.0])
    orders = np.arange(N).reshape(1, 1, N)
    steps = np.empty((number, 3 * C))
    for k in range(number):
        moved = w.copy()
        room = np.zeros((2, 3 * C + 1)), np.empty(3 * C), np.empty(C), np.empty((N, C)), np.empty(N)
        normals = rng.standard_normal((N, C))
        ppo_update(moved, features, strengths, normals, orders, settings, *room)
        steps[k] = moved - w

    se = steps.std(0, ddof=1) / np.sqrt(number)
    # Of 12 parameters the farthest lies beyond 4 standard errors once in 1,300 times.
    assert np.all(np.abs(steps.mean(0) - expected) <= 4 * se + 1e-12)


CELLS = (
    ToyModelCell(num_samples=60),
    ToyModelPPOCell(num_samples=60, num_envs=20, num_minibatches=2),
)


@pytest.mark.parametrize("cell", CELLS, ids=["sgd", "ppo"])
def test_a_run_does_not_depend_on_its_company_nor_on_when_it_is_looked_at(
    cell: ToyModelCell | ToyModelPPOCell,
) -> None:
    together = train_toy_models([cell], [0, 1], updates=40, checkpoints=10)
    (alone,) = train_toy_models([cell], [1], updates=40, checkpoints=5)

    assert np.array_equal(together[1].weights[::2], alone.weights)
    assert not np.array_equal(together[0].weights, together[1].weights)


def test_equal_seeds_have_equal_data_and_starts_under_both_rules() -> None:
    for one, two in zip(toy_model_data(CELLS[0], 3), toy_model_data(CELLS[1], 3), strict=True):
        assert np.array_equal(one, two)
    assert np.array_equal(toy_model_start(CELLS[0], 3), toy_model_start(CELLS[1], 3))


def test_data_are_as_they_are_said_to_be() -> None:
    features, strengths = toy_model_data(ToyModelCell(num_samples=6000), 0)

    assert np.bincount(features, minlength=6) == pytest.approx(1000, abs=4 * np.sqrt(6000 * 5 / 36))
    assert strengths.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 6000))
    assert 0 <= strengths.min() <= strengths.max() < 1


def test_a_start_without_noise_is_the_four_gon() -> None:
    (run,) = train_toy_models([ToyModelCell(start_sd=0.0)], [0], updates=1, checkpoints=1)

    # Chen et al. (2023): L = (6 - 4)/18.
    assert run.curves[0].y[0] == pytest.approx(1 / 9, abs=1e-12)
    assert int(num_represented(run.weights[0])) == 4


def test_descent_on_little_data_lowers_the_loss_on_them() -> None:
    (run,) = train_toy_models([ToyModelCell(num_samples=60, start_sd=0.3)], [0], updates=3000)
    loss = next(curve for curve in run.curves if curve.observable == "data_loss").y

    assert loss[-1] < loss[0] / 2


def test_curves_carry_their_run_and_its_ledger() -> None:
    (run,) = train_toy_models([CELLS[1]], [4], updates=2, checkpoints=2)

    assert [curve.observable for curve in run.curves] == ["loss", "data_loss", "num_represented"]
    assert {curve.run_id for curve in run.curves} == {run.run_id}
    assert run.curves[0].conditions["action_sd"] == 0.1
    assert run.curves[0].conditions["optimizer"] == "sgd"
    assert run.curves[0].conditions["seed"] == 4
    assert run.curves[0].t.tolist() == [0, 1, 2]


def test_mistakes_are_said() -> None:
    with pytest.raises(ValueError, match="minibatch_size must divide 1000"):
        ToyModelCell(minibatch_size=7)
    with pytest.raises(ValueError, match="num_minibatches must divide 200"):
        ToyModelPPOCell(num_minibatches=7)
    with pytest.raises(ValueError, match="at most num_features"):
        ToyModelCell(num_features=3)
    with pytest.raises(ValueError, match="learning_rate must be positive"):
        ToyModelCell(learning_rate=0.0)
    with pytest.raises(ValueError, match="start_sd must not be negative"):
        ToyModelCell(start_sd=-1.0)
    with pytest.raises(ValueError, match="action_sd must be positive"):
        ToyModelPPOCell(action_sd=0.0)
    with pytest.raises(ValueError, match="they hold 1"):
        ToyModelPPOCell(num_envs=10, norm_adv=True)
    with pytest.raises(ValueError, match="make learning_rate smaller"):
        train_toy_models([ToyModelCell(learning_rate=50.0)], [0], updates=100)
