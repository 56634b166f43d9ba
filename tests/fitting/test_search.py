"""The search from curve to finds, and what is concluded from them."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sympy

from fitting.search import enumeration, matching, operon, proposal
from fitting.search import search as module
from fitting.search.candidates import thinned
from fitting.search.proposal import propose_and_search
from fitting.search.search import search
from theory.curve import Curve
from theory.forms import FORMS

T = np.arange(1.0, 121.0)
X = sympy.Symbol("X1", real=True)


def planted(clean: np.ndarray, seed: int = 0) -> Curve:
    noise = 0.02 * np.ptp(clean) * np.random.default_rng(seed).standard_normal(T.size)
    return Curve(observable="success", t=T, y=clean + noise)


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search the 40 simplest expressions only, without Operon, for few registered forms."""
    few = enumeration.skeletons()[:40]
    known = {name: FORMS[name] for name in ("logistic", "gompertz", "probit", "weibull")}
    monkeypatch.setattr(module, "matches", partial(matching.matches, known=known))
    monkeypatch.setattr(module, "skeletons", lambda: few)
    monkeypatch.setattr(operon, "is_installed", lambda: False)


@pytest.mark.usefixtures("simple")
def test_a_known_curve_is_found_and_named() -> None:
    found = search(planted(1 / (1 + np.exp(-0.1 * (T - 50)))))
    assert found.looked == found.total == 40
    named = {one.competes_as: one for one in found.found}
    assert "equals logistic" in named["logistic"].match
    theta = dict(zip(named["logistic"].form.names, named["logistic"].theta, strict=True))
    assert theta["midpoint"] == pytest.approx(50, abs=1)


@pytest.mark.usefixtures("simple")
def test_units_move_the_finds_and_change_nothing_else() -> None:
    curve = planted(np.arctan(0.1 * (T - 50)))
    moved = Curve(observable="success", t=1e5 * T, y=3 * curve.y + 7)
    here, there = search(curve, number=2), search(moved, number=2)
    assert [a.form.expression for a in here.found] == [b.form.expression for b in there.found]
    here_first, there_first = here.found[0], there.found[0]
    np.testing.assert_allclose(
        there_first.form(moved.t, there_first.theta),
        3 * here_first.form(curve.t, here_first.theta) + 7,
        rtol=1e-5,
    )


@pytest.mark.usefixtures("simple")
def test_what_beats_every_registered_form_is_called_new() -> None:
    curve = planted(np.arctan(0.4 * (T - 50)))
    found = propose_and_search(curve, forms=("logistic", "gompertz"), noises=("white",))
    assert found.conclusion.startswith("New: found_1, floor + gain*atan(rate*(t - midpoint))")
    assert proposal.CHOSEN in found.comparison.notes


@pytest.mark.usefixtures("simple")
def test_where_the_registry_is_enough_nothing_new_is_claimed() -> None:
    curve = planted(1 / (1 + np.exp(-0.1 * (T - 50))))
    found = propose_and_search(curve, forms=("logistic", "gompertz"), noises=("white",))
    assert not found.conclusion.startswith("New")
    # The rewritten logistic competes once, under its registered name.
    names = [score.form for score in found.comparison.scores]
    assert names.count("logistic") == 1


@pytest.mark.usefixtures("simple")
def test_an_uncommon_registered_form_that_comes_near_competes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proposal, "COMMON", ("constant", "linear"))
    few = {name: FORMS[name] for name in ("constant", "linear", "step", "overshoot")}
    monkeypatch.setattr(proposal, "FORMS", few)
    monkeypatch.setattr(module, "matches", partial(matching.matches, known={}))
    clean = 1 - np.exp(-T / 40) * (np.cos(np.pi * T / 40) + np.sin(np.pi * T / 40) / np.pi)
    found = propose_and_search(planted(clean), noises=("white",))
    forms = {score.form for score in found.comparison.scores}
    assert "overshoot" in forms and "step" not in forms
    assert not found.conclusion.startswith("New")


