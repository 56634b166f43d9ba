"""ArviZ's view of our posteriors, and ours of its comparison, for 0.2x and 1.x alike.

Up to 0.23 `arviz.from_dict` takes groups as keywords and returns an `InferenceData`; from 1.0 on it
takes one mapping of groups and returns an xarray `DataTree`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from fitting.fit import PosteriorFit
from fitting.loo import autocorrelated
from theory.curve import Curve

FIRST_WITH_TREES = 1


def to_arviz(posterior_fits: Mapping[str, PosteriorFit], curve: Curve) -> dict[str, Any]:
    """Hand posteriors to ArviZ, by name.

    Parameters
    ----------
    posterior_fits
        Each with draws. They are equally weighted and count as one chain.
    curve
        What they were fitted to.

    Returns
    -------
    dict of str to arviz.InferenceData (ArviZ 0.2x) or xarray.DataTree (1.x)
        With the groups `posterior` and `observed_data`; `log_likelihood` of every point too where
        points are independent given the parameters. Ready for `arviz.compare`, `arviz.summary`.

    Raises
    ------
    ValueError
        If a posterior has no draws, or is of another curve.
    """
    return {name: _one(name, fit, curve) for name, fit in posterior_fits.items()}


def _one(name: str, fit: PosteriorFit, curve: Curve) -> Any:
    if len(fit.draws) == 0:
        raise ValueError(f"{name} has no posterior draws to hand over; {fit.status}")
    if fit.curve_digest != curve.digest:
        raise ValueError(f"{name} was fitted to another curve than {curve.observable}.")
    groups: dict[str, dict[str, Any]] = {
        "posterior": {n: fit.draws[None, :, i] for i, n in enumerate(fit.names)},
        "observed_data": {"y": np.asarray(curve.y)},
    }
    if not autocorrelated(fit.hypothesis):
        groups["log_likelihood"] = {"y": fit.hypothesis.pointwise(fit.draws, curve)[None]}
    return from_groups(groups)


def from_groups(groups: Mapping[str, Mapping[str, Any]]) -> Any:
    """Call `arviz.from_dict` as the installed version wants it."""
    arviz = _arviz()
    if major(arviz.__version__) >= FIRST_WITH_TREES:
        return arviz.from_dict(dict(groups))
    return arviz.from_dict(**groups)


def behind(compared: Any, version: str) -> dict[str, float]:
    """Nats by which each row of `arviz.compare` is behind the best, never negative.

    ArviZ 0.2x gives `elpd_diff` positive for the worse, 1.x negative.

    Parameters
    ----------
    compared
        The data frame that `arviz.compare` returns.
    version
        Of the ArviZ that made it (`arviz.__version__`).
    """
    sign = -1.0 if major(version) >= FIRST_WITH_TREES else 1.0
    # Adding zero turns the best one's -0 into 0.
    return {str(n): sign * float(d) + 0.0 for n, d in compared["elpd_diff"].items()}


def major(version: str) -> int:
    """First number of a version."""
    return int(version.split(".", 1)[0])


def _arviz() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0.23 announces its successor at import
        import arviz
    return arviz
