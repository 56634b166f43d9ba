import math

import numpy as np
import pytest

from theory.mechanisms.critical_period import CRITICAL_PERIOD


def setting(deficit, depth=2.0, noise=0.25, scale=0.05, rate=0.01):
    return {
        "deficit_duration": deficit,
        "depth": depth,
        "sensor_noise": noise,
        "learning_rate": rate,
        "initial_scale": scale,
    }


def seen(given, t, observable):
    states, _ = CRITICAL_PERIOD.integrate(given, np.array([0.0, *t]))
    return CRITICAL_PERIOD.observe(observable, states, CRITICAL_PERIOD.values(given))[1:]


def implied(name):
    return next(i for i in CRITICAL_PERIOD.implications if name in i.where).where[name]


def recovery(given, horizon=1e12):
    return CRITICAL_PERIOD.onset(given, horizon) - given["deficit_duration"]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("silent", [False, True])
def test_the_dynamics_are_the_mean_gradient_of_sampled_data(depth, silent):
    rng = np.random.default_rng(depth)
    n, noise = 200_000, 0.4
    target = rng.normal(size=n)
    inputs = target + math.sqrt(noise) * rng.normal(size=(2, n))
    if silent:
        inputs[1] = 0.0
    weights = np.array([0.8, 0.6])
    error = target - weights**depth @ inputs
    # One layer of a pathway passes the input on through the depth - 1 others.
    gradients = error * inputs * (weights ** (depth - 1))[:, None]
    given = setting(10.0, float(depth), noise, rate=1.0) | {"step_factor": 1.0}
    state = np.array([*weights, 5.0 if silent else 20.0])
    velocity = CRITICAL_PERIOD.velocity(state, CRITICAL_PERIOD.values(given))
    error_of_mean = gradients.std(axis=1) / math.sqrt(n)
    assert np.all(np.abs(gradients.mean(axis=1) - velocity[:2]) <= 4 * error_of_mean)


def test_descent_on_matrices_follows_the_mechanism():
    """Two pathways of two 3x3 layers, balanced and aligned: three copies of the same contest."""
    rng = np.random.default_rng(3)
    rate, noise, scale, deficit = 1e-3, 0.5, 0.2, 2500
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(4)]
    inner = [turns[0] @ turns[1].T * scale, turns[0] @ turns[2].T * scale]
    outer = [turns[3] @ turns[0].T * scale, turns[3] @ turns[0].T * scale]
    teacher = [turns[3] @ turns[1].T, turns[3] @ turns[2].T]  # of the latent, by either sensor
    kept = []
    for update in range(8001):
        maps = [b @ a for a, b in zip(inner, outer, strict=True)]
        strengths = [np.trace(m @ g.T) / 3 for m, g in zip(maps, teacher, strict=True)]
        if update % 2000 == 0 and update:
            kept.append(strengths)
        # The latent is turned into the first and second sensor by turns 1 and 2.
        common = turns[3] - maps[0] @ turns[1] - (update >= deficit) * maps[1] @ turns[2]
        errors = [common @ turns[1].T - noise * maps[0], common @ turns[2].T - noise * maps[1]]
        for i in range(1 + (update >= deficit)):
            up, down = outer[i].T @ errors[i], errors[i] @ inner[i].T
            inner[i], outer[i] = inner[i] + rate * up, outer[i] + rate * down
    given = setting(float(deficit), 2.0, noise, scale, rate)
    t = [2000.0, 4000.0, 6000.0, 8000.0]
    mean = [seen(given, t, name) for name in ("first_strength", "second_strength")]
    # Descent is ahead of flow by half a step times the largest rate, 2 (1 + v) rate, at most.
    np.testing.assert_allclose(np.array(kept).T, mean, atol=10 * rate)


