import math
from dataclasses import replace

import numpy as np
import pytest

from empirics.curve_set import CurveSet, Rejected
from fitting.comparison import Comparison, Score
from fitting.estimate import Estimate
from fitting.fit import PointFit, PosteriorFit
from fitting.forecast import Forecast
from fitting.ladders.onset_law import Rung
from fitting.ladders.onsets import OnsetComparison, OnsetScore, OnsetVerdict, OnsetVerdictKind
from fitting.prior_draws import prior_draws
from fitting.stages import Peak, Stage, Stages
from fitting.verdict import Verdict, VerdictKind
from papers.curve_results import number
from papers.fitted_curves import display_grid
from papers.results import edge_doubts, ladder_json, read, to_json, write
from papers.schema import CURVE, CURVE_MORE
from theory.curve import Curve, Progress, Schedule
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import noises_for
from theory.onset import Onset

THETA = {"floor": 1.0, "gain": 2.0, "midpoint": 10.0, "rate": 0.8}
SD = 0.1


@pytest.fixture
def comparison():
    """Draws and points set by hand around a known logistic, so that every number is known."""
    t = np.arange(20.0)
    form = FORMS["logistic"]
    theta = np.array([THETA[name] for name in form.names])
    noise = np.random.default_rng(0).standard_normal(20)
    curve = Curve(
        "p_goal",
        t,
        form(t, theta) + SD * noise,
        progress=Progress.UPDATES,
        run="seed 1",
        run_id="a1",
        conditions={"alpha": 0.1, "beta": Schedule([0.0, 1.0], [2.0, 3.0])},
    )
    white = next(n for n in noises_for(curve) if n.name == "white")
    hypothesis = default_hypothesis(form, white, curve)
    full = np.array([*theta, SD])
    draws = np.tile(full, (101, 1))
    floor = hypothesis.names.index("floor")
    draws[:, floor] = np.linspace(0.5, 1.5, 101)
    point = PointFit(
        hypothesis, curve, hypothesis.names, full, full * 0,
        np.zeros((5, 5)), 17.5, 20, 5,
    )  # fmt: skip
    posterior = PosteriorFit(
        hypothesis, curve.digest, hypothesis.names, draws, 11.0, 0.02, 90.0, 0.1, "is", 17.0
    )
    good = Score(hypothesis, point, posterior, 11.0, 0.02, 0.9, None, math.nan, Family.SIGMOID)
    lost = Score(hypothesis, None, None, None, None, 0.0, doubts=("There is no evidence.",))
    verdict = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), ("logistic",), "It is sigmoid.")
    families = dict.fromkeys(Family, 0.0) | {Family.SIGMOID: 1.0}
    return Comparison(
        curve, (good, lost), families, families, {2.0: families}, None, None, verdict
    ), noise


def test_every_key_of_the_schema_is_there(comparison):
    entry = to_json("propose", [comparison[0]], None, {})["curves"][0]
    assert set(CURVE) | set(CURVE_MORE) - {"search"} <= set(entry)  # that only with --search
    assert entry["verdict"] == {
        "kind": "decided",
        "families": ["sigmoid"],
        "forms": ["logistic"],
        "reason": "It is sigmoid.",
    }
    assert entry["conditions"]["beta"] == {"t": [0.0, 1.0], "value": [2.0, 3.0]}
    assert entry["sensitivity"]["2"]["sigmoid"] == 1.0


def test_numbers_are_the_nouns_numbers(comparison):
    score = comparison[0].scores[0]
    first, lost = to_json("compare", [comparison[0]], None, {})["curves"][0]["candidates"]
    assert (first["form"], first["noise"], first["family"]) == ("logistic", "white", "sigmoid")
    assert first["aicc"] == score.aicc and first["bic"] == score.bic
    assert first["log_likelihood"] == 17.5 and first["n_free"] == 5
    assert first["elpd_forecast"] is None  # it was nan
    floor = first["parameters"]["floor"]
    assert floor["value"] == pytest.approx(1.0)
    assert (floor["lower"], floor["upper"]) == pytest.approx((0.525, 1.475))
    assert lost["log_evidence"] is None and lost["aicc"] is None
    assert lost["parameters"]["floor"] is None
    assert lost["doubts"] == ["There is no evidence."]


def fitted(comparison):
    return to_json("compare", [comparison], None, {})["curves"][0]["fitted"]


