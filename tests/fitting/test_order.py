"""Order of formation of known times, and of curves whose order is known."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from fitting.comparison import Comparison
from fitting.propose import propose
from fitting.runs.formation import Formation, formation_times
from fitting.runs.order import order
from fitting.runs.orderings import orderings
from fitting.runs.precedence import Times, difference, precedence, precedence_se
from fitting.runs.ranks import ranks
from fitting.verdict import Verdict, VerdictKind, inconclusive
from theory.curve import Curve, Progress
from theory.family import Family, classify

T = np.linspace(0.0, 20.0, 2001)
SIGMOID, NONE = tuple(Family).index(Family.SIGMOID), tuple(Family).index(Family.NONE)


def logistic(t: np.ndarray, midpoint: float, rate: float = 2.0) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * rate * (t - midpoint)))


def times(draws: np.ndarray, weight: np.ndarray | None = None) -> Times:
    draws = np.asarray(draws, dtype=np.float64)
    weight = np.full(draws.size, 1.0 / draws.size) if weight is None else weight
    code = np.zeros(draws.size, dtype=np.int64)
    return Times(draws, weight, code, np.zeros(5), float(draws.size))


def comparison(
    draws: np.ndarray,
    observable: str = "p_goal",
    run: str = "seed 1",
    *,
    progress: Progress = Progress.UPDATES,
    end: float = 20.0,
    start: float = 0.0,
    unsettled: float = 0.0,
    verdict: Verdict | None = None,
) -> Comparison:
    """A comparison whose draws of all times are given; inf never forms."""
    draws = np.asarray(draws, dtype=np.float64)
    never = float(np.isinf(draws).mean())
    family = np.where(np.isinf(draws), NONE, SIGMOID)
    found = Formation(
        draws, draws, draws, np.full(draws.size, 1.0 / draws.size), family, float(draws.size),
        start, end, unsettled,
    )  # fmt: skip
    t = np.linspace(start, end, 30)
    probabilities = dict.fromkeys(Family, 0.0) | {Family.SIGMOID: 1.0 - never, Family.NONE: never}
    return Comparison(
        curve=Curve(observable, t, np.sin(t), progress=progress, run=run),
        scores=(),
        family_probabilities=probabilities,
        family_se=dict.fromkeys(Family, 0.0),
        sensitivity={0.5: probabilities, 2.0: probabilities},
        stages=None,
        forecast=None,
        verdict=verdict or Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), (), "It is.", 0.99),
        formation=found,
    )


# --- two known times -----------------------------------------------------------------------------


def test_normal_times_have_their_closed_form() -> None:
    rng = np.random.default_rng(0)
    a, b = times(rng.normal(3.0, 1.0, 4000)), times(rng.normal(4.0, 2.0, 3000))
    found, exact = precedence(a, b), norm.cdf(1.0 / np.sqrt(5.0))
    # An indicator has a variance of at most 1/4, and the smaller sample bounds that of the mean.
    assert found.a_first == pytest.approx(exact, abs=4.0 * 0.5 / np.sqrt(3000))
    assert sum(found.values) == pytest.approx(1.0, abs=1e-12)
    gap = difference(a, b)
    assert gap is not None
    assert gap.value == pytest.approx(1.0, abs=4.0 * np.sqrt(5.0) * 1.2533 / np.sqrt(3000))
    # The sd of b alone sets that of the sd: 2 / sqrt(2 n), and twice as much for both.
    assert gap.se == pytest.approx(np.sqrt(5.0), abs=4.0 * 2.0 * 2.0 / np.sqrt(2 * 3000))


def test_all_pairs_are_counted_exactly() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, 40).astype(float), rng.integers(0, 6, 30).astype(float)
    a[a == 5], b[b == 5] = np.inf, np.inf
    wa, wb = rng.dirichlet(np.ones(40)), rng.dirichlet(np.ones(30))
    first = second = neither = 0.0
    for x, w in zip(a, wa, strict=True):
        for y, v in zip(b, wb, strict=True):
            if np.isinf(x) and np.isinf(y):
                neither += w * v
            else:
                first += w * v * ((x < y) + 0.5 * (x == y))
                second += w * v * ((y < x) + 0.5 * (x == y))
    found = precedence(times(a, wa), times(b, wb))
    assert found.values == pytest.approx((first, second, neither), abs=1e-12)
    turned = precedence(times(b, wb), times(a, wa))
    assert turned.values == pytest.approx((second, first, neither), abs=1e-12)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_error_is_the_spread_over_samples(which: int) -> None:
    rng = np.random.default_rng(2)

    def sample(mean: float) -> Times:
        draws = rng.normal(mean, 1.0, 100)
        return times(np.where(rng.random(100) < 0.4, np.inf, draws))

    pairs = [(sample(0.0), sample(0.5)) for _ in range(1000)]
    spread = np.std([precedence(a, b).values[which] for a, b in pairs])
    errors = np.mean([precedence_se(a, b, which=which) for a, b in pairs])
    # A standard deviation of n values has a relative error of 1 / sqrt(2 n).
    assert errors == pytest.approx(spread, rel=4.0 / np.sqrt(2 * 1000))


def test_errors_of_strata_count_where_strata_differ() -> None:
    draws = np.array([1.0, 1.0, np.inf, np.inf])
    code = np.array([2, 2, 0, 0])
    a = Times(draws, np.full(4, 0.25), code, np.array([0.1, 0.0, 0.1, 0.0, 0.0]), 4.0)
    # a comes first, surely, in one half of its probability and never in the other, whose
    # probabilities have an error of 0.1 each: they move the whole by +-0.5 times that.
    assert precedence_se(a, times([2.0]), which=0) == pytest.approx(np.sqrt(2 * 0.05**2))


# --- times of curves -----------------------------------------------------------------------------


def measured(y: np.ndarray, t: np.ndarray = T) -> np.ndarray:
    values = np.atleast_2d(y)
    return formation_times(t, values, classify(t, values, scale=1.0))


def test_a_logistic_forms_when_its_closed_form_says() -> None:
    onset, midpoint, rise, rate = measured(logistic(T, 10.0))[0]
    assert onset == pytest.approx(10.0 - np.log(9.0) / 2.0, rel=1e-4)
    assert midpoint == rise == pytest.approx(10.0, abs=1e-6)
    assert rate < 1e-6


def test_onset_is_of_the_first_stage_and_midpoint_of_the_largest() -> None:
    y = 0.3 * logistic(T, 5.0, 4.0) + 0.7 * logistic(T, 14.0, 3.0)
    onset, midpoint, rise, _ = measured(y)[0]
    assert onset == pytest.approx(5.0 - np.log(9.0) / 4.0, abs=0.01)
    assert midpoint == rise == pytest.approx(14.0, abs=0.01)


def test_what_is_lost_more_than_it_was_gained_has_risen_before() -> None:
    # A proxy: up by .3 around 5, down by .5 around 14.
    proxy = 0.3 * logistic(T, 5.0, 4.0) - 0.5 * logistic(T, 14.0, 3.0)
    _, midpoint, rise, _ = measured(proxy)[0]
    assert midpoint == pytest.approx(14.0, abs=0.01)
    assert rise == pytest.approx(5.0, abs=0.01)


def test_what_only_falls_forms_but_does_not_rise() -> None:
    _, midpoint, rise, _ = measured(1.0 - logistic(T, 10.0))[0]
    assert midpoint == pytest.approx(10.0, abs=1e-6)
    assert rise == np.inf


@pytest.mark.parametrize("y", [np.full(T.size, 0.7), 0.3 + 0.1 * T])
def test_a_curve_of_family_none_never_forms(y: np.ndarray) -> None:
    assert measured(y)[0].tolist() == [np.inf, np.inf, np.inf, 0.0]


def test_a_curve_that_is_cut_off_at_its_steepest_is_unsettled() -> None:
    inside = T <= 10.0
    assert measured(logistic(T, 10.0)[inside], T[inside])[0, 3] > 0.99


def test_times_scale_with_the_axis_exactly() -> None:
    y = np.array([logistic(T, m) for m in (4.0, 9.0)])
    plain, scaled = measured(y), measured(y, 1024.0 * T)
    np.testing.assert_array_equal(scaled[:, :3], 1024.0 * plain[:, :3])
    np.testing.assert_array_equal(scaled[:, 3], plain[:, 3])


# --- two comparisons -----------------------------------------------------------------------------


def test_separate_times_are_ordered_and_said() -> None:
    rng = np.random.default_rng(0)
    proxy = comparison(rng.uniform(2.0, 4.0, 300), "p_proxy")
    found = order(proxy, comparison(rng.uniform(6.0, 8.0, 300)))
    assert found.probability.values == pytest.approx((1.0, 0.0, 0.0), abs=1e-12)
    assert found.first == "p_proxy" and found.doubts == ()
    assert found.sentence == "p_proxy forms before p_goal with probability >0.99 (by onset)."
    assert found.difference is not None
    assert 2.0 <= found.difference.lower and found.difference.upper <= 6.0
    # What 300 draws do not show may still have 1/302.
    assert found.lowest == pytest.approx(1.0 - 1.0 / 302.0)


def test_exchangeable_times_are_not_ordered() -> None:
    draws = np.linspace(2.0, 9.0, 100)
    found = order(comparison(draws, "p_proxy"), comparison(draws))
    assert found.probability.values == pytest.approx((0.5, 0.5, 0.0), abs=1e-12)
    assert found.first is None and not found.decided
    assert found.sentence.startswith("These data do not order the two by onset: p_proxy forms")


def test_what_never_forms_comes_after_what_does_and_two_such_have_no_order() -> None:
    never, early = np.full(200, np.inf), np.linspace(1.0, 2.0, 200)
    found = order(comparison(never, "p_proxy"), comparison(early))
    assert found.probability.values == pytest.approx((0.0, 1.0, 0.0), abs=1e-12)
    assert found.first == "p_goal" and found.difference is None
    assert any("p_proxy does not form within its window" in doubt for doubt in found.doubts)
    neither = order(comparison(never, "p_proxy"), comparison(never))
    assert neither.probability.neither == pytest.approx(1.0)
    assert neither.decided and neither.first is None
    assert neither.sentence == (
        "Neither p_proxy nor p_goal forms, with probability >0.99 (by onset)."
    )


def test_few_draws_decide_nothing() -> None:
    found = order(comparison(np.array([1.0]), "p_proxy"), comparison(np.array([2.0])))
    assert found.probability.a_first == 1.0 and not found.decided


def test_an_order_must_hold_under_other_priors() -> None:
    """Wide priors make it probable that one of the two never forms."""
    draws = np.concatenate((np.linspace(5.0, 6.0, 199), [np.inf]))
    plain = comparison(draws, "p_proxy")
    wide = dict(plain.family_probabilities) | {Family.SIGMOID: 0.3, Family.NONE: 0.7}
    moved = replace(plain, sensitivity={0.5: plain.family_probabilities, 2.0: wide})
    late = comparison(np.linspace(8.0, 9.0, 200))
    assert order(plain, late).first == "p_proxy"
    found = order(moved, late)
    assert found.probability.a_first == pytest.approx(0.995)
    assert dict(found.sensitivity)[2.0].a_first == pytest.approx(0.3)
    assert not found.decided and found.lowest == pytest.approx(0.3)
    # After what is always early it comes either way.
    early = comparison(np.linspace(1.0, 2.0, 200))
    assert order(moved, early).first == "p_goal"


def test_times_after_the_common_window_count_as_not_formed() -> None:
    short = comparison(np.linspace(5.0, 9.0, 200), "p_proxy", end=10.0)
    late = comparison(np.linspace(12.0, 18.0, 200))
    found = order(late, short)
    assert found.first == "p_proxy" and found.difference is None
    assert (
        "The record of p_proxy ends at 10; p_goal forms after that with probability 1.00, "
        in (found.doubts[0])
    )
    begins = order(comparison(np.linspace(1.0, 3.0, 200)), comparison(
        np.linspace(12.0, 18.0, 200), "p_proxy", start=5.0))  # fmt: skip
    assert begins.doubts[0].startswith("The record of p_proxy begins at 5; p_goal forms before")


def test_a_failed_comparison_orders_nothing_and_an_open_shape_is_a_doubt() -> None:
    early, late = np.linspace(1.0, 2.0, 200), np.linspace(8.0, 9.0, 200)
    failed = comparison(early, "p_proxy", verdict=inconclusive("No noise describes the scatter."))
    found = order(failed, comparison(late))
    assert found.lowest is None and found.first is None
    assert found.doubts == (
        "Nothing may be concluded for p_proxy: No noise describes the scatter.",
    )
    open_shape = comparison(early, "p_proxy", verdict=inconclusive("Two shapes.", 0.6))
    found = order(open_shape, comparison(late, unsettled=0.8))
    assert found.first == "p_proxy"
    assert found.doubts[0].startswith("The shape of p_proxy is inconclusive")
    assert found.doubts[1].startswith("p_goal still changes at more than half")


def test_orders_scale_with_the_axis_exactly() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.uniform(2.0, 9.0, 100), rng.uniform(3.0, 10.0, 100)
    plain = order(comparison(a, "p_proxy"), comparison(b))
    scaled = order(comparison(1024 * a, "p_proxy", end=20480.0), comparison(1024 * b, end=20480.0))
    assert scaled.probability == plain.probability and scaled.se == plain.se
    assert plain.difference is not None and scaled.difference is not None
    assert scaled.difference.lower == 1024 * plain.difference.lower


def test_runs_are_ranked_within_the_window_of_all() -> None:
    early = comparison(np.linspace(1.0, 2.0, 50), run="seed 1")
    late = comparison(np.linspace(12.0, 13.0, 50), run="seed 2")
    short = comparison(np.linspace(4.0, 5.0, 50), run="seed 3", end=10.0)
    found = ranks([late, short, early])
    assert [rank.expected for rank in found] == pytest.approx([3.0, 2.0, 1.0])
    assert found[2].first == pytest.approx(1.0)
    # After 10 none of two late ones can be told to be the earlier.
    tied = ranks([late, comparison(np.linspace(15.0, 16.0, 50), run="seed 4"), short])
    assert [rank.expected for rank in tied] == pytest.approx([2.5, 2.5, 1.0])
    with pytest.raises(ValueError, match=r"ranks need one progress axis; these curves have \['epi"):
        ranks([early, comparison(np.array([5.0]), progress=Progress.EPISODES)])


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"progress": Progress.EPISODES}, "against updates and p_goal against episodes: read"),
        ({"start": 30.0, "end": 50.0}, "0 to 20, that of p_goal 30 to 50: give curves that"),
        ({"observable": "p_proxy"}, "p_proxy was given twice"),
    ],
)
def test_what_cannot_be_ordered_is_one_sentence(other: dict[str, object], sentence: str) -> None:
    at = 40.0 if "start" in other else 5.0
    with pytest.raises(ValueError, match=sentence):
        order(comparison(np.array([5.0]), "p_proxy"), comparison(np.array([at]), **other))  # type: ignore[arg-type]


def test_unknown_times_and_unfitted_curves_are_one_sentence() -> None:
    a, b = comparison(np.array([5.0]), "p_proxy"), comparison(np.array([6.0]))
    with pytest.raises(ValueError, match=r"no time is called 'start'; choose from \['onset',"):
        order(a, b, quantity="start")
    nothing = propose(Curve("p_goal", T[:30], np.ones(30), progress=Progress.UPDATES, run="seed 1"))
    assert nothing.formation is None
    with pytest.raises(ValueError, match="p_goal of run 'seed 1' has no times to order: "):
        order(a, nothing)


def test_draws_are_checked_and_locked_and_pickled() -> None:
    found = comparison(np.array([5.0, np.inf])).formation
    assert found is not None
    again = pickle.loads(pickle.dumps(found))
    for one in (found, again):
        with pytest.raises(ValueError, match="read-only"):
            one.onset[0] = 1.0
    with pytest.raises(ValueError, match=r"onset must lie in the window from 0 to 4, or be inf; o"):
        replace(found, end=4.0)
    with pytest.raises(ValueError, match=r"weight must sum to 1; it sums to 0\.5"):
        replace(found, weight=np.array([0.25, 0.25]))
    with pytest.raises(ValueError, match="onset must have one value a draw, 2; it has 1"):
        replace(found, onset=np.array([1.0]))


# --- fitted curves -------------------------------------------------------------------------------


def fitted(midpoint: float | None, observable: str, seed: int, scale: float = 1.0) -> Comparison:
    t = np.linspace(0.0, 20.0, 40)
    course = np.zeros(40) if midpoint is None else logistic(t, midpoint)
    y = course + 0.05 * np.random.default_rng(seed).standard_normal(40)
    curve = Curve(observable, scale * t, y, progress=Progress.UPDATES, run="seed 1")
    return propose(curve, forms=["constant", "logistic", "exponential_approach"], noises=["white"])


def test_planted_curves_come_out_in_their_order() -> None:
    early, late, flat = fitted(6.0, "p_proxy", 0), fitted(12.0, "p_goal", 1), fitted(None, "llc", 2)
    for quantity in ("onset", "midpoint"):
        found = order(early, late, quantity=quantity)
        assert found.first == "p_proxy"
        assert sum(found.probability.values) == pytest.approx(1.0, abs=1e-12)
        assert found.difference is not None
        assert found.difference.lower < 6.0 < found.difference.upper
    assert flat.formation is not None
    assert flat.formation.never("onset") == pytest.approx(
        flat.family_probabilities[Family.NONE], abs=1e-3
    )
    # What never forms is preceded by what does: at least that much is sure of the order.
    assert late.formation is not None
    assert late.formation.never("onset") < 1e-9
    last = order(flat, late).probability
    assert last.top == 1
    assert last.b_first >= flat.formation.never("onset") - 1e-12


def test_a_power_of_two_on_the_axis_changes_no_order() -> None:
    plain, scaled = (
        order(fitted(6.0, "p_proxy", 0, s), fitted(7.0, "p_goal", 1, s)) for s in (1.0, 1024.0)
    )
    # Log evidences agree to 1e-6 under a change of unit, hence the weights of draws.
    assert scaled.probability.values == pytest.approx(plain.probability.values, abs=1e-5)


# --- whole orderings -----------------------------------------------------------------------------


def test_orderings_of_exponential_times_have_their_closed_form() -> None:
    rng = np.random.default_rng(5)
    rates = {"a": 3.0, "b": 2.0, "c": 1.0}
    number = 20_000
    drawn = [
        comparison(np.minimum(rng.exponential(1.0 / rate, number), 19.9), name)
        for name, rate in rates.items()
    ]
    found = orderings(drawn, quantity="onset", rng=np.random.default_rng(6))
    assert sum(one.probability for one in found) == pytest.approx(1.0, abs=1e-12)
    assert found[0].names == ("a", "b", "c") and len(found) == 6
    for one in found:
        first, second, _ = (rates[name] for name in one.names)
        # The first of independent exponentials is drawn by its rate, then the first of the rest.
        exact = first / 6.0 * second / (6.0 - first)
        assert one.never == ()
        assert one.se == pytest.approx(np.sqrt(exact * (1 - exact) / number), rel=0.1)
        # Draws of times and draws from them each bring one such error.
        assert one.probability == pytest.approx(exact, abs=4.0 * np.sqrt(2.0) * one.se)


def test_an_ordering_names_what_never_forms() -> None:
    half = np.where(np.arange(1000) % 2 == 0, 5.0, np.inf)
    pair = [comparison(half, "late"), comparison(np.full(1000, 2.0), "early")]
    found = orderings(pair, quantity="midpoint", rng=np.random.default_rng(0))
    said = {(one.names, one.never): one.probability for one in found}
    assert set(said) == {(("early", "late"), ()), (("early",), ("late",))}
    assert said[("early",), ("late",)] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(20_000))
    # After the end of the shorter window nothing is known.
    short = comparison(np.full(1000, 2.0), "early", end=4.0)
    [only] = orderings([pair[0], short], quantity="onset", rng=np.random.default_rng(0))
    assert (only.names, only.never, only.probability, only.se) == (("early",), ("late",), 1.0, 0.0)


def test_an_ordering_needs_curves_that_can_be_ordered() -> None:
    a, rng = comparison(np.full(10, 2.0)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="needs two curves or more; got 1"):
        orderings([a], quantity="onset", rng=rng)
    failed = inconclusive("nothing fits")
    with pytest.raises(ValueError, match="nothing fits"):
        orderings([a, comparison(np.full(10, 3.0), "b", verdict=failed)], quantity="onset", rng=rng)