def test_one_layer_forgets_a_deficit_at_a_fixed_rate():
    noise, rate, u_0 = 0.3, 0.01, 0.05
    for deficit in (20.0, 200.0, 900.0):
        given = setting(deficit, 1.0, noise, u_0, rate)
        first = 1 / (1 + noise) + (u_0 - 1 / (1 + noise)) * math.exp(-rate * (1 + noise) * deficit)
        later = np.array([0.0, 300.0, 1500.0])
        gap = seen(given, deficit + later, "first_strength")
        gap = gap - seen(given, deficit + later, "second_strength")
        np.testing.assert_allclose(
            gap, (first - u_0) * np.exp(-rate * noise * later), rtol=1e-5, atol=1e-7
        )


@pytest.mark.parametrize("deficit", [0.0, 50.0, 150.0, 400.0])
def test_without_noise_a_deficit_is_never_made_up_for(deficit):
    given = setting(deficit, 2.0, 0.0) | {"step_factor": 1.0}
    expression = implied("final_share")
    stated = float(expression.subs({s: given[s.name] for s in expression.free_symbols}))
    assert seen(given, [1e4, 1e5], "share") == pytest.approx([stated] * 2, rel=1e-5)


def test_the_plateau_of_two_layers_is_logarithmic_and_longer_by_what_is_left():
    """Where the first source has left v/(1 + v), a tenth of the start costs ln 10 of that rate."""
    noise, rate = 0.2, 0.01
    times = [recovery(setting(6000.0, 2.0, noise, scale, rate)) for scale in (1e-3, 1e-4)]
    alone = [recovery(setting(0.0, 2.0, noise, scale, rate), 1e9) for scale in (1e-3, 1e-4)]
    left = (1 + noise) / noise
    assert times[1] - times[0] == pytest.approx(math.log(10) * left / rate, rel=1e-3)
    assert alone[1] - alone[0] == pytest.approx(math.log(10) / rate, rel=1e-3)


@pytest.mark.parametrize("depth", [3.0, 4.0])
def test_the_plateau_of_more_layers_is_a_power_of_the_start(depth):
    noise, rate = 0.25, 1.0
    starts = np.array([1e-2, 3e-3])
    alone = starts ** (2 - depth) / (rate * (depth - 2))
    times = [
        recovery(setting(10 * one, depth, noise, scale, rate))
        for scale, one in zip(starts, alone, strict=True)
    ]
    # Beside 1/w0^(depth - 2) stands a constant of order one.
    np.testing.assert_allclose(
        times, alone * (1 + noise) / noise, rtol=5 * starts[0] ** (depth - 2)
    )
    law = next(i for i in CRITICAL_PERIOD.implications if i.condition == "initial_scale")
    limit = float(law.exponent.subs({s: depth for s in law.exponent.free_symbols}))
    slope = math.log(times[1] / times[0]) / math.log(starts[1] / starts[0])
    assert slope == pytest.approx(limit, abs=5 * starts[0] ** (depth - 2))


def test_the_recovery_is_inverse_in_the_noise():
    times = [recovery(setting(3000.0, 2.0, noise)) for noise in (2e-3, 1e-3)]
    assert times[1] / times[0] == pytest.approx(2.0, rel=5e-3)


def test_at_a_fixed_time_depth_makes_the_loss():
    """Long after, one layer is as if nothing had been; a deep pathway is still where it began.

    Four layers take 1/(2 rate w0²) = 20,000 updates to learn alone, and five times that to recover.
    """
    after = 6 / (0.01 * 0.25)
    for depth, deficit in ((1.0, 2000.0), (4.0, 60_000.0)):
        share = seen(setting(deficit, depth), [deficit + after], "share")[0]
        if depth == 1.0:
            # The gap starts below 1/(1 + v) and is divided by the sum, which is near 2/(2 + v).
            assert 0.5 - 0.5 * math.exp(-6) * 2.25 / 2.5 <= share < 0.5
        else:
            weight = (0.05**-2 - 2 * 0.01 * 0.25 / 1.25 * after) ** -0.5
            assert share == pytest.approx(weight**4 * 1.25, rel=1e-3)
