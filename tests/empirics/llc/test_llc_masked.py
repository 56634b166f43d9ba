import pytest
import torch

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.mala import MALA
from empirics.llc.masked import masked

PLAN = ChainPlan(nbeta=100.0, num_chains=3, num_draws=40, num_burnin_steps=10)
MASK = torch.tensor([True, False, True])


def whole(w):
    return w[..., 0] ** 2 + (w[..., 1] * w[..., 2]) ** 2 + (w[..., 1] - 2) ** 2


def centers():
    return torch.tensor([[0.0, 2.0, 0.0], [0.0, 4.0, 0.0]], dtype=torch.float64)


def test_a_masked_reading_is_that_of_the_smaller_model(energy_of, origin):
    """The parameter held at 2 in one center and at 4 in the other, to the bit."""
    potential, at = masked(energy_of(whole, 3), MASK, centers())
    readings = estimate_llc(potential, at, MALA(5e-3), PLAN)

    def smaller(held):
        return energy_of(lambda w: w[..., 0] ** 2 + (held * w[..., 1]) ** 2 + (held - 2) ** 2, 2)

    for i, held in enumerate((2.0, 4.0)):
        expected = estimate_llc(smaller(held), origin(2, 2), MALA(5e-3), PLAN)
        assert readings[i] == expected[i]


def test_centers_in_turn_and_repeated_keep_their_own(energy_of):
    given = torch.tensor([1.0, 3.0], dtype=torch.float64)
    potential, at = masked(energy_of(whole, 3, given=given), MASK, centers())
    w = at[:, None] + 0.5
    energy = potential.energy(w)
    torch.testing.assert_close(potential.chunk(1, 2).energy(w[1:]), energy[1:], rtol=0, atol=0)
    twice = potential.repeat(2).energy(w.repeat_interleave(2, dim=0))
    torch.testing.assert_close(twice, energy.repeat_interleave(2, dim=0), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (torch.ones(2, dtype=torch.bool), "a mask must be 3 truth values"),
        (torch.ones(3), "a mask must be 3 truth values"),
        (torch.zeros(3, dtype=torch.bool), "a mask must leave at least one parameter free"),
    ],
)
def test_masks_that_do_not_fit(energy_of, sentence, mask, text):
    assert sentence(masked, energy_of(whole, 3), mask, centers()).startswith(text)
