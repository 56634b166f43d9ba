"""The toy model's gradient steps, compiled: on rows of data, or on a rollout by PPO."""

from __future__ import annotations

import math

from theory.curve import FloatArray, IntArray
from theory.native import native

BETA1, BETA2, EPS = 0.9, 0.999, 1e-5
"""Adam's, as CleanRL sets them."""


@native
def sgd_steps(
    w: FloatArray,
    features: IntArray,
    strengths: FloatArray,
    rows: IntArray,
    learning_rate: float,
    gradient: FloatArray,
    output: FloatArray,
) -> None:
    """Make one step a row of `rows`, each on the mean loss over the data that it names.

    Parameters
    ----------
    w : (3c,) array
        Parameters, W row by row, then b; changed.
    features, strengths : (n,) arrays
        The data.
    rows : (m, B) array
    learning_rate : float
    gradient, output : (3c,) and (c,) arrays
        Room to work in.
    """
    size = rows.shape[1]
    for step in range(rows.shape[0]):
        gradient[:] = 0.0
        for row in rows[step]:
            i, strength = features[row], strengths[row]
            _forward(w, i, strength, output)
            for j in range(output.size):
                error = output[j] - (strength if i == j else 0.0)
                if output[j] > 0:
                    _backward(w, i, j, strength, 2 * error / size, gradient)
        for d in range(w.size):
            w[d] -= learning_rate * gradient[d]


@native
def ppo_update(
    w: FloatArray,
    features: IntArray,
    strengths: FloatArray,
    normals: FloatArray,
    orders: IntArray,
    settings: FloatArray,
    moments: FloatArray,
    gradient: FloatArray,
    output: FloatArray,
    means: FloatArray,
    advantages: FloatArray,
) -> int:
    """Act once at every input, then learn of it; return how many ratios were clipped.

    Parameters
    ----------
    w : (3c,) array
        Parameters; changed.
    features, strengths : (N,) arrays
        The inputs.
    normals : (N, c) array
        Noise of the actions.
    orders : (E, M, B) array
        Minibatches of every epoch.
    settings : (5,) array
        learning_rate, action_sd, clip_coef, norm_adv and whether the optimizer is Adam.
    moments : (2, 3c + 1) array
        Adam's, each with the steps made at the end; changed.
    gradient, output, means, advantages : (3c,), (c,), (N, c) and (N,) arrays
        Room to work in.
    """
    learning_rate, sd, clip = settings[0], settings[1], settings[2]
    clipped = 0
    _act(w, features, strengths, normals, sd, means, advantages)
    for epoch in range(orders.shape[0]):
        for minibatch in range(orders.shape[1]):
            rows = orders[epoch, minibatch]
            center, scale = _normalization(advantages, rows, settings[3] > 0)
            gradient[:] = 0.0
            for row in rows:
                i, strength = features[row], strengths[row]
                _forward(w, i, strength, output)
                square = 0.0
                for j in range(output.size):
                    shift = (output[j] - means[row, j]) / sd
                    square += shift * (shift - 2 * normals[row, j])
                ratio = math.exp(-square / 2)
                advantage = (advantages[row] - center) / scale
                if (advantage > 0 and ratio > 1 + clip) or (advantage < 0 and ratio < 1 - clip):
                    clipped += 1
                    continue
                weight = -ratio * advantage / (sd * rows.size)
                for j in range(output.size):
                    if output[j] > 0:
                        away = normals[row, j] - (output[j] - means[row, j]) / sd
                        _backward(w, i, j, strength, weight * away, gradient)
            if settings[4] > 0:
                _adam_step(w, gradient, moments, learning_rate)
            else:
                for d in range(w.size):
                    w[d] -= learning_rate * gradient[d]
    return clipped


@native
def _act(
    w: FloatArray,
    features: IntArray,
    strengths: FloatArray,
    normals: FloatArray,
    sd: float,
    means: FloatArray,
    advantages: FloatArray,
) -> None:
    """Write the policy's means, and the rewards of its actions less their own means."""
    for row in range(features.size):
        i, strength = features[row], strengths[row]
        _forward(w, i, strength, means[row])
        above = 0.0
        for j in range(means.shape[1]):
            error = means[row, j] - (strength if i == j else 0.0)
            noise = sd * normals[row, j]
            above -= noise * (2 * error + noise) - sd * sd
        advantages[row] = above


@native
def _normalization(advantages: FloatArray, rows: IntArray, wanted: bool) -> tuple[float, float]:
    """Return what is subtracted from a minibatch's advantages, and what they are divided by."""
    if not wanted:
        return 0.0, 1.0
    total = square = 0.0
    for row in rows:
        total += advantages[row]
    mean = total / rows.size
    for row in rows:
        square += (advantages[row] - mean) ** 2
    return mean, math.sqrt(square / (rows.size - 1)) + 1e-8


@native
def _adam_step(
    w: FloatArray, gradient: FloatArray, moments: FloatArray, learning_rate: float
) -> None:
    """Move the parameters as Adam does (Kingma and Ba 2015)."""
    moments[:, -1] += 1
    steps = moments[0, -1]
    for d in range(w.size):
        moments[0, d] += (1 - BETA1) * (gradient[d] - moments[0, d])
        moments[1, d] += (1 - BETA2) * (gradient[d] ** 2 - moments[1, d])
        mean = moments[0, d] / (1 - BETA1**steps)
        root = math.sqrt(moments[1, d] / (1 - BETA2**steps))
        w[d] -= learning_rate * mean / (root + EPS)


@native
def _forward(w: FloatArray, i: int, strength: float, output: FloatArray) -> None:
    """Write the output for the feature i at a strength."""
    c = output.size
    for j in range(c):
        line = strength * (w[i] * w[j] + w[c + i] * w[c + j]) + w[2 * c + j]
        output[j] = max(line, 0.0)


@native
def _backward(
    w: FloatArray, i: int, j: int, strength: float, slope: float, gradient: FloatArray
) -> None:
    """Add what the output j, where it is positive, hands back to the parameters."""
    c = w.size // 3
    gradient[2 * c + j] += slope
    pull = slope * strength
    gradient[i] += pull * w[j]
    gradient[j] += pull * w[i]
    gradient[c + i] += pull * w[c + j]
    gradient[c + j] += pull * w[c + i]
