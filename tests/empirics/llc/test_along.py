"""Coefficients of stored maze agents, against the Fisher matrix of their own policies."""

import itertools
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev, vmap

from empirics.checkpoint import save_policy
from empirics.llc import along
from empirics.llc.along import llc_along
from empirics.llc.along_calibration import by_localization, calibrate_along
from empirics.llc.along_settings import AlongSettings
from empirics.llc.calibration import Setting, judged
from empirics.llc.estimate import estimate_llc
from empirics.llc.kept_readings import KeptReadings
from empirics.llc.maze_energy import energy_at
from empirics.llc.network_potential import unflatten
from empirics.maze import MazeConfig
from empirics.maze_agent import stored_agents
from empirics.policies.maze_policy import MazeNetwork
from empirics.store import RunRecord, Store

MAZE = MazeConfig(cells=3, alpha=0.3, max_steps=12, num_train_levels=40, num_held_out_levels=40)
NETWORK = MazeNetwork(width=3, depth=2, hidden=5)
MOMENTS = (0, 64, 256)
SHORT = AlongSettings(
    num_states=48,
    rows_per_move=16,
    step_size=1e-7,
    localization=1e6,
    nbeta=1e6,
    num_chains=2,
    num_draws=8,
    num_burnin_steps=2,
)


def conditions(network=NETWORK, **maze):
    shape = {f"network_{name}": value for name, value in asdict(network).items()}
    return {**asdict(replace(MAZE, **maze)), **shape, "seed": 0}


def write_run(folder, run, run_id, moments=MOMENTS, network=NETWORK, **maze):
    """Keep a run whose checkpoints have random weights of growing size."""
    Store(folder).append_run(RunRecord(run, run_id, conditions=conditions(**maze)))
    for i, moment in enumerate(moments):
        policy = network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(i))
        with torch.no_grad():
            policy.actor.weight.mul_(10 * (i + 1))  # far enough from uniform to be a policy
        save_policy(folder / "checkpoints" / run_id / f"{moment}.safetensors", policy, {})
    (folder / "checkpoints" / run_id / "resume.safetensors").write_bytes(b"no checkpoint")


@pytest.fixture
def store(tmp_path):
    write_run(tmp_path / "store", "one", "aaa")
    write_run(tmp_path / "store", "two", "bbb", alpha=0.0)
    return tmp_path / "store"


def at(store, moment, settings=SHORT):
    """Return agent, energy and center of a checkpoint of the first run, in double precision."""
    agent = stored_agents(store, ["one"])[0]
    path = dict(agent.checkpoints)[moment]
    return agent, *energy_at(agent, moment, path, settings, torch.float64)


def jacobian(energy, center):
    """Return outputs (n, o) and their derivatives (n, o, d) by reverse mode, state by state."""
    network = energy.outputs.network

    def output(w, observation):
        return functional_call(network, unflatten(network, w), (observation[None],))[0]

    seen = energy.outputs.observations
    return network(seen), vmap(jacrev(output), (None, 0))(center[0], seen)


def curved(energy, center, v):
    """Return the Hessian of the energy times v, by going through it twice."""
    w = center.clone().requires_grad_()
    (slope,) = torch.autograd.grad(energy.energy(w[:, None]).sum(), w, create_graph=True)
    return torch.autograd.grad((slope * v).sum(), w)[0][0]


def curvature(energy, center, which):
    """Return the Fisher matrix of a policy, or 2 E[grad V grad V'] of a critic."""
    outputs, j = jacobian(energy, center)
    if which == "value":
        return 2 * j[:, 0].mT @ j[:, 0] / len(j)
    p = torch.softmax(outputs, -1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None]
    return torch.einsum("nad,nab,nbe->de", j, middle, j) / len(p)


