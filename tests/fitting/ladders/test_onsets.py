import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import gamma

from fitting.ladders.onset_evidence import (
    CV_RANGE,
    DISCREPANCY_RANGE,
    free_evidence,
    predicted_evidence,
    tabulate,
)
from fitting.ladders.onset_law import gamma_onsets, onset_quantiles
from fitting.ladders.onsets import (
    FREE_MEDIANS,
    UNKNOWN_CLOCK_SD,
    OnsetHypothesis,
    OnsetVerdictKind,
    compare_onsets,
    group_rungs,
)
from theory.mechanism import NoOnset
from theory.onset import Onset

GRID = np.r_[0.0, np.geomspace(1, 5000, 70)]
ALPHAS = (0.1, 0.05, 0.02, 0.01)


def power_law(exponent, scale=30.0):
    return lambda conditions: scale * (conditions["alpha"] / 0.1) ** exponent


def sampled(predict, *, seed=0, n_runs=8, cv=0.15, budget=5000.0, alphas=ALPHAS):
    """Onsets drawn from gammas around the predicted medians, bracketed and censored."""
    rng = np.random.default_rng(seed)
    grid = GRID[GRID <= budget]
    onsets = []
    for alpha in alphas:
        median = predict({"alpha": alpha})
        scale = median / gamma.ppf(0.5, 1 / cv**2)
        for run in range(n_runs):
            time = rng.gamma(1 / cv**2, scale)
            index = np.searchsorted(grid, time)
            upper = grid[index] if index < grid.size else math.inf
            onsets.append(Onset(float(grid[index - 1]), float(upper), {"alpha": alpha}, str(run)))
    return onsets


def hypotheses(clock_sd=0.1):
    laws = {"linear": -1.0, "quadratic": -2.0, "flat": 0.0}
    return [OnsetHypothesis(n, power_law(e), clock_sd) for n, e in laws.items()]


def test_tabulated_gammas_meet_scipy_and_stay_finite():
    cv = np.array([0.03, 0.2, 1.5])
    law = gamma_onsets(cv, -8.0, 8.0, 0.0025)
    for i, one in enumerate(cv):
        k = one**-2.0
        scale = 20.0 / gamma.ppf(0.5, k)
        for edge in (12.0, 19.5, 21.0, 60.0):
            below, above = law.tails(edge, np.log(np.array([20.0])))
            if gamma.sf(edge, k, scale=scale) > 1e-250 < gamma.cdf(edge, k, scale=scale):
                exact = gamma.logcdf(edge, k, scale=scale), gamma.logsf(edge, k, scale=scale)
                np.testing.assert_allclose((below[i, 0], above[i, 0]), exact, atol=2e-3, rtol=1e-5)
    assert np.all(np.isfinite(law.log_below)) and np.all(np.isfinite(law.log_above))
    assert np.all(np.diff(law.log_below, axis=1) >= 0)
    assert np.all(np.diff(law.log_above, axis=1) <= 0)


@pytest.mark.parametrize("budget", [5000.0, 200.0])
def test_evidence_meets_plain_monte_carlo(budget):
    # Draw everything from its prior; the likelihood is scipy's.
    onsets = sampled(power_law(-1.0), n_runs=2, cv=0.4, budget=budget, alphas=(0.1, 0.02))
    rungs = group_rungs(onsets, ["alpha"])
    found = predicted_evidence(np.log([150.0, 30.0]), 0.3, tabulate(rungs))
    rng, n = np.random.default_rng(1), 400_000
    cv = np.exp(rng.uniform(*np.log(CV_RANGE), n))
    spread = np.exp(rng.uniform(*np.log(DISCREPANCY_RANGE), n))
    clock = 0.3 * rng.standard_normal(n)
    shape, total = cv**-2, np.zeros(n)
    for median, rung in zip((150.0, 30.0), rungs, strict=True):
        scale = np.exp(np.log(median) + clock + spread * rng.standard_normal(n))
        scale /= gamma.ppf(0.5, shape)
        for onset in rung.onsets:
            mass = gamma.sf(onset.lower, shape, scale=scale)
            mass -= 0.0 if onset.censored else gamma.sf(onset.upper, shape, scale=scale)
            total += np.log(np.maximum(mass, 1e-300))
    weights = np.exp(total - logsumexp(total))
    error = math.sqrt(np.sum(weights**2))  # relative, from the effective sample size
    assert error < 0.02
    assert found.log_evidence == pytest.approx(
        float(logsumexp(total) - math.log(n)), abs=4 * error + 0.01
    )
    assert found.se < 0.02


