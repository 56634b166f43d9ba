import math

import numpy as np
import pytest
from scipy.special import expit, logit

from theory.mechanisms.clipped_policy_gradient import CLIPPED_POLICY_GRADIENT as CLIPPED
from theory.mechanisms.clipped_policy_gradient import after_epochs


def setting(p0=0.01, rate=0.5, arms=10.0, epochs=10.0, clip=0.2):
    return {
        "initial_probability": p0,
        "learning_rate": rate,
        "n_arms": arms,
        "epochs": epochs,
        "clip_range": clip,
        "step_factor": 1.0,
    }


def onsets(p0, **more):
    return CLIPPED.onsets({**setting(**more), "initial_probability": np.asarray(p0, float)})


def passage(p0):
    """The onset between its whole updates, the logit taken as straight."""
    onset = CLIPPED.onset(setting(p0))
    before, after = logit(CLIPPED.integrate(setting(p0), np.array([onset - 1, onset]))[0][:, 0])
    return onset - after / (after - before)


def law(name, given):
    expression = CLIPPED.implications[0].where[name]
    return float(expression.subs({s: given[str(s)] for s in expression.free_symbols}))


@pytest.mark.parametrize("p", [0.004, 0.2, 0.7])
def test_an_update_is_that_of_the_clipped_objective(p):
    """All logits of five arms climb the surrogate, differentiated by finite differences."""
    rate, epochs, clip, arms, nudge = 0.4, 7, 0.1, 5, 1e-6
    logits = np.zeros(arms)
    logits[0] = logit(p) + math.log(arms - 1)

    def policy(x):
        return np.exp(x - np.logaddexp.reduce(x))

    old = policy(logits)
    advantage = (np.eye(arms)[0] - p) / math.sqrt(p * (1 - p))

    def surrogate(x):
        ratio = policy(x) / old
        clipped = np.clip(ratio, 1 - clip, 1 + clip)
        return old @ np.minimum(ratio * advantage, clipped * advantage)

    for _ in range(epochs):
        sides = [
            [surrogate(logits + side * nudge * e) for e in np.eye(arms)] for side in (1.0, -1.0)
        ]
        logits = logits + rate * (np.array(sides[0]) - np.array(sides[1])) / (2 * nudge)
    values = CLIPPED.values(setting(p, rate, float(arms), float(epochs), clip))
    # Central differences err by 1e-16/nudge, an epoch each.
    assert after_epochs(np.array([p]), values)[0] == pytest.approx(policy(logits)[0], abs=1e-8)


def test_far_below_the_clip_the_plateau_is_a_square_root():
    found = onsets([1e-6, 2e-6], rate=0.1, epochs=4.0)
    free = 10 / 9 * 0.1 * 4
    # Whole updates add a logarithm of 1/p0 to the square root.
    error = math.log(1e6) / found[0]
    assert found[0] == pytest.approx(2 / free / math.sqrt(1e-6), rel=error)
    assert math.log(found[1] / found[0]) / math.log(2) == pytest.approx(-0.5, abs=error)


@pytest.mark.parametrize("clip", [0.05, 0.2])
@pytest.mark.parametrize(("rate", "epochs"), [(0.5, 10.0), (0.1, 50.0), (1.0, 4.0)])
def test_where_the_clip_binds_the_onset_has_its_bound(rate, epochs, clip):
    binding = law("binding", setting(rate=rate, epochs=epochs, clip=clip))
    p0 = np.geomspace(binding, 0.4, 30)
    bound = np.log(1 / (2 * p0)) / math.log(1 + clip)
    assert np.all(onsets(p0, rate=rate, epochs=epochs, clip=clip) <= np.ceil(bound))
    below = onsets([binding / 30], rate=rate, epochs=epochs, clip=clip)
    assert below[0] > math.log(15 / binding) / math.log(1 + clip)


def test_stated_numbers_hold():
    p0 = np.geomspace(1e-3, 1e-2, 9)
    share = onsets(p0) / (np.log(1 / (2 * p0)) / math.log(1.2))
    whole = 1 / onsets(p0)  # onsets are whole updates
    assert np.all((share > 0.6 - whole) & (share < 0.7 + whole))
    assert law("binding", setting()) == pytest.approx(0.0013, abs=5e-5)
    for low, high, local in ((1e-6, 1e-5, -0.47), (3e-4, 3e-3, -0.27)):
        slope = math.log(passage(high) / passage(low)) / math.log(high / low)
        assert slope == pytest.approx(local, abs=0.005)  # stated to two digits


def test_the_clip_is_no_cap_on_growth():
    """Small steps, lest the last one overshoot: what remains is the push of the failures."""
    p, rate, epochs, clip = 0.01, 1e-3, 5000, 0.2
    values = CLIPPED.values(setting(p, rate, 2.0, float(epochs), clip))
    after = after_epochs(np.array([p]), values)[0]
    left = epochs - clip / (1 + clip) / (2 * rate * math.sqrt(p))  # once the ratio is 1.2
    push = 2 * rate * left * (1 + clip) * p**1.5
    excess = logit(after) - logit((1 + clip) * p)
    assert excess == pytest.approx(push, rel=5 * p)  # terms of relative order p are left out
    assert after > 1.2 * p


@pytest.mark.parametrize("rate", [0.25, 0.01], ids=["clipped", "free"])
def test_onsets_are_those_of_sampled_batches(rate):
    """Two arms, real batches with their own mean and standard deviation."""
    p0, batch, epochs, clip, n = 0.005, 4096, 10, 0.2, 200
    rng = np.random.default_rng(0)
    z, found = np.full(n, logit(p0)), np.full(n, np.inf)
    for update in range(1, 1000):
        p = expit(z)
        share = rng.binomial(batch, p) / batch
        spread = np.sqrt(share * (1 - share))
        for _ in range(epochs):
            now = expit(z)
            ratio, missed = now / p, (1 - now) / (1 - p)
            push = np.where(ratio <= 1 + clip, share * (1 - share) * ratio * (1 - now), 0.0)
            push += np.where(missed >= 1 - clip, (1 - share) * share * missed * now, 0.0)
            z = z + 2 * rate * np.divide(push, spread, out=np.zeros(n), where=spread > 0)
        found[(z >= 0) & np.isinf(found)] = update
        if np.all(np.isfinite(found)):
            break
    predicted = CLIPPED.onset(setting(p0, rate, 2.0, float(epochs), clip))
    error = 4 * found.std() / math.sqrt(n)
    # The mean standard deviation of a batch is smaller by 1/(8 B p); onsets are whole updates.
    assert found.mean() == pytest.approx(predicted, abs=error + 1 + predicted / (8 * batch * p0))