@pytest.mark.parametrize("which", ["behavior", "value"])
def test_the_energy_bends_like_the_fisher_matrix(store, which):
    _, energy, center = at(store, 256, replace(SHORT, energy=which))
    assert energy.energy(center[:, None]).item() == 0
    matrix = curvature(energy, center, which)
    v = torch.tensor(np.random.default_rng(0).standard_normal(center.shape))
    torch.testing.assert_close(curved(energy, center, v), matrix @ v[0], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("which", ["behavior", "value"])
def test_chains_read_half_the_localized_rank(store, which):
    nbeta = {"behavior": 1e7, "value": 5e5}[which]
    settings = replace(
        SHORT, energy=which, nbeta=nbeta, num_chains=8, num_draws=250, num_burnin_steps=40
    )
    _, energy, center = at(store, 256, settings)
    h = torch.linalg.eigvalsh(curvature(energy, center, which)).clamp(min=0).numpy()
    pull = settings.nbeta * h
    stiff = pull + settings.localization
    rank = (pull / stiff).sum() / 2
    [one] = llc_along(store, settings, runs=["one"], num_checkpoints=1)
    reading = one.readings[256]
    assert reading.llc_se < 0.04 * rank
    assert abs(reading.llc - rank) < 3 * reading.llc_se  # what the step adds is subtracted
    assert reading.is_trusted, reading.status


def test_single_precision_reads_what_double_precision_does(store):
    agent, energy, center = at(store, 64)
    single, weights = energy_at(agent, 64, dict(agent.checkpoints)[64], SHORT)
    assert weights.dtype == torch.float32
    (a,), (b,) = (
        estimate_llc(potential, w, SHORT.sampler, SHORT.plan, seed=3)
        for potential, w in ((energy, center), (single, weights))
    )
    # The same random numbers: chains differ by rounding alone, which the pull keeps small.
    assert b.llc == pytest.approx(a.llc, rel=1e-3)
    assert min(b.chain_llcs) > 0


def test_a_minibatch_weighs_the_center_like_its_states(store):
    _, energy, center = at(store, 64)
    assert energy.is_mean_over_rows
    moved, rows = center[:, None] + 0.01, torch.tensor([[[3, 3, 7]]])
    each = [energy.energy(moved, torch.tensor([[[i]]])).item() for i in (3, 3, 7)]
    assert energy.energy(moved, rows).item() == pytest.approx(np.mean(each), rel=1e-12)


def test_a_reading_does_not_depend_on_what_else_is_asked(store):
    every = llc_along(store, SHORT)
    [some] = llc_along(store, SHORT, runs=["bbb"], num_checkpoints=2)
    assert [each.record.run for each in every] == ["one", "two"]
    assert list(every[1].readings) == list(MOMENTS) and list(some.readings) == [0, 256]
    assert all(some.readings[t] == every[1].readings[t] for t in (0, 256))
    # Two runs with the same weights have chains of their own.
    assert every[0].readings[0].llc != every[1].readings[0].llc
    curve = every[0].curve
    assert (curve.observable, curve.run_id, str(curve.progress)) == (
        "llc_behavior",
        "aaa",
        "env_steps",
    )
    np.testing.assert_array_equal(curve.y, [r.llc for r in every[0].readings.values()])
    np.testing.assert_array_equal(curve.y_se, [r.llc_se for r in every[0].readings.values()])
    ledger = dict(curve.conditions)
    assert (ledger["alpha"], ledger["num_states"], ledger["nbeta"]) == (0.3, 48, 1e6)
    assert (ledger["llc_states"], ledger["rows_per_move"]) == ("held_out", 16)


def test_states_that_a_checkpoint_visits_are_its_own(store):
    [one] = llc_along(store, replace(SHORT, states="on_policy"), runs=["one"])
    assert all(r.llc > 0 for r in one.readings.values())
    own = [
        at(store, t, replace(SHORT, states="on_policy"))[1].outputs.observations for t in (0, 64)
    ]
    shared = [at(store, t)[1].outputs.observations for t in (0, 64)]
    assert not torch.equal(*own) and torch.equal(*shared)


def test_readings_are_kept_and_not_made_again(store, tmp_path, monkeypatch):
    out, told = tmp_path / "out", []
    read, count = along._read, iter(range(9))

    def at_most_four(point, **given):
        if next(count) == 4:
            raise KeyboardInterrupt
        return read(point, **given)

    monkeypatch.setattr(along, "_read", at_most_four)
    with pytest.raises(KeyboardInterrupt):
        llc_along(store, SHORT, out=out, told=lambda *said: told.append(said[:2]))
    assert told == [(1, 6), (2, 6), (3, 6), (4, 6)]
    assert [c.n_obs for c in Store(out).curves().curves] == [3, 1]
    kept = KeptReadings(out)
    with kept.lines.path.open("a") as file:
        file.write('{"run": "cut off by a ki')
    made = []
    monkeypatch.setattr(
        along, "_read", lambda point, **given: made.append(point[1]) or read(point, **given)
    )
    found = llc_along(store, SHORT, out=out)
    assert made == [64, 256]
    monkeypatch.undo()
    assert found == llc_along(store, SHORT)
    assert len(list(KeptReadings(out))) == 6
    stored = Store(out).curves()
    assert [c.digest for c in stored.curves] == [f.curve.digest for f in found]
    assert not stored.notes and [r.run for r in Store(out).runs()] == ["one", "two"]
    with pytest.raises(ValueError, match=r"llc_behavior of 'one' with nbeta = 1000000\.0, now 5"):
        llc_along(store, replace(SHORT, nbeta=5.0), out=out)


def test_chains_that_diverge_leave_a_sentence_and_no_point(store, tmp_path):
    wild = replace(SHORT, step_size=1.0)
    [one] = llc_along(store, wild, runs=["one"], num_checkpoints=1, out=tmp_path / "out")
    assert one.curve is None
    assert "no chain stayed finite" in one.readings[256].status
    [kept] = KeptReadings(tmp_path / "out")
    assert kept.reading.llc is None and np.isnan(kept.reading.chain_llcs).all()


def test_a_checkpoint_of_another_network_is_said_and_the_others_kept(store, tmp_path):
    other = MazeNetwork(width=4, depth=2, hidden=5)
    policy = other.build(MAZE.observation_shape, 4, rng=np.random.default_rng(0))
    save_policy(store / "checkpoints" / "aaa" / "64.safetensors", policy, {})
    with pytest.raises(ValueError, match=r"64\.safetensors holds another network than"):
        llc_along(store, SHORT, out=tmp_path / "out")
    assert [each.env_steps for each in KeptReadings(tmp_path / "out")] == [0]
    assert [c.n_obs for c in Store(tmp_path / "out").curves().curves] == [1]


def test_stores_without_what_is_asked(store, tmp_path):
    with pytest.raises(
        ValueError, match="holds no checkpoints of a run 'tow'; it has those of one, two"
    ):
        llc_along(store, runs=["tow"])
    Store(tmp_path / "empty").append_run(RunRecord("bare", "ccc"))
    with pytest.raises(ValueError, match="holds no checkpoints of its runs; 'ontogeny run goal-"):
        llc_along(tmp_path / "empty")
    write_run(tmp_path / "walk", "one", "ddd", [0])
    Store(tmp_path / "walk").append_run(RunRecord("walk", "eee", conditions={"cells": 3}))
    save_policy(tmp_path / "walk/checkpoints/eee/0.safetensors", torch.nn.Linear(1, 1), {})
    with pytest.raises(ValueError, match="'walk' is no maze agent: its conditions lack alpha, dis"):
        llc_along(tmp_path / "walk", SHORT)
    with pytest.raises(ValueError, match="energy must be one of behavior, value; it is 'regret'"):
        AlongSettings(energy="regret")


def test_a_sweep_has_every_setting_at_every_checkpoint(store):
    steps, pulls, told = (1e-8, 1e-7), (1e6, 1e7), []
    found = calibrate_along(
        stored_agents(store),
        SHORT,
        step_sizes=steps,
        localizations=pulls,
        nbetas=(1e6,),
        num_checkpoints=2,
        told=lambda *said: told.append(said),
    )
    assert told == [(i, 4) for i in range(5)]
    asked = [(step, pull) for step in steps for pull in pulls]
    assert [(c.setting.step_size, c.setting.localization) for c in found.cells] == asked
    for cell, (step, pull) in zip(found.cells, asked, strict=True):
        assert [(r.step_size, r.localization) for r in cell.readings] == [(step, pull)] * 4


def test_step_sizes_may_agree_where_localizations_do_not(store):
    """A coefficient of 2 or 1 by localization, read too high by the longest step alone."""
    [one] = llc_along(store, SHORT, runs=["one"], num_checkpoints=1)
    plain = replace(one.readings[256], llc_se=0.01, doubts=(), chain_llcs=(2.0,))
    axes = ((1.0, 2.0, 9.0), (10.0, 20.0), (5.0,))
    settings = [Setting(*values) for values in itertools.product(*axes)]
    values = [
        (2.0 if each.localization == 10 else 1.0) * (1.5 if each.step_size == 9 else 1)
        for each in settings
    ]
    whole = judged(axes, settings, [(replace(plain, llc=value),) for value in values])
    assert whole.recommended is None
    parts = by_localization(whole)
    assert [part.recommended for part in parts] == [Setting(1, 10, 5), Setting(1, 20, 5)]
    assert [len(part.flat) for part in parts] == [2, 2]