def test_band_of_the_average(comparison):
    found = fitted(comparison[0])
    t, form = np.array(found["t"]), FORMS["logistic"]
    theta = np.array([THETA[name] for name in form.names])
    median, lower, upper = (
        np.array(found["average"][name]) for name in ("median", "lower", "upper")
    )
    np.testing.assert_allclose(median, form(t, theta), rtol=1e-12)
    # The floor alone varies, evenly from 0.5 to 1.5 in steps of 0.01, of which the average takes
    # whole ones: the 95 % band is ±0.475 everywhere, up to one step.
    np.testing.assert_allclose(median - lower, 0.475, atol=0.01)
    np.testing.assert_allclose(upper - median, 0.475, atol=0.01)


def test_forms_come_by_weight_and_not_by_evidence(comparison):
    comparison = comparison[0]
    good = comparison.scores[0]
    linear = default_hypothesis(FORMS["linear"], good.hypothesis.noise, comparison.curve)
    draws = np.tile([5.0, 0.0, SD], (50, 1))
    flat = PosteriorFit(
        linear, comparison.curve.digest, linear.names, draws, 12.0, 0.02, 50.0, 0.1, "is", 17.0
    )
    copy = Score(linear, None, flat, 12.0, 0.02, 0.3, family=Family.NONE)
    both = replace(comparison, scores=(copy, replace(good, weight=0.7)))
    found = fitted(both)
    assert [(f["form"], f["weight"]) for f in found["forms"]] == [
        ("logistic", 0.7),
        ("linear", 0.3),
    ]
    # Seven tenths of the draws lie within [0.5, 3.5], three tenths at 5.
    assert max(found["average"]["median"]) < 3.5
    assert found["average"]["upper"] == pytest.approx([5.0] * len(found["t"]))


def test_nothing_fitted_is_null(comparison):
    assert fitted(replace(comparison[0], scores=())) is None
    without_draws = replace(comparison[0].scores[0], posterior=None)
    found = fitted(replace(comparison[0], scores=(without_draws,)))
    assert found["average"] is None and len(found["forms"]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "No forecast was asked for."),
        ({"scores": ()}, "No candidate could be fitted, so there is nothing to forecast from."),
    ],
)
def test_why_there_is_no_forecast(comparison, change, reason):
    entry = to_json("compare", [replace(comparison[0], **change)], None, {})["curves"][0]
    assert entry["forecast"] == {"baseline": None, "rmse_ratio": None, "reason": reason}


def test_a_forecast_is_its_nouns_numbers(comparison):
    ahead = Forecast("the naive one", 15, 5, (), (), 0.5, 0.75, 0.125, 0.25, coverage=0.8)
    entry = to_json("compare", [replace(comparison[0], forecast=ahead)], None, {})["curves"][0]
    assert entry["forecast"] == {
        "baseline": "the naive one",
        "n_train": 15,
        "n_test": 5,
        "baseline_rmse": 0.5,
        "rmse_ratio": 0.25,
        "average_ratio": 0.125,
        "best_ratio": 0.75,
        "coverage": 0.8,
        "reason": "",
    }


def turning(comparison, prominence, share=1.0):
    """The comparison with one stage and a turn; its leading family, sigmoid, has 0.8."""
    exact = Estimate(2.0, 0.1, 1.8, 2.2)
    depth = Estimate(prominence, 0.1, prominence - 0.2, prominence + 0.2)
    part = Estimate(share, 0.0, share, share)
    found = Stages((Stage(exact, exact, exact, part, exact),), 0.9, Peak(exact, exact, depth, 0.6))
    families = dict.fromkeys(Family, 0.05) | {Family.SIGMOID: 0.8}
    changed = replace(comparison[0], stages=found, family_probabilities=families)
    return to_json("compare", [changed], None, {})["curves"][0]


@pytest.mark.parametrize(("prominence", "kind"), [(0.5, "peak"), (-0.5, "trough")])
def test_a_turn_is_a_peak_or_a_trough(comparison, prominence, kind):
    assert turning(comparison, prominence)["peak"]["kind"] == kind


def test_the_probability_of_a_peak_counts_that_of_its_family(comparison):
    peak = turning(comparison, 0.5)["peak"]
    assert peak["family"] == "sigmoid"
    assert peak["probability_given_family"] == 0.6
    assert peak["probability"] == pytest.approx(0.6 * 0.8)


def test_a_share_is_at_most_one(comparison):
    stage = turning(comparison, 0.5, share=1.0 + 1e-9)["stages"][0]
    assert stage["share"] == 1.0 and stage["share_interval"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("clock", "cv", "doubted"),
    [(1.1, 0.2, []), (0.67, 0.2, ["clock"]), (1.0, 1.48, ["spread"]), (None, None, [])],
)
def test_a_clock_or_spread_at_the_edge_of_its_prior_is_doubted(clock, cv, doubted):
    # ln 0.67 = -0.40 is four prior sd of 0.1 from 0; 1.48 is the end of [0.03, 1.5].
    found = edge_doubts(clock, cv, 0.1)
    assert [word for word in ("clock", "spread") if word in " ".join(found)] == doubted
    assert all("4.0 prior sd" in doubt for doubt in found if "clock" in doubt)


