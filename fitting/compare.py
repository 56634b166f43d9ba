"""Compare hypotheses on one curve: evidence, criteria, families, doubts, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fitting.candidate import (
    Candidate,
    evidence_se,
    fitted,
    number,
    picked,
    scaled_log_evidence,
    shares,
    weighty_noises,
)
from fitting.comparison import Comparison, Score
from fitting.doubts import doubts
from fitting.families import (
    FamilyTable,
    prior_shapes,
    prior_shares,
)
from fitting.fit import PosteriorFit
from fitting.forecast import Forecast, forecast
from fitting.loo import loo
from fitting.obstacles import obstacles
from fitting.optimum.optima import Optima
from fitting.rate_check import checked
from fitting.redundancy import similarities
from fitting.runs.formation import formation
from fitting.sampling.cross_check import cross_checked
from fitting.screening import posteriors
from fitting.stages import Stages, stages
from fitting.threads import each
from fitting.verdict import judge
from theory.curve import Curve
from theory.family import Family, family_grid
from theory.hypothesis import Hypothesis, center_and_extent

FloatArray = NDArray[np.float64]

SCALES = (0.5, 2.0)
_FAMILIES = tuple(Family)
_REPLICATES = 200
_STAGE_DRAWS = 300
# Candidates whose evidence is this many nats behind have a weight below a thousandth.
_MARGIN = 7.0
_PRECISION = 0.03


def compare(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    *,
    rng: np.random.Generator,
    with_forecast: bool = True,
    cross_check: bool = False,
    optima: Optima | None = None,
    workers: int = 1,
) -> Comparison:
    """Compare complete hypotheses on one curve.

    Parameters
    ----------
    curve
        The data.
    hypotheses
        At least one. Hypotheses whose forms have the same name are alternatives of noise for one
        form.
    rng
        Drives the importance sampling and the Monte-Carlo error; the same state, the same result.
    with_forecast
        Whether to hold the forms against the first part of the curve too.
    cross_check
        Whether candidates that matter, but that importance sampling failed on, are sampled again
        by Hamiltonian chains and bridge sampling, 5 to 100 s each.
    optima
        The curve's least-squares fits, if some are there already.
    workers
        Threads; the result does not depend on it.

    Returns
    -------
    Comparison
        Its sensitivity band comes from the same draws: the evidence under priors of floor, gain
        and slope half and twice as wide is exact up to Monte-Carlo error in the collapsed
        posterior, posterior shares are kept.

    Raises
    ------
    ValueError
        If there is no hypothesis, or two have the same form and noise.
    """
    _check(hypotheses)
    # Small matrices gain nothing from more threads, and their last bits depend on the number.
    with threadpool_limits(1, user_api="blas"):
        return _compared(
            curve, hypotheses, rng, with_forecast, cross_check, optima or Optima(curve), workers
        )


def _compared(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    rng: np.random.Generator,
    with_forecast: bool,
    cross_check: bool,
    optima: Optima,
    workers: int,
) -> Comparison:
    grid = family_grid(curve.t)
    extent = center_and_extent(curve)[1]
    *own, for_replicates, for_forecast, for_rates, for_check = rng.spawn(len(hypotheses) + 4)
    found = _sampled(curve, hypotheses, own, for_check if cross_check else None, optima, workers)
    candidates = each(
        lambda one: fitted(one[0], curve, grid, extent, *one[1]),
        zip(hypotheses, found, strict=True),
        workers=workers,
    )
    table, wider = _tables(candidates, curve, extent)
    joint = table.joint()
    weights = joint.sum(axis=1)
    scores = [_score(c, curve, float(w)) for c, w in zip(candidates, weights, strict=True)]
    ahead = None
    if with_forecast and weights.sum() > 0:
        ahead = forecast(curve, hypotheses, rng=for_forecast, workers=workers)
    scores = [_with_forecast(score, ahead, i) for i, score in enumerate(scores)]
    replicates = np.array(
        [table.perturbed(for_replicates).probabilities() for _ in range(_REPLICATES)]
    )
    bands = [(scale, t.probabilities()) for scale, t in wider]
    forms = _form_weights(candidates, weights)
    failures = obstacles(curve, candidates, weights)
    probabilities = joint.sum(axis=0)
    known = probabilities.sum() > 0
    found_stages = _stages(candidates, joint, grid, extent) if known else None
    verdict = checked(
        judge(probabilities, replicates, bands, forms, failures),
        curve,
        found_stages.stages if found_stages else (),
        weighty_noises(candidates, weights),
        rng=for_rates,
    )
    return Comparison(
        curve=curve,
        scores=tuple(sorted(scores, key=_rank)),
        family_probabilities=_named(probabilities) if known else {},
        family_se=_named(replicates.std(axis=0)) if known else {},
        sensitivity={scale: _named(p) for scale, p in bands if known},
        stages=found_stages,
        forecast=ahead,
        verdict=verdict,
        notes=_notes(curve, candidates),
        family_prior=_named(table.family_prior()) if known else {},
        formation=formation(candidates, joint, grid) if known else None,
    )


def _sampled(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    rngs: Sequence[np.random.Generator],
    for_check: np.random.Generator | None,
    optima: Optima,
    workers: int,
) -> list[tuple[PosteriorFit, FloatArray]]:
    """Sample every hypothesis, each with its generator; with another for cross-checks, if asked."""
    for hypothesis in hypotheses:
        hypothesis.form.compile()
    found = posteriors(
        curve,
        hypotheses,
        rngs=rngs,
        margin=_MARGIN,
        precision=_PRECISION,
        optima=optima,
        workers=workers,
    )
    if for_check is None:
        return found
    again = cross_checked(
        [posterior for posterior, _ in found],
        curve,
        rngs=for_check.spawn(len(found)),
        margin=_MARGIN,
    )
    return [(one, modes) for one, (_, modes) in zip(again, found, strict=True)]


def _check(hypotheses: Sequence[Hypothesis]) -> None:
    if not hypotheses:
        raise ValueError("a comparison needs at least one hypothesis, got none.")
    names = [h.name for h in hypotheses]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each form and noise may be compared once; given twice: {twice}.")


def _tables(
    candidates: Sequence[Candidate], curve: Curve, extent: float
) -> tuple[FamilyTable, list[tuple[float, FamilyTable]]]:
    """Family tables at the nominal priors and at those half and twice as wide."""
    names = list(dict.fromkeys(c.hypothesis.form.name for c in candidates))
    first = [next(c.hypothesis for c in candidates if c.hypothesis.form.name == n) for n in names]
    shapes = [prior_shapes(h, curve.t) for h in first]
    table = FamilyTable(
        form_of=np.array([names.index(c.hypothesis.form.name) for c in candidates], dtype=np.intp),
        log_evidence=np.array([number(c.posterior.log_evidence, -np.inf) for c in candidates]),
        log_evidence_se=np.array([evidence_se(c.posterior) for c in candidates]),
        posterior=np.array([shares(c) for c in candidates]),
        prior=np.array([prior_shares(s, curve.t, scale=extent) for s in shapes]),
        similarity=similarities(first, curve.t),
        draws=np.array([max(1.0, min(c.posterior.ess, len(c.codes))) for c in candidates]),
    )
    wider = []
    for scale in SCALES:
        logs = [scaled_log_evidence(c.posterior, scale) for c in candidates]
        # Wider gains are the same shapes on a larger scale, hence fewer flat ones.
        prior = np.array([prior_shares(s, curve.t, scale=extent / scale) for s in shapes])
        wider.append((scale, replace(table, log_evidence=np.array(logs), prior=prior)))
    return table, wider


def _score(candidate: Candidate, curve: Curve, weight: float) -> Score:
    hypothesis, posterior, point = candidate.hypothesis, candidate.posterior, candidate.point
    left_out = loo(posterior, curve)
    found = doubts(hypothesis, curve, point, posterior)
    reason = (f"{left_out.reason} (elpd_loo).",) if left_out.reason else ()
    score = Score(
        hypothesis=hypothesis,
        point=point,
        posterior=posterior,
        log_evidence=posterior.log_evidence,
        log_evidence_se=posterior.log_evidence_se,
        weight=weight,
        family=_FAMILIES[int(shares(candidate).argmax())] if len(candidate.codes) else None,
        elpd_loo=left_out.elpd,
        doubts=(*found, *reason),
    )
    unknown = ", ".join(name for name, value in score.parameters.items() if value is None)
    if not unknown:
        return score
    return replace(score, doubts=(f"Not determined by the point fit: {unknown}.", *score.doubts))


def _with_forecast(score: Score, ahead: Forecast | None, i: int) -> Score:
    value = None if ahead is None else ahead.elpd[i]
    if value is not None:
        return replace(score, elpd_forecast=value)
    why = "The forecast was not asked for."
    if ahead is not None:
        why = f"{ahead.why_not[i]}." if ahead.why_not else ahead.reason
    return replace(score, doubts=(*score.doubts, f"{why[:-1]} (elpd_forecast)."))


def _rank(score: Score) -> tuple[float, float]:
    return -number(score.log_evidence, -np.inf), number(score.aicc, np.inf)


def _form_weights(candidates: Sequence[Candidate], weights: FloatArray) -> list[tuple[str, float]]:
    total: dict[str, float] = {}
    for candidate, weight in zip(candidates, weights, strict=True):
        name = candidate.hypothesis.form.name
        total[name] = total.get(name, 0.0) + float(weight)
    return sorted(total.items(), key=lambda pair: -pair[1])


def _stages(
    candidates: Sequence[Candidate], joint: FloatArray, grid: FloatArray, extent: float
) -> Stages | None:
    """Stages of the posterior mixture of candidates, within the leading family."""
    family = int(joint.sum(axis=0).argmax())
    share = joint[:, family] / joint[:, family].sum()
    parts = []
    for candidate, part in zip(candidates, share, strict=True):
        curves = picked(candidate, family, round(_STAGE_DRAWS * float(part)))
        if len(curves):
            parts.append(curves)
    return stages(grid, np.concatenate(parts), scale=extent) if parts else None


def _named(values: FloatArray) -> Mapping[Family, float]:
    return {family: float(v) for family, v in zip(_FAMILIES, values, strict=True)}


def _notes(curve: Curve, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    found = [
        "Priors take their scale from the range of this curve (empirical Bayes); the band shows "
        "those of floor, gain and slope half and twice as wide."
    ]
    known = any("window" in candidate.hypothesis.noise.names for candidate in candidates)
    if curve.window is not None and curve.window > 1 and not known:
        found.append(
            f"The log is a moving average over {curve.window}; of the noises only moving_average "
            "knows that."
        )
    if curve.n_obs < 20:
        found.append(f"{curve.n_obs} points say little about a shape.")
    return tuple(found)
