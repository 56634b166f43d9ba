"""Information criteria, counted our own way.

lmfit's ``aic`` and ``bic`` leave the noise parameters out of the count and assume white noise;
these take the log likelihood of the complete hypothesis and count every free parameter, noise
included. Lower is better for all three.
"""

import math


def aic(log_likelihood: float, n_free: int) -> float:
    """Akaike's criterion ``2 k - 2 ln L`` (Akaike 1974, eq. 2).

    Parameters
    ----------
    log_likelihood
        Maximum of the log likelihood, in nats.
    n_free
        Number of free parameters ``k``, noise parameters included.

    Returns
    -------
    float
        The criterion, in nats times two; lower is better.
    """
    _check_n_free(n_free)
    return 2.0 * n_free - 2.0 * log_likelihood


def aicc(log_likelihood: float, n_obs: int, n_free: int) -> float | None:
    """Akaike's criterion with the small-sample term (Hurvich and Tsai 1989, eq. 5).

    Parameters
    ----------
    log_likelihood
        Maximum of the log likelihood, in nats.
    n_obs
        Number of observations ``n``.
    n_free
        Number of free parameters ``k``, noise parameters included.

    Returns
    -------
    float or None
        ``aic + 2 k (k + 1) / (n - k - 1)``; None where ``n <= k + 1`` leaves it undefined.
    """
    _check_n_free(n_free)
    if n_obs <= n_free + 1:
        return None
    correction = 2.0 * n_free * (n_free + 1) / (n_obs - n_free - 1)
    return aic(log_likelihood, n_free) + correction


def bic(log_likelihood: float, n_obs: int, n_free: int) -> float:
    """Schwarz's criterion ``k ln n - 2 ln L`` (Schwarz 1978, eq. 2 times minus two).

    It is shown for reference only: as a stand-in for the evidence it is several nats off on a plain
    sigmoid.

    Parameters
    ----------
    log_likelihood
        Maximum of the log likelihood, in nats.
    n_obs
        Number of observations ``n``, at least 1.
    n_free
        Number of free parameters ``k``, noise parameters included.

    Returns
    -------
    float
        The criterion; lower is better.

    Raises
    ------
    ValueError
        If ``n_obs`` is below 1 or ``n_free`` below 0.
    """
    _check_n_free(n_free)
    if n_obs < 1:
        raise ValueError(f"n_obs must be at least 1 to compute BIC, got {n_obs}.")
    return n_free * math.log(n_obs) - 2.0 * log_likelihood


def _check_n_free(n_free: int) -> None:
    if n_free < 0:
        raise ValueError(f"n_free must be 0 or more, got {n_free}.")