def test_free_medians_meet_plain_monte_carlo():
    onsets = sampled(power_law(-1.0), n_runs=2, cv=0.5, alphas=(0.1, 0.02))
    rungs = group_rungs(onsets, ["alpha"])
    edges = [e for o in onsets for e in (o.lower, o.upper)]
    low, high = math.log(min(edges) / 10), math.log(max(edges) * 10)
    rng, n = np.random.default_rng(1), 300_000
    cv = np.exp(rng.uniform(*np.log(CV_RANGE), n))
    total = np.zeros(n)
    for rung in rungs:
        scale = np.exp(rng.uniform(low, high, n)) / gamma.ppf(0.5, cv**-2)
        for onset in rung.onsets:
            mass = gamma.sf(onset.lower, cv**-2, scale=scale)
            mass -= gamma.sf(onset.upper, cv**-2, scale=scale)
            total += np.log(np.maximum(mass, 1e-300))
    error = math.sqrt(np.sum(np.exp(2 * (total - logsumexp(total)))))
    found = free_evidence(rungs, tabulate(rungs))
    assert found.log_evidence == pytest.approx(
        float(logsumexp(total) - math.log(n)), abs=4 * error + 0.01
    )


def test_a_change_of_time_unit_changes_nothing():
    onsets = sampled(power_law(-1.0))
    hours = [Onset(o.lower * 0.01, o.upper * 0.01, o.conditions, o.run) for o in onsets]
    scaled = [
        OnsetHypothesis(n, power_law(e, 0.3)) for n, e in {"linear": -1.0, "flat": 0.0}.items()
    ]
    first = compare_onsets(onsets, [hypotheses()[0], hypotheses()[2]], ladder=["alpha"])
    second = compare_onsets(hours, scaled, ladder=["alpha"])
    for name in ("linear", FREE_MEDIANS):
        assert first.score(name).log_evidence == pytest.approx(
            second.score(name).log_evidence, abs=0.02
        )


@pytest.mark.parametrize("clock_sd", [0.1, UNKNOWN_CLOCK_SD])
@pytest.mark.parametrize("truth", ["linear", "quadratic"])
def test_the_generating_law_is_decided(truth, clock_sd):
    predict = next(h.predict for h in hypotheses() if h.name == truth)
    found = compare_onsets(sampled(predict, budget=1000.0), hypotheses(clock_sd), ladder=["alpha"])
    assert found.verdict.kind is OnsetVerdictKind.DECIDED
    assert found.verdict.mechanisms == (truth,)
    best = found.scores[0]
    assert best.name == truth and best.weight > 0.95 and best.log_evidence_se < 0.1
    assert best.clock == pytest.approx(1.0, abs=0.15) and best.cv == pytest.approx(0.15, abs=0.06)
    assert sum(score.weight for score in found.scores) == pytest.approx(1.0)
    assert FREE_MEDIANS in {score.name for score in found.scores}


def test_none_of_these_when_all_lose_to_free_medians():
    def bent(conditions):
        return {0.1: 300.0, 0.05: 20.0, 0.02: 900.0, 0.01: 60.0}[conditions["alpha"]]

    found = compare_onsets(sampled(bent), hypotheses(UNKNOWN_CLOCK_SD), ladder=["alpha"])
    assert found.verdict.kind is OnsetVerdictKind.NONE_OF_THESE
    assert "the reference (free medians) leads the best mechanism" in found.verdict.reason
    assert found.scores[0].name == FREE_MEDIANS


def test_laws_that_predict_the_same_are_tied():
    twins = [OnsetHypothesis(n, power_law(-1.0)) for n in ("one", "other")]
    found = compare_onsets(sampled(power_law(-1.0)), [*twins, hypotheses()[1]], ladder=["alpha"])
    assert found.verdict.kind is OnsetVerdictKind.TIED
    assert sorted(found.verdict.mechanisms) == ["one", "other"]
    triplets = [OnsetHypothesis(n, power_law(-1.0)) for n in "abc"]
    found = compare_onsets(sampled(power_law(-1.0)), triplets, ladder=["alpha"])
    assert found.verdict.kind is OnsetVerdictKind.INCONCLUSIVE


def test_few_censored_runs_decide_nothing():
    onsets = [Onset(40.0, math.inf, {"alpha": a}, "run") for a in (0.05, 0.04)]
    found = compare_onsets(onsets, hypotheses(UNKNOWN_CLOCK_SD)[:2], ladder=["alpha"])
    assert found.verdict.kind is OnsetVerdictKind.INCONCLUSIVE
    assert found.quantiles[0] == ((40.0, math.inf),) * 3