def test_a_search_that_ran_out_of_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "matches", partial(matching.matches, known={}))
    monkeypatch.setattr(operon, "is_installed", lambda: False)
    found = search(planted(np.sqrt(T)), seconds=0.2, number=1)
    assert 0 < found.looked < found.total
    assert f"{found.looked} of {found.total} expressions" in found.notes[0]


@pytest.mark.usefixtures("simple")
def test_a_curve_without_noise_is_said_in_the_fewest_signs() -> None:
    curve = Curve(observable="success", t=T, y=2.0 * np.arctan(0.1 * (T - 50)) + 1e9)
    found = search(curve, number=2).found[0]
    assert found.form.python == "floor + gain*atan(rate*(t - midpoint))"
    np.testing.assert_allclose(found.form(T, found.theta) - curve.y, 0.0, atol=1e-5)


@pytest.mark.usefixtures("simple")
def test_known_errors_weigh_the_points() -> None:
    clean, wild = 1 / (1 + np.exp(-0.1 * (T - 50))), np.arange(T.size) % 3 == 0
    error = np.where(wild, 5.0, 0.01)
    y = clean + error * np.random.default_rng(4).standard_normal(T.size)
    curve = Curve(observable="success", t=T, y=y, y_se=error)
    found = {one.competes_as: one for one in search(curve).found}["logistic"]
    assert np.abs(found.form(T, found.theta) - clean).max() < 0.02


def test_a_long_curve_is_looked_at_in_blocks() -> None:
    t = np.linspace(0.0, 1.0, 4000)
    short = thinned(t, 3 * t + 1, np.ones_like(t))
    assert len(short[0]) == 300
    np.testing.assert_allclose(short[1], 3 * short[0] + 1)
    assert np.square(short[2]).sum() == pytest.approx(4000)


def test_few_points_find_nothing_that_they_do_not_fix() -> None:
    curve = Curve(observable="success", t=T[:4], y=np.array([0.0, 1.0, 1.5, 1.6]))
    assert search(curve).notes[0].startswith("Nothing was searched: 4 points fix no expression")


def test_a_constant_curve_is_not_searched() -> None:
    found = search(Curve(observable="success", t=T, y=np.ones(T.size)))
    assert not found.found
    assert found.notes[0].startswith("Nothing was searched: y must vary")


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"number": 0}, {"seconds": float("nan")}])
def test_senseless_limits_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        search(planted(T), **wrong)  # type: ignore[arg-type]


def test_numbers_of_an_expression_become_parameters() -> None:
    expression = 0.5 + 2.0 * sympy.exp(-3.0 * X) * (X + 0.25)
    lifted = operon.lifted(expression, "found_1", T, T[-1])
    assert lifted is not None
    form, theta = lifted
    assert form.names == ("floor", "gain", *form.names[2:])
    theta = theta + np.eye(1, len(theta))[0] * 0.5
    x = T / T[-1]
    np.testing.assert_allclose(form(T, theta), 0.5 + 2 * np.exp(-3 * x) * (x + 0.25), rtol=1e-9)


def test_a_number_without_effect_of_its_own_stays_a_number() -> None:
    # exp(a + b·x) times a gain: a is the gain's.
    lifted = operon.lifted(sympy.exp(0.7 + 2.0 * X, evaluate=False), "found_1", T, T[-1])
    assert lifted is not None
    assert lifted[0].names == ("floor", "gain", "rate_1")


def test_operon_gives_the_same_for_a_seed() -> None:
    pytest.importorskip("pyoperon")
    y = planted(np.tanh(T / 40)).y
    first, second = (
        operon.pareto_front(T / T[-1], y, seed=3, evaluations=20_000) for _ in range(2)
    )
    assert first == second
    assert first


@pytest.mark.usefixtures("simple")
def test_a_search_cut_short_makes_no_expression_likelier() -> None:
    whole = propose_and_search(planted(np.arctan(0.1 * (T - 50))), forms=["linear", "logistic"])
    cut = proposal.Proposal(whole.comparison, replace(whole.search, looked=0))
    known = {score.form for score in whole.comparison.scores} & set(FORMS)
    assert {"linear", "logistic"} <= known
    assert cut.handicap == whole.handicap == pytest.approx(np.log(40 / len(known)))
