import math

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from scipy.special import gamma

from theory.curve import Progress
from theory.mechanism import NoOnset
from theory.mechanisms.free_energy import CRITICAL, FREE_ENERGY

LOSS = 0.013
QUARTIC, QUADRATIC = 0.5, 40.0
"""Loss around a simple optimum, 0.5 w⁴ (coefficient 1/4), and around a better one, 40 w² (1/2)."""
VOLUME = math.log(2 * gamma(1.25) * QUARTIC**-0.25) - 0.5 * math.log(math.pi / QUADRATIC)


def setting(loss=LOSS, complexity=0.25, volume=VOLUME):
    return {"loss_gap": loss, "complexity_gap": complexity, "volume_gap": volume}


def critical(given):
    return float(CRITICAL.subs({s: given[s.name] for s in CRITICAL.free_symbols}).evalf())


def posterior_weight(n):
    """Return the posterior mass of the quadratic optimum, by integration over both charts."""
    simple, _ = quad(lambda w: math.exp(-n * (LOSS + QUARTIC * w**4)), -4, 4, epsrel=1e-11)
    better, _ = quad(
        lambda w: math.exp(-n * QUADRATIC * w**2), -4, 4, epsrel=1e-11, points=[-0.1, 0.1]
    )
    return better / (simple + better)


def test_the_weight_is_that_of_a_numerical_posterior():
    samples = np.array([30.0, 100.0, 218.0, 400.0, 900.0])
    states, _ = FREE_ENERGY.integrate(setting(), samples - 1)
    seen = FREE_ENERGY.observe("phase_weight", states, FREE_ENERGY.values(setting()))
    np.testing.assert_allclose(seen, [posterior_weight(n) for n in samples], rtol=1e-6)


def test_the_critical_number_halves_the_posterior_and_is_the_onset():
    found = critical(setting())
    assert posterior_weight(found) == pytest.approx(0.5, abs=1e-9)
    assert FREE_ENERGY.onset(setting()) == pytest.approx(found - 1, rel=1e-6)
    assert FREE_ENERGY.progress is Progress.SAMPLES


def test_what_a_sample_counts_for_sets_the_clock():
    colder = FREE_ENERGY.onset(setting() | {"sample_factor": 2.0})
    assert colder == pytest.approx((critical(setting()) - 1) / 2, rel=1e-6)


def test_no_knob_of_the_optimizer_enters():
    names = {q.name for q in FREE_ENERGY.quantities}
    assert not names & {"learning_rate", "step_factor", "initial_scale", "batch_size"}
    assert FREE_ENERGY.onset(setting() | {"learning_rate": 9.0}) == FREE_ENERGY.onset(setting())


@pytest.mark.parametrize("loss", [1e-2, 1e-4, 1e-6])
def test_local_slopes_in_the_loss_gap_are_as_stated(loss):
    given = setting(loss, 1.0, 0.5)
    n = critical(given)
    assert FREE_ENERGY.onset(given) == pytest.approx(n - 1, rel=1e-6)
    step = 1e-4
    slope = math.log(critical(setting(loss * (1 + step), 1.0, 0.5)) / n) / math.log1p(step)
    stated = -1 / (1 - 1 / (n * loss))
    assert slope == pytest.approx(stated, rel=1e-3)
    assert -2 < stated < -1


def test_a_phase_that_is_better_from_the_start_has_no_onset():
    with pytest.raises(NoOnset, match="from the start"):
        FREE_ENERGY.onset(setting(loss=1.0, complexity=0.25, volume=-0.5))


def test_the_critical_number_solves_its_equation():
    n = sympy.Symbol("n", positive=True)
    given = setting(0.02, 0.5, 0.3)
    root = sympy.nsolve(n * 0.02 - 0.5 * sympy.log(n) - 0.3, 200)
    assert critical(given) == pytest.approx(float(root), rel=1e-12)