def test_residuals_are_standardized(comparison):
    comparison, noise = comparison
    residuals = to_json("compare", [comparison], None, {})["curves"][0]["residuals"]
    np.testing.assert_allclose(residuals["values"], noise, rtol=1e-8)
    centered = noise - noise.mean()
    lag_1 = centered[1:] @ centered[:-1] / (centered @ centered)
    assert residuals["autocorrelation"][0] == pytest.approx(lag_1, rel=1e-8)
    # White noise of one size explains no correlation: before it is as after it.
    assert residuals["before"]["autocorrelation"] == pytest.approx(residuals["autocorrelation"])


def test_what_reading_left_out_is_kept(comparison):
    curve_set = CurveSet((), (Rejected("a", "b", "c."),), ("n.",))
    document = to_json("propose", [comparison[0]], curve_set, {"seed": 1}, study=None)
    assert document["rejected"] == [{"run": "a", "observable": "b", "reason": "c."}]
    assert document["notes"] == ["n."] and document["provenance"] == {"seed": 1}


@pytest.mark.parametrize(
    ("value", "expected"), [(1, 1.0), (None, None), (math.nan, None), (-math.inf, None)]
)
def test_a_number_that_is_none_is_null(value, expected):
    assert number(value) == expected


def test_the_grid_is_dense_where_the_points_are():
    t = np.geomspace(1.0, 1e6, 30)
    grid = display_grid(t)
    assert grid[0] == t[0] and grid[-1] == t[-1] and (np.diff(grid) > 0).all()
    assert all(((grid >= a) & (grid <= b)).sum() >= 5 for a, b in zip(t, t[1:], strict=False))
    np.testing.assert_array_equal(display_grid(np.array([3.0])), [3.0])


def test_a_ladder_of_onsets():
    rungs = tuple(
        Rung(
            (("alpha", alpha), ("salience_ratio", ratio)),
            (Onset(10 / alpha, 11 / alpha, run="a"), Onset(900.0, math.inf, run="b")),
        )
        for alpha in (0.1, 0.2)
        for ratio in (1.2, 2.0)
    )
    scores = (
        OnsetScore("delta", -3.0, 0.1, 0.99, (100.0, 120.0, 50.0, math.inf), 2.0, 0.3),
        OnsetScore("free medians", -9.0, 0.1, 0.01, (), None, 0.3),
    )
    verdict = OnsetVerdict(OnsetVerdictKind.DECIDED, ("delta",), "delta leads.")
    found = OnsetComparison(("alpha", "salience_ratio"), rungs, ((),) * 4, scores, verdict)
    ladder = ladder_json(found, title="x", unit="updates")
    assert ladder["onsets"][1] == {
        "condition": 0.1,
        "conditions": {"salience_ratio": 1.2},
        "facet": "salience ratio 1.2",
        "run": "b",
        "lower": 900.0,
        "upper": None,
    }
    assert ladder["predictions"] == [
        {
            "mechanism": "delta",
            "facet": "salience ratio 1.2",
            "condition": [0.1, 0.2],
            "median": [200.0, 100.0],
        },
        {
            "mechanism": "delta",
            "facet": "salience ratio 2.0",
            "condition": [0.1, 0.2],
            "median": [240.0, None],
        },
    ]
    assert [score["mechanism"] for score in ladder["scores"]] == ["delta", "free medians"]


def test_write_and_read(tmp_path, comparison):
    document = to_json("propose", [comparison[0]], None, {"seed": 1})
    path = write(tmp_path / "out", document)
    assert path == tmp_path / "out" / "results.json"
    assert read(tmp_path / "out") == read(path) == document
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]


def test_nan_is_never_written(tmp_path, document):
    document["provenance"]["nan"] = math.nan
    with pytest.raises(ValueError, match="Out of range"):
        write(tmp_path, document)
    assert list(tmp_path.iterdir()) == []


def test_prior_curves_are_those_of_the_leading_form_at_prior_draws(comparison):
    entry = to_json("propose", [comparison[0]], None, {})["curves"][0]
    prior, hypothesis = entry["prior"], comparison[0].scores[0].hypothesis
    assert prior["form"] == "logistic"
    draws = prior_draws(hypothesis, 512)
    np.testing.assert_allclose(prior["draws"], hypothesis.form(prior["t"], draws[:6]))
    values = hypothesis.form(prior["t"], draws)
    assert np.mean((values >= prior["lower"]) & (values <= prior["upper"])) == pytest.approx(
        0.95, abs=2 / 512
    )
