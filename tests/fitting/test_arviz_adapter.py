"""Our posteriors in ArviZ, by the version that is installed and by the documented call of 1.x."""

import warnings
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fitting import arviz_adapter
from fitting.arviz_adapter import behind, major, to_arviz
from fitting.evidence import log_evidence
from fitting.fit import PosteriorFit
from fitting.loo import loo
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import arviz

T = np.linspace(0.1, 8, 40)
CURVE = Curve("x", T, 0.3 * T + 0.4 * np.random.default_rng(5).standard_normal(40))


def fitted(form: str, noise: str = "white") -> PosteriorFit:
    hypothesis = default_hypothesis(FORMS[form], NOISES[noise], CURVE)
    return log_evidence(hypothesis, CURVE, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def fits() -> dict[str, PosteriorFit]:
    return {"line": fitted("linear"), "flat": fitted("constant")}


@pytest.mark.skipif(major(arviz.__version__) >= 1, reason="InferenceData is of ArviZ 0.2x")
def test_arviz_scores_them_as_we_do(fits: dict[str, PosteriorFit]) -> None:
    data = to_arviz(fits, CURVE)
    draws = data["line"].posterior["slope"].values
    np.testing.assert_array_equal(
        draws[0], fits["line"].draws[:, fits["line"].names.index("slope")]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = arviz.compare(data, ic="loo")
    lag = behind(table, arviz.__version__)
    ours = {name: loo(fit, CURVE).elpd for name, fit in fits.items()}
    assert ours["line"] is not None and ours["flat"] is not None
    assert lag["line"] == 0.0
    # Ours is of every second draw: the two differ by the error of a mean over 500 draws, for
    # which the spread of the whole curve's likelihood is an upper bound.
    error = sum(
        fit.hypothesis.log_likelihood(fit.draws, CURVE).std() / np.sqrt(500)
        for fit in fits.values()
    )
    assert lag["flat"] == pytest.approx(ours["line"] - ours["flat"], abs=4 * error)


def test_the_sign_of_a_difference_does_not_depend_on_the_version() -> None:
    old = {"elpd_diff": {"best": 0.0, "worse": 4.9}}
    new = {"elpd_diff": {"best": -0.0, "worse": -4.9}}
    assert behind(old, "0.23.4") == behind(new, "1.3.0") == {"best": 0.0, "worse": 4.9}


def test_trees_are_asked_for_by_one_mapping(
    fits: dict[str, PosteriorFit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_dict(data: dict[str, Any]) -> dict[str, Any]:
        return data

    newer = SimpleNamespace(__version__="1.3.0", from_dict=from_dict)
    monkeypatch.setattr(arviz_adapter, "_arviz", lambda: newer)
    tree = to_arviz({"line": fits["line"]}, CURVE)["line"]
    assert set(tree) == {"posterior", "observed_data", "log_likelihood"}
    assert tree["log_likelihood"]["y"].shape == (1, len(fits["line"].draws), CURVE.n_obs)


def test_autocorrelated_noise_has_no_likelihood_of_points(fits: dict[str, PosteriorFit]) -> None:
    wander = default_hypothesis(FORMS["linear"], NOISES["ou_white"], CURVE)
    draws = np.ones((5, len(wander.names)))
    fit = replace(fits["line"], hypothesis=wander, names=wander.names, draws=draws)
    data = to_arviz({"wander": fit}, CURVE)["wander"]
    assert "log_likelihood" not in data


def test_what_cannot_be_handed_over_is_said(fits: dict[str, PosteriorFit]) -> None:
    empty = replace(fits["line"], draws=np.empty((0, 3)))
    with pytest.raises(ValueError, match="line has no posterior draws"):
        to_arviz({"line": empty}, CURVE)
    with pytest.raises(ValueError, match="fitted to another curve"):
        to_arviz(fits, Curve("x", T, CURVE.y + 1))