def test_censored_runs_count():
    # All runs at one rung outlast the budget: the law that puts their flips early is refuted.
    onsets = sampled(power_law(-2.0), budget=1000.0)
    assert all(o.censored for o in onsets if o.conditions["alpha"] == 0.01)
    kept = [o for o in onsets if not o.censored]
    full, dropped = (
        compare_onsets(data, hypotheses(UNKNOWN_CLOCK_SD), ladder=["alpha"])
        for data in (onsets, kept)
    )
    gaps = [
        c.score("quadratic").log_evidence - c.score("linear").log_evidence for c in (full, dropped)
    ]
    assert gaps[0] > gaps[1] + 1


def test_a_mechanism_without_an_onset_is_said_and_the_rest_goes_on():
    def nothing(conditions):
        raise NoOnset("no onset is implied at alpha = 0.1.")

    found = compare_onsets(
        sampled(power_law(-1.0)),
        [*hypotheses(), OnsetHypothesis("silent", nothing)],
        ladder=["alpha"],
    )
    silent = found.score("silent")
    assert silent.log_evidence is None and silent.weight == 0.0
    assert silent.doubts == ("no onset is implied at alpha = 0.1.",)
    assert found.verdict.mechanisms == ("linear",)
    assert "silent: out of the running" in found.verdict.reason
    alone = compare_onsets(
        sampled(power_law(-1.0)), [OnsetHypothesis("silent", nothing)], ladder=["alpha"]
    )
    assert alone.verdict.kind is OnsetVerdictKind.INCONCLUSIVE


def test_a_mechanism_that_could_not_be_computed_leaves_it_open():
    def fails(conditions):
        raise ValueError("the solver gave up at t = 3.")

    found = compare_onsets(
        sampled(power_law(-1.0)), [*hypotheses(), OnsetHypothesis("stiff", fails)], ladder=["alpha"]
    )
    assert found.score("stiff").failed
    assert found.verdict.kind is OnsetVerdictKind.INCONCLUSIVE
    assert "stiff could not be computed: the solver gave up" in found.verdict.reason


def test_a_mechanism_that_says_never_is_out_where_a_run_flipped():
    def never(conditions):
        return math.inf if conditions["alpha"] == 0.01 else 10.0 / conditions["alpha"]

    rivals = [*hypotheses(), OnsetHypothesis("never", never)]
    found = compare_onsets(sampled(power_law(-1.0)), rivals, ladder=["alpha"])
    assert found.score("never").log_evidence is None
    assert "implies no onset at alpha = 0.01, where" in found.score("never").doubts[0]
    censored = [o if o.conditions["alpha"] > 0.01 else Onset(50.0, math.inf, o.conditions)
                for o in sampled(power_law(-1.0))]  # fmt: skip
    assert (
        compare_onsets(censored, rivals, ladder=["alpha"]).score("never").log_evidence is not None
    )


def test_quantiles_meet_kaplan_and_meier():
    # Exact times as narrow brackets; deaths at 1, 2, 4 and losses at 3, 5: S(4) = 3/5 · 1/2.
    onsets = [Onset(t - 1e-6, t) for t in (1.0, 2.0, 4.0)]
    onsets += [Onset(t, math.inf) for t in (3.0, 5.0)]
    low, median, high = onset_quantiles(onsets, (0.35, 0.5, 0.75))
    assert low[1] == 2.0 and median[1] == 4.0 and high == (5.0, math.inf)


def test_wrong_ladders_are_refused():
    onsets = sampled(power_law(-1.0), n_runs=2)
    with pytest.raises(ValueError, match="does not carry the condition 'ratio'; it carries alpha"):
        compare_onsets(onsets, hypotheses(), ladder=["ratio"])
    with pytest.raises(ValueError, match="needs at least two rungs; there is 1"):
        compare_onsets(onsets[:2], hypotheses(), ladder=["alpha"])
    with pytest.raises(ValueError, match="distinct names other than 'free medians'"):
        compare_onsets(onsets, hypotheses()[:1] * 2, ladder=["alpha"])
    with pytest.raises(ValueError, match="clock_sd must be positive"):
        OnsetHypothesis("a", power_law(-1.0), 0.0)
    mixed = [Onset(o.lower, o.upper, {**o.conditions, "rate": i % 2}) for i, o in enumerate(onsets)]
    with pytest.raises(ValueError, match="differ in rate; add rate to the ladder"):
        compare_onsets(mixed, hypotheses(), ladder=["alpha"])
