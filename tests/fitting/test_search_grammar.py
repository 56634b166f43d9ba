"""The grammar of growth: slopes, order, no expression twice, and the forms that come of it."""

import numpy as np
import pytest

from fitting.optimum.least_squares import best
from fitting.search.canonical import GRID, generic, is_redundant
from fitting.search.enumeration import CENTERED, ELAPSED, WAVE, T, skeletons
from fitting.search.grammar import Skeleton, apply
from fitting.search.making import form_of, natural
from fitting.search.space import space_of
from theory.curve import Curve
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

LAST = 250.0


def test_slopes_are_those_of_the_columns() -> None:
    rng = np.random.default_rng(0)
    t, step = np.linspace(0.01, 1.0, 50), 1e-6
    for skeleton in skeletons()[::5]:
        theta = generic(skeleton, 1, rng=rng)
        parts, q = skeleton.tangents(t, theta), len(skeleton.linear)
        for place, (j, k) in enumerate(skeleton.moved):
            shift = step * np.eye(len(skeleton.constants))[k]
            ahead, behind = (skeleton.tangents(t, theta + s * shift)[j] for s in (1, -1))
            numeric = (ahead - behind) / (2 * step)
            # At most the two points beside an onset lie where the slope jumps.
            wrong = np.abs(numeric - parts[q + place]) > 1e-5 * (1 + np.abs(numeric).max())
            assert wrong.sum() <= 2, skeleton.key


def test_the_order_is_from_simple_to_complicated_and_nothing_comes_twice() -> None:
    every = skeletons()
    sizes = [skeleton.complexity for skeleton in every]
    assert sizes == sorted(sizes)
    assert len({skeleton.key for skeleton in every}) == len(every)
    assert not any(is_redundant(skeleton) for skeleton in every)


def test_sums_and_products_have_no_order() -> None:
    a, b = apply("approach", ELAPSED), apply("logistic", CENTERED)
    assert Skeleton((a, b)).key == Skeleton((b, a)).key
    assert apply("product", a, b).key == apply("product", b, a).key


@pytest.mark.parametrize(
    "terms",
    [
        (apply("growth", CENTERED),),  # gain·exp(-rate·midpoint) is one number
        (apply("power", ELAPSED),),  # gain/timescale**exponent is one number
        (apply("product", apply("decay", ELAPSED), apply("decay", ELAPSED)),),  # a sum of rates
        (T, T),
    ],
)
def test_what_has_a_simpler_writing_is_redundant(terms: tuple[object, ...]) -> None:
    assert is_redundant(Skeleton(terms))  # type: ignore[arg-type]


def test_every_expression_makes_a_form_of_the_same_curve() -> None:
    rng = np.random.default_rng(1)
    t = np.linspace(0.0, 1.0, 40)
    for skeleton in skeletons()[::25]:
        form = form_of(skeleton, "found_1", LAST)
        nonlinear = generic(skeleton, 1, rng=rng)[0]
        linear = rng.uniform(0.5, 2.0, len(skeleton.linear))
        values = linear @ skeleton.tangents(t, nonlinear[None])[: len(linear), 0]
        made = form(t * LAST, natural(skeleton, linear, nonlinear, LAST))
        assert form.linear == form.names[: len(linear)], skeleton.key
        np.testing.assert_allclose(made, values, rtol=1e-9, atol=1e-9, err_msg=skeleton.key)


def test_a_made_form_obeys_the_laws_of_forms() -> None:
    rng = np.random.default_rng(2)
    t = np.linspace(5.0, LAST, 30) + 0.123
    for skeleton in skeletons()[3::97]:
        form = form_of(skeleton, "found_1", LAST)
        linear, nonlinear = np.ones(len(skeleton.linear)), generic(skeleton, 1, rng=rng)[0]
        theta = natural(skeleton, linear, nonlinear, LAST)
        step = 1e-4
        slope = (form(t + step, theta) - form(t - step, theta)) / (2 * step)
        np.testing.assert_allclose(form.derivative(t, theta), slope, rtol=1e-5, atol=1e-7)
        jacobian = form.jacobian(t, theta)
        for i in range(len(theta)):
            h = 1e-6 * max(1e-3, abs(theta[i])) * np.eye(len(theta))[i]
            numeric = (form(t, theta + h) - form(t, theta - h)) / (2 * h[i])
            scale = 1e-5 * (1e-3 + np.abs(numeric).max())
            assert np.abs(jacobian[:, i] - numeric).max() <= scale, (skeleton.key, i)


def test_a_wave_is_no_faster_than_the_points_can_tell() -> None:
    """At frequencies f and 1/gap - f a wave draws the same points: the priors allow only one."""
    t = np.arange(1.0, 201.0)
    curve = Curve(observable="y", t=t, y=np.cos(2 * np.pi * 0.02 * t))
    form = form_of(Skeleton((WAVE,)), "found_1", LAST)
    prior = default_hypothesis(form, NOISES["white"], curve).priors["frequency"]
    assert prior.ppf(1.0) < 0.5
    assert prior.ppf(0.0) < 1 / t[-1]


@pytest.mark.slow
def test_no_two_single_terms_span_the_same_curves() -> None:
    """Best fits to curves that none of them is tell different spans apart, however written."""
    probes = np.stack([np.sin(5 * GRID), np.abs(GRID - 0.4) ** 1.5, GRID**2 * np.cos(9 * GRID)])
    probes -= probes.mean(axis=1, keepdims=True)
    seen: dict[tuple[object, ...], str] = {}
    twins: list[tuple[str, str]] = []
    for skeleton in (one for one in skeletons() if len(one.terms) == 1):
        space, transport = space_of(skeleton, GRID)
        with np.errstate(all="ignore"):
            found = best(skeleton, GRID, probes, np.ones_like(probes), space, transport)
        if found.at_bound.any():
            continue
        mark = (skeleton.n_free, *(f"{square:.6g}" for square in found.square))
        twins += [(skeleton.key, seen[mark])] if mark in seen else []
        seen[mark] = skeleton.key
    assert not twins
    assert len(seen) > 30
