"""Frequencies of shapes and forms among runs, against cases known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta

from fitting.comparison import Comparison, Score
from fitting.propose import propose
from fitting.runs.over_runs import NO_FORMS, OverRuns, over_runs
from fitting.verdict import Verdict, VerdictKind, inconclusive
from theory.curve import Curve
from theory.family import Family
from theory.form import Form
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White

T = np.linspace(1.0, 40.0, 30)
UNIFORM = dict.fromkeys(Family, 0.2)
DECIDED = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), (), "It is sigmoid.", 0.99)
SURE = {Family.SIGMOID: 1.0}
NARROW = dict.fromkeys(Family, 0.0) | SURE


def judged(
    run: str,
    probabilities: dict[Family, float],
    verdict: Verdict = DECIDED,
    scores: tuple[Score, ...] = (),
    **conditions: float,
) -> Comparison:
    """The comparison of a curve whose probabilities are given; those not named are 0."""
    curve = Curve("success", T, np.sin(T), run=run, conditions=conditions)
    p = dict.fromkeys(Family, 0.0) | probabilities
    bands = {0.5: p, 2.0: p}
    return Comparison(curve, scores, p, p, bands, None, None, verdict, family_prior=dict(UNIFORM))


def frequency(found: OverRuns, name: str) -> float:
    effects = found.families
    assert effects is not None
    return float(effects.frequencies[effects.models.index(name)])


@pytest.mark.parametrize("n", [2, 5, 9])
def test_runs_all_sure_of_one_family_are_counted(n: int) -> None:
    found = over_runs([judged(f"seed {i}", SURE) for i in range(n)])
    effects = found.families
    assert effects is not None
    assert effects.models == tuple(map(str, Family))
    # Dirichlet(1, 1, 1, 1, 1) with n draws of one kind.
    assert frequency(found, "sigmoid") == pytest.approx((1 + n) / (5 + n), rel=1e-12)
    assert frequency(found, "none") == pytest.approx(1 / (5 + n), rel=1e-12)
    place = effects.models.index("sigmoid")
    assert effects.lower[place] == pytest.approx(beta.ppf(0.025, 1 + n, 4), rel=1e-9)
    assert effects.n_assigned("sigmoid") == n
    assert found.runs == tuple(f"seed {i}" for i in range(n))
    assert found.left_out == found.undecided == ()
    assert found.doubts == (NO_FORMS,)  # there are no scores


def test_only_families_in_the_running_are_compared() -> None:
    prior = dict.fromkeys(Family, 0.0) | {Family.NONE: 0.5, Family.SIGMOID: 0.5}
    runs = [replace(judged(f"seed {i}", SURE), family_prior=prior) for i in range(4)]
    found = over_runs(runs)
    assert found.families is not None and found.families.models == ("none", "sigmoid")
    assert frequency(found, "sigmoid") == pytest.approx(5 / 6, rel=1e-12)


def test_a_family_that_wider_priors_bring_into_the_running_counts() -> None:
    prior = dict.fromkeys(Family, 0.0) | {Family.NONE: 0.5, Family.SIGMOID: 0.5}
    wide = dict.fromkeys(Family, 0.0) | {Family.TRANSIENT: 1.0}
    one = replace(judged("", SURE), family_prior=prior, sensitivity={2.0: wide})
    found = over_runs([replace(one, curve=Curve("y", T, T, run=f"seed {i}")) for i in range(12)])
    assert found.families is not None
    assert found.families.sentence.startswith("Inconclusive: The lead of sigmoid")


def test_the_evidence_of_a_family_is_its_odds_against_its_prior() -> None:
    """Probabilities equal to an uneven prior say nothing: all are equally likely to lead."""
    prior = {f: p for f, p in zip(Family, (0.1, 0.2, 0.3, 0.15, 0.25), strict=True)}
    found = over_runs([replace(judged(f"seed {i}", prior), family_prior=prior) for i in range(3)])
    assert found.families is not None
    np.testing.assert_allclose(found.families.protected, 0.2, atol=1e-6)


def test_one_run_is_no_population() -> None:
    with pytest.raises(ValueError, match="at least 2 runs; got 1"):
        over_runs([judged("seed 0", SURE)])
    other = replace(judged("seed 1", SURE), curve=Curve("llc", T, T))
    with pytest.raises(ValueError, match="share their observable; got 'success' and 'llc'"):
        over_runs([judged("seed 0", SURE), other])


def test_runs_of_which_nothing_may_be_concluded_are_left_out_and_named() -> None:
    even = {Family.SIGMOID: 0.6, Family.SATURATING: 0.4}
    unsure = inconclusive("No one or two shapes hold 95 %.", 0.6)
    nothing = replace(judged("seed 4", {}), family_probabilities={}, sensitivity={}, scores=())
    runs = [
        judged("seed 0", SURE),
        judged("seed 1", SURE),
        judged("seed 2", even, unsure),
        judged("seed 3", SURE, inconclusive("The noise is wrong.")),
        replace(nothing, verdict=inconclusive("Y must vary.")),
    ]
    found = over_runs(runs)
    assert found.runs == ("seed 0", "seed 1", "seed 2")
    assert found.undecided == ("seed 2",)
    assert found.left_out == (("seed 3", "The noise is wrong."), ("seed 4", "Y must vary."))
    assert found.doubts[0].endswith(
        "2 of 5 runs (seed 3, seed 4). What is said holds for all runs only if these are like the "
        "others."
    )
    assert found.doubts[1].startswith("Without a decided shape of their own: 1 of 5 runs (seed 2)")
    too_few = over_runs(runs[2:])
    assert too_few.families is None and too_few.forms is None
    assert too_few.reason.startswith("Of 1 of 3 runs something may be concluded")


def test_a_lead_that_depends_on_the_priors_is_no_lead() -> None:
    agreed = [judged(f"seed {i}", SURE) for i in range(12)]
    effects = over_runs(agreed).families
    assert effects is not None and effects.sentence.startswith("sigmoid generated more runs")
    wide = dict.fromkeys(Family, 0.0) | {Family.SATURATING: 1.0}
    found = over_runs([replace(one, sensitivity={0.5: NARROW, 2.0: wide}) for one in agreed])
    assert found.families is not None
    assert found.families.sentence.startswith("Inconclusive: The lead of sigmoid among the runs")
    assert "width of the priors" in found.families.doubts[0]


def test_runs_under_different_conditions_are_said_to_be() -> None:
    runs = [judged(f"seed {i}", SURE, alpha=0.1 * i, seed=i) for i in range(3)]
    assert over_runs(runs).doubts[0] == (
        "The runs differ in alpha: frequencies are those of this mix of runs."
    )


def score(form: str, log_evidence: float | None) -> Score:
    curve = Curve("success", T, np.sin(T))
    hypothesis = default_hypothesis(FORMS[form], White(), curve)
    return Score(hypothesis, None, None, log_evidence, 0.01, 0.5)


def test_forms_are_compared_by_their_mean_over_noises() -> None:
    # Two noises of the logistic: the mean of their evidences, and not the better, counts.
    both = (score("logistic", 0.0), score("logistic", -2000.0), score("constant", -np.log(2)))
    runs = [judged(f"seed {i}", SURE, scores=both) for i in range(3)]
    forms = over_runs(runs).forms
    assert forms is not None and forms.models == ("logistic", "constant")
    np.testing.assert_allclose(forms.frequencies, 0.5, atol=1e-9)
    assert "no form generated more runs" in forms.sentence


def test_forms_without_an_evidence_somewhere_are_named() -> None:
    some = (score("logistic", 0.0), score("constant", -50.0), score("gompertz", -1.0))
    runs = [judged(f"seed {i}", SURE, scores=some) for i in range(3)]
    lost = (*some[:2], score("gompertz", None))
    forms = over_runs([*runs, judged("seed 3", SURE, scores=lost)]).forms
    assert forms is not None and forms.models == ("logistic", "constant")
    assert forms.doubts[-1].endswith("not compared: gompertz.")
    assert forms.frequencies[0] == pytest.approx(5 / 6, rel=1e-9)


def test_near_duplicates_do_not_change_the_frequencies_of_shapes() -> None:
    rng = np.random.default_rng(0)
    curves = [
        Curve("success", T, 1 / (1 + np.exp(-(T - m) / 3)) + 0.05 * rng.standard_normal(T.size))
        for m in (15.0, 20.0)
    ]
    forms = [FORMS["constant"], FORMS["logistic"], FORMS["exponential_approach"]]
    copies = [replace(FORMS["logistic"], name=f"logistic_{i}") for i in range(3)]

    def shapes(competing: list[Form]) -> NDArray[np.float64]:
        options = {"forms": competing, "noises": [White()], "seed": 0}
        families = over_runs([propose(curve, **options) for curve in curves]).families
        assert families is not None
        return families.frequencies

    np.testing.assert_allclose(shapes(forms), shapes([*forms, *copies]), atol=0.02)
