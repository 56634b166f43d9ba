"""Evidence by chains and bridge sampling: against quadrature and importance sampling."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

import fitting.compare as compare_module
from fitting.compare import compare
from fitting.doubts import doubts
from fitting.evidence import log_evidence
from fitting.fit import FitStatus, PosteriorFit
from fitting.sampling.cross_check import (
    BRIDGE,
    USELESS_ESS,
    bridge_evidence,
    cross_checked,
    gated,
    judged,
)
from fitting.sampling.target import Target
from fitting.screening import posteriors
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

Array = NDArray[np.float64]


def line() -> Curve:
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(0.1, 8, 30))
    return Curve("x", t, 0.3 * t + 0.4 * rng.standard_normal(30))


def steps(*places: float) -> Curve:
    t = np.linspace(0.1, 10, 60)
    y = sum(1 / (1 + np.exp(-3 * (t - place))) for place in places)
    return Curve("x", t, y + 0.05 * np.random.default_rng(8).standard_normal(60))


def test_a_line_agrees_with_quadrature() -> None:
    """Its floor and slope in closed form (tested apart), its one deviate by quadrature."""
    curve = line()
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], curve)
    target = Target(hypothesis, curve)

    def density(z: float) -> float:
        value = target.log_likelihood(target.sums(np.array([[z]])))[0]
        return float(np.exp(value - level) * norm.pdf(z))

    level = float(target.log_likelihood(target.sums(np.array([[0.75]])))[0])
    want = level + np.log(quad(density, -1, 3, limit=200)[0])
    options = {"draws": 200, "tune": 100}
    found = bridge_evidence(hypothesis, curve, rng=np.random.default_rng(0), **options)
    assert found.status is FitStatus.OK
    assert found.sampler == BRIDGE
    assert found.log_evidence is not None and found.log_evidence_se is not None
    assert abs(found.log_evidence - want) < 4 * found.log_evidence_se
    assert found.log_evidence_se < 0.05
    for scale, value in found.scaled_log_evidence.items():
        wide = default_hypothesis(FORMS["linear"], NOISES["white"], curve, scale=scale)
        direct = log_evidence(wide, curve, rng=np.random.default_rng(1))
        assert direct.log_evidence_se is not None
        assert abs(value - direct.log_evidence) < 4 * np.hypot(0.05, direct.log_evidence_se)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "noise", "places"),
    [
        ("logistic", "white", (5.0,)),
        ("double_logistic", "white", (3.0, 7.0)),
        ("logistic", "student_t", (5.0,)),
    ],
)
def test_bridge_and_importance_sampling_agree(
    form: str, noise: str, places: tuple[float, ...]
) -> None:
    """Ordered places among them, which count k! times in both."""
    curve = steps(*places)
    hypothesis = default_hypothesis(FORMS[form], NOISES[noise], curve)
    want = log_evidence(
        hypothesis, curve, rng=np.random.default_rng(50), draws=8000, precision=0.005
    )
    found = bridge_evidence(hypothesis, curve, rng=np.random.default_rng(0))
    assert want.status is FitStatus.OK and found.status is FitStatus.OK
    assert want.log_evidence is not None and want.log_evidence_se is not None
    assert found.log_evidence is not None and found.log_evidence_se is not None
    error = np.hypot(want.log_evidence_se, found.log_evidence_se)
    assert abs(found.log_evidence - want.log_evidence) < 4 * error
    a, b = hypothesis.standard(want.draws), hypothesis.standard(found.draws)
    spread = np.sqrt(a.var(axis=0) / min(want.ess, 1000) + b.var(axis=0) / found.ess)
    assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * spread)


def importance(log_evidence: float | None, status: FitStatus, ess: float = 100.0) -> PosteriorFit:
    hypothesis = default_hypothesis(FORMS["linear"], NOISES["white"], line())
    return PosteriorFit(
        hypothesis=hypothesis,
        curve_digest=line().digest,
        names=hypothesis.names,
        draws=np.zeros((5, len(hypothesis.names))),
        log_evidence=log_evidence,
        log_evidence_se=None if log_evidence is None else 0.3,
        ess=ess,
        pareto_k=0.9,
        sampler="collapsed adaptive importance sampling",
        log_likelihood_max=0.0,
        status=status,
    )


def test_only_what_matters_and_was_gated_is_sampled_again() -> None:
    well = importance(0.0, FitStatus.OK)
    near, far = (importance(v, FitStatus.HEAVY_WEIGHTS) for v in (-2.0, -20.0))
    nothing = importance(None, FitStatus.NO_SUPPORT)
    assert gated([well, near, far, nothing], margin=7.0) == [1]
    rngs = [np.random.default_rng(i) for i in range(3)]
    same = cross_checked([well, far, nothing], line(), rngs=rngs, margin=7.0)
    assert same == [well, far, nothing]


def test_a_comparison_without_failures_is_the_same_with_and_without_the_check() -> None:
    curve = line()
    hypotheses = [
        default_hypothesis(FORMS[form], NOISES["white"], curve) for form in ("constant", "linear")
    ]
    plain, checked = (
        compare(
            curve,
            hypotheses,
            rng=np.random.default_rng(3),
            with_forecast=False,
            cross_check=asked,
        )
        for asked in (False, True)
    )
    assert [s.log_evidence for s in plain.scores] == [s.log_evidence for s in checked.scores]
    assert BRIDGE not in {score.sampler for score in checked.scores}


def test_a_gated_candidate_of_a_comparison_is_sampled_again_if_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gate_all(*args: Any, **options: Any) -> list[tuple[PosteriorFit, Array]]:
        return [
            (replace(posterior, status=FitStatus.HEAVY_WEIGHTS), modes)
            for posterior, modes in posteriors(*args, **options)
        ]

    monkeypatch.setattr(compare_module, "posteriors", gate_all)
    curve = line()
    hypotheses = [default_hypothesis(FORMS["linear"], NOISES["white"], curve)]
    samplers = {}
    for asked in (False, True):
        rng = np.random.default_rng(3)
        found = compare(curve, hypotheses, rng=rng, with_forecast=False, cross_check=asked)
        samplers[asked] = found.scores[0].sampler
        assert (found.scores[0].status == "") == asked
    assert samplers[False] != BRIDGE
    assert samplers[True] == BRIDGE


def test_a_failed_check_leaves_a_rough_number_and_says_why() -> None:
    rough = importance(-3.0, FitStatus.HEAVY_WEIGHTS)
    failed = replace(importance(None, FitStatus.NOT_MIXED), sampler=BRIDGE)
    kept = judged(rough, failed)
    assert kept.log_evidence == -3.0
    assert kept.status is FitStatus.HEAVY_WEIGHTS
    assert FitStatus.NOT_MIXED in kept.remark
    assert kept.remark in doubts(kept.hypothesis, line(), None, kept)


def test_without_either_there_is_no_number() -> None:
    rough = importance(-3.0, FitStatus.FEW_EFFECTIVE_DRAWS, ess=0.5 * USELESS_ESS)
    failed = replace(importance(None, FitStatus.RUNS_DISAGREE), sampler=BRIDGE)
    gone = judged(rough, failed)
    assert gone.log_evidence is None and gone.log_evidence_se is None
    assert gone.status is FitStatus.RUNS_DISAGREE
    assert len(gone.draws) == 0


def test_chains_that_missed_what_importance_sampling_found_do_not_count() -> None:
    rough = importance(-3.0, FitStatus.HEAVY_WEIGHTS)
    low, high = (
        replace(importance(v, FitStatus.OK), sampler=BRIDGE) for v in (-3.0 - np.log(21), -5.0)
    )
    assert FitStatus.MISSED_MASS in judged(rough, low).remark
    assert judged(rough, high) is high
