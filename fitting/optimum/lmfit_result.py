"""A fit in lmfit's own terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lmfit
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fitting.fit import PointFit

FloatArray = NDArray[np.float64]


def lmfit_result(fit: PointFit) -> lmfit.minimizer.MinimizerResult | None:
    """Least squares of whitened residuals by lmfit, from an optimum that is already one.

    A parameter at the end of its range stays there.
    """
    hypothesis, curve = fit.hypothesis, fit.curve
    form, noise = hypothesis.form, hypothesis.noise
    if not noise.gaussian or not np.all(np.isfinite(fit.theta)):
        return None
    p = len(form.names)
    identity = np.eye(curve.n_obs)[None]
    whitener = noise.whiten(identity, curve, fit.theta[None, p:])[0][0].T
    parameters = lmfit.Parameters()
    for name, value in zip(form.names, fit.theta[:p], strict=True):
        low, high = (-np.inf, np.inf)
        if name not in form.linear:
            low, high = (float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
        near = 1e-6 * max(abs(low), abs(high)) if np.isfinite(low + high) else 0.0
        vary = low + near < value < high - near
        parameters.add(name, float(value), vary, low, high)

    def residuals(current: lmfit.Parameters) -> FloatArray:
        values = np.array([current[name].value for name in form.names])
        with np.errstate(all="ignore"):
            white = whitener @ (curve.y - np.asarray(form(curve.t, values)))
        # lmfit stops at the first nan; an impossible value only has to be worse.
        return np.asarray(np.nan_to_num(white, nan=1e6, posinf=1e6, neginf=-1e6))

    return lmfit.minimize(residuals, parameters, method="leastsq", ftol=1e-13, xtol=1e-13)
