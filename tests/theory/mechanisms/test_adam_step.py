import math

import numpy as np
import pytest

from theory.mechanisms.adam_step import ADAM_STEP, forgetting

BETA1 = 0.9


def setting(p0, rate=1e-4, batch=8.0, beta_2=0.999):
    return {
        "initial_probability": p0,
        "learning_rate": rate,
        "batch_size": batch,
        "beta_2": beta_2,
    }


def local(low, high, **more):
    onsets = [ADAM_STEP.onset(setting(p0, **more), horizon=1e30) for p0 in (low, high)]
    return math.log(onsets[1] / onsets[0]) / math.log(high / low)


def adam(gradient, moments, update, rate, beta_2):
    """A step of Adam (Kingma and Ba 2015, algorithm 1), moments being changed."""
    moments[0] += (1 - BETA1) * (gradient - moments[0])
    moments[1] += (1 - beta_2) * (gradient**2 - moments[1])
    mean, square = moments[0] / (1 - BETA1**update), moments[1] / (1 - beta_2**update)
    return rate * mean / (np.sqrt(square) + 1e-12)


@pytest.mark.parametrize("seen", [0.05, 0.7, 6.0])
def test_forgetting_is_the_mean_over_poisson_times(seen):
    """With unit memory, past rewards at Poisson times of rate `seen` leave the sum of e^(-age)."""
    rng = np.random.default_rng(0)
    n, span = 40_000, 20.0
    counts = rng.poisson(seen * span, n)
    ages = rng.uniform(0, span, (n, counts.max()))
    past = np.sum(np.exp(-ages) * (np.arange(counts.max()) < counts[:, None]), axis=1)
    samples = math.sqrt(seen) / np.sqrt(1 + past)
    error = 4 * samples.std() / math.sqrt(n)
    assert float(forgetting(np.array(seen))) == pytest.approx(samples.mean(), abs=error)


def test_forgetting_has_its_limits():
    rare, frequent = forgetting(np.array([1e-8, 1e8]))
    assert rare == pytest.approx(1e-4, rel=1e-7)
    assert frequent == pytest.approx(1.0, rel=1e-7)
    assert forgetting(np.array(np.inf)) == 1.0


def test_local_exponents_of_the_three_regimes():
    # Batches hold rewards: the onset is ln((1 - p0)/p0)/(2 step).
    given = setting(1e-4, batch=1e9)
    assert ADAM_STEP.onset(given) == pytest.approx(math.log(9999) / 2e-4, rel=1e-3)
    # The memory does: relative corrections are sqrt(B p0) and 1/(λ p0).
    assert local(1e-5, 2e-5, beta_2=1 - 1e-8) == pytest.approx(-0.5, abs=math.sqrt(8 * 2e-5))
    # Neither does: the relative correction is of order sqrt(λ).
    assert local(1e-8, 2e-8) == pytest.approx(-1.0, abs=math.sqrt(8 * 2e-8 / 1e-3))
    stated = [local(p0 / 10, p0) for p0 in (1e-2, 1e-3, 1e-4)]
    assert stated == pytest.approx([-0.47, -0.54, -0.75], abs=0.006)  # stated to two digits


def test_a_lonely_reward_moves_the_logit_by_the_jump():
    rate, beta_2 = 1e-3, 0.9999
    for size in (1.0, 1e-3):
        moments, moved = np.zeros(2), 0.0
        # Bias corrections are over after 10 memories.
        for update in range(100_000, 100_600):
            moved += adam(size * (update == 100_000), moments, update, rate, beta_2)
        jump = ADAM_STEP.implications[1].where["jump"]
        at = {"learning_rate": rate, "step_factor": 1.0, "beta_2": beta_2}
        both = float(jump.subs({s: at[str(s)] for s in jump.free_symbols}))
        # The mean's memory is 1/(1 - beta1), so the mean square fades by that over its own.
        assert 2 * moved == pytest.approx(both, rel=(1 - beta_2) / (1 - BETA1))


@pytest.mark.parametrize(
    ("p0", "rate", "batch", "beta_2"),
    [
        (0.01, 5e-4, 65536, 0.99),
        (0.01, 5e-4, 20, 0.99),
        (1e-3, 1e-3, 8, 0.99),
        (3e-4, 2e-3, 8, 0.99),
    ],
    ids=["in batches", "in memory", "at the edge", "in neither"],
)
def test_onsets_are_those_of_the_algorithm(p0, rate, batch, beta_2):
    """Adam on REINFORCE with one rewarded arm of ten, run as it stands."""
    n, arms, rng = 32, 10, np.random.default_rng(1)
    logits = np.array([np.full(n, math.log(p0 / (1 - p0) * (arms - 1))), np.zeros(n)])
    moments, onset, update = np.zeros((2, 2, n)), np.full(n, np.inf), 0
    while np.any(np.isinf(onset)):
        update += 1
        p = 1 / (1 + (arms - 1) * np.exp(logits[1] - logits[0]))
        rewards = rng.binomial(batch, p) / batch
        gradient = rewards * (1 - p) * np.array([[1.0], [-1 / (arms - 1)]])
        logits += adam(gradient, moments, update, rate, beta_2)
        onset[(logits[0] - logits[1] >= math.log(arms - 1)) & np.isinf(onset)] = update
    predicted = ADAM_STEP.onset(setting(p0, rate, float(batch), beta_2))
    error = 4 * onset.std() / math.sqrt(n)
    # At growth s of p the mean square, of order p or p², lags by up to 2 s/(1 - beta_2) of itself:
    # the step is larger by half of that, so 1/(1 - beta_2) updates are saved for an e-fold.
    early = -math.log(p0) / (1 - beta_2)
    # A wait precedes its jump: half a jump is late. And beta1 has a memory, too.
    late = predicted * (rate / math.sqrt(1 - beta_2) + (1 - beta_2) / (1 - BETA1) / 2)
    assert predicted - early - error < onset.mean() < predicted + late + error
