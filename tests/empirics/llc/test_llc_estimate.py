import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from empirics.llc import estimate
from empirics.llc.chains import ChainPlan, draw_chains
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.mala import MALA
from empirics.llc.sgld import SGLD, RMSProp

SAMPLERS = [
    SGLD(5e-3),
    SGLD(5e-4, preconditioner=RMSProp()),
    SGLD(5e-4, preconditioner=RMSProp(keeps_adapting=True)),
    MALA(2e-2),
    HMC(5e-3, num_leapfrog_steps=3),
]
NAMES = ["SGLD", "RMSProp", "RMSProp that adapts", "MALA", "HMC"]
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=NAMES)
SHORT = ChainPlan(nbeta=100.0, num_chains=3, num_draws=40, num_burnin_steps=20)


def bowl(w):
    """Return an energy with steep, flat and coupled directions."""
    return (w[..., 0] ** 2 + w[..., 1] ** 4 + (w[..., 2] * w[..., 0]) ** 2) / 2


def same(reading, other, *but):
    """Compare all fields except some."""
    return replace(reading, **{name: getattr(other, name) for name in but}) == other


@every_sampler
def test_a_seed_is_a_result(energy_of, origin, sampler):
    potential = energy_of(bowl, 3)
    first, again, other = (
        estimate_llc(potential, origin(3), sampler, SHORT, seed=s)[0] for s in (1, 1, 2)
    )
    assert first == again
    assert first.llc != other.llc


@pytest.mark.parametrize(
    "sampler", [s for s in SAMPLERS if getattr(s, "preconditioner", 1) in (None, 1)]
)
def test_energy_times_c_at_nbeta_over_c_is_the_same_to_the_bit(energy_of, origin, sampler):
    (reading,) = estimate_llc(energy_of(bowl, 3), origin(3), sampler, SHORT)
    plan = replace(SHORT, nbeta=SHORT.nbeta / 8)
    (scaled,) = estimate_llc(energy_of(lambda w: 8 * bowl(w), 3), origin(3), sampler, plan)
    assert scaled.nbeta == reading.nbeta / 8
    assert same(scaled, reading, "nbeta", "gradient_norm", "init_loss")


@every_sampler
def test_a_constant_in_the_energy_changes_nothing_but_rounding(energy_of, origin, sampler):
    """Energies near 1024 are rounded by 2^-43, and weighed with nbeta; so is every acceptance."""
    (reading,) = estimate_llc(energy_of(bowl, 3), origin(3), sampler, SHORT)
    (lifted,) = estimate_llc(energy_of(lambda w: bowl(w) + 1024, 3), origin(3), sampler, SHORT)
    assert lifted.init_loss == 1024.0
    assert lifted.llc == pytest.approx(reading.llc, abs=4 * SHORT.nbeta * 2.0**-43)


@every_sampler
def test_scales_that_go_with_a_reparametrization_leave_every_bit(energy_of, origin, sampler):
    a = torch.tensor([2.0, 0.25, 2.0**7], dtype=torch.float64)
    (reading,) = estimate_llc(energy_of(bowl, 3), origin(3), sampler, SHORT)
    moved = energy_of(lambda w: bowl(w / a), 3)
    (scaled,) = estimate_llc(moved, origin(3), sampler, SHORT, scales=a)
    assert scaled == reading


def test_without_scales_a_reparametrization_changes_the_reading(energy_of, origin):
    (reading,) = estimate_llc(energy_of(bowl, 3), origin(3), MALA(2e-2), SHORT)
    (moved,) = estimate_llc(energy_of(lambda w: bowl(w / 4), 3), origin(3), MALA(2e-2), SHORT)
    assert moved.llc != pytest.approx(reading.llc, rel=0.01)


@every_sampler
def test_a_center_does_not_know_those_beside_it(energy_of, sampler):
    """Each has its own seed, by its place; company and chunks change no bit."""
    centers = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 3.0]]).double()
    potential = energy_of(bowl, 3)
    together = estimate_llc(potential, centers, sampler, SHORT)
    assert estimate_llc(potential, centers[:1], sampler, SHORT)[0] == together[0]
    elsewhere = centers.clone()
    elsewhere[0] = 5.0
    assert estimate_llc(potential, elsewhere, sampler, SHORT)[1:] == together[1:]


def test_chunks_of_centers_and_their_own_fields_change_no_bit(energy_of, origin, monkeypatch):
    given = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0], dtype=torch.float64)
    potential = energy_of(bowl, 3, given=given)
    scales = torch.rand(5, 3, generator=torch.manual_seed(0), dtype=torch.float64) + 0.5
    args = (potential, origin(3, 5), MALA(1e-2), SHORT)
    together = estimate_llc(*args, scales=scales)
    monkeypatch.setattr(estimate, "AT_ONCE", 2 * 3 * SHORT.num_chains)
    assert estimate_llc(*args, scales=scales) == together


def test_settings_of_each_center_are_those_of_a_plan(energy_of, origin):
    """A sweep repeats a center with other settings."""
    potential, seed = energy_of(bowl, 3), np.random.SeedSequence(5)
    settings = [(50.0, 1.0, 1e-3), (200.0, 0.0, 2e-3)]
    nbeta, localization, step_size = np.array(settings).T
    swept = draw_chains(
        potential, origin(3, 2), SGLD(1.0), SHORT, seeds=[seed, seed],
        nbeta=nbeta, localization=localization, step_size=step_size,
    )  # fmt: skip
    for i, (warmth, pull, size) in enumerate(settings):
        plan = replace(SHORT, nbeta=warmth, localization=pull)
        alone = draw_chains(potential, origin(3), SGLD(size), plan, seeds=[seed])
        np.testing.assert_array_equal(swept.excess[i], alone.excess[0])


def test_draws_are_counted_after_burn_in_and_between_draws(energy_of, origin):
    seed = np.random.SeedSequence(5)
    args = (energy_of(bowl, 3), origin(3), SGLD(1e-3))
    every = replace(SHORT, num_draws=60, num_burnin_steps=0)
    some = replace(SHORT, num_draws=10, num_burnin_steps=20, num_steps_bw_draws=4)
    told = []
    all_moves, drawn = (
        draw_chains(
            *args, plan, seeds=[seed], keep_positions=True, told=lambda *at: told.append(at)
        )
        for plan in (every, some)
    )
    np.testing.assert_array_equal(drawn.positions, all_moves.positions[:, :, 23::4])
    np.testing.assert_array_equal(drawn.excess, all_moves.excess[:, :, 23::4])
    np.testing.assert_array_equal(drawn.final, all_moves.final)
    assert told == [(60, 60), (60, 60)]


def test_an_energy_of_exactly_zero_is_a_value(energy_of, quadratic, origin):
    """The usual check of a missing value takes it for none; here another center differs by 1."""
    (zero,) = estimate_llc(energy_of(quadratic([1.0]), 1, 1000), origin(1), SGLD(1e-3), SHORT)
    assert zero.init_loss == 0.0
    lifted = energy_of(lambda w: quadratic([1.0])(w) + 1.0, 1, 1000)
    (one,) = estimate_llc(lifted, origin(1), SGLD(1e-3), SHORT)
    assert zero.llc == pytest.approx(one.llc, abs=4 * SHORT.nbeta * 2.0**-52)


def test_nbeta_is_n_over_its_logarithm(energy_of, quadratic, origin):
    plan = replace(SHORT, nbeta=None)
    (reading,) = estimate_llc(energy_of(quadratic([1.0]), 1, 5000), origin(1), SGLD(1e-4), plan)
    assert reading.nbeta == 5000 / math.log(5000)


def test_whole_numbers_are_a_center(energy_of, quadratic):
    potential = energy_of(quadratic([1.0, 1.0]), 2, 1000)
    (reading,) = estimate_llc(potential, torch.tensor([0, 0]), SGLD(1e-3), SHORT)
    assert reading.num_parameters == 2


class TestMistakes:
    def says(self, sentence, potential, centers, plan=SHORT, sampler=None, **options):
        return sentence(estimate_llc, potential, centers, sampler or SGLD(1e-3), plan, **options)

    def test_nbeta_and_n_missing(self, sentence, energy_of, quadratic, origin):
        potential = energy_of(quadratic([1.0]), 1)
        text = self.says(sentence, potential, origin(1), replace(SHORT, nbeta=None))
        assert text.startswith("nbeta is missing, and num_samples of function is None; give nbeta")

    def test_another_architecture(self, sentence, energy_of, quadratic, origin):
        text = self.says(sentence, energy_of(quadratic([1.0]), 1), origin(4))
        assert "is over 1 parameters; the centers have shape (1, 4)" in text

    def test_fields_for_other_centers(self, sentence, energy_of, quadratic, origin):
        potential = energy_of(quadratic([1.0]), 1, given=torch.ones(3))
        text = self.says(sentence, potential, origin(1, 2))
        assert text == "given of function is for 3 centers; there are 2."

    def test_no_gradient(self, sentence, energy_of, origin):
        text = self.says(sentence, energy_of(lambda w: w.detach().sum(-1), 1), origin(1))
        assert text.startswith("function has no gradient; it must depend on the parameters")

    def test_no_rows_for_minibatches(self, sentence, energy_of, quadratic, origin):
        potential = energy_of(quadratic([1.0]), 1)
        text = self.says(sentence, potential, origin(1), sampler=SGLD(1e-3, rows_per_move=5))
        assert text == "this potential has no rows to draw minibatches from; use all of it."

    @pytest.mark.parametrize(
        ("scales", "text"),
        [
            (torch.ones(3), "scales must be (2,) or (1, 2); they are (3,)."),
            (torch.tensor([1.0, 0.0]), "scales must be positive; the smallest is 0.0."),
        ],
    )
    def test_scales(self, sentence, energy_of, quadratic, origin, scales, text):
        potential = energy_of(quadratic([1.0, 1.0]), 2)
        assert self.says(sentence, potential, origin(2), scales=scales) == text

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"nbeta": [1.0]}, "nbeta must be one number a center, (2,); it is (1,)."),
            ({"nbeta": [1.0, 0.0]}, "nbeta must be positive and finite; that of center 1 is 0.0."),
            (
                {"localization": [-1.0, 0.0]},
                "localization must be finite and not negative; that of center 0 is -1.0.",
            ),
            (
                {"step_size": [1.0, math.nan]},
                "step_size must be positive and finite; that of center 1 is nan.",
            ),
        ],
    )
    def test_settings_of_centers(self, sentence, energy_of, quadratic, origin, settings, text):
        potential, seeds = energy_of(quadratic([1.0]), 1), np.random.SeedSequence(0).spawn(2)
        said = sentence(
            draw_chains, potential, origin(1, 2), SGLD(1e-3), SHORT, seeds=seeds, **settings
        )
        assert said == text

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"nbeta": 0.0}, "nbeta must be positive and finite; it is 0.0."),
            ({"localization": -1.0}, "localization must not be negative; it is -1.0."),
            ({"num_chains": 0}, "num_chains must be at least 1; it is 0."),
            ({"num_draws": 3}, "num_draws must be at least 4; it is 3."),
            ({"num_burnin_steps": -1}, "num_burnin_steps must be at least 0; it is -1."),
            ({"num_steps_bw_draws": 0}, "num_steps_bw_draws must be at least 1; it is 0."),
        ],
    )
    def test_plans(self, sentence, settings, text):
        assert sentence(ChainPlan, **settings) == text


def test_an_energy_that_refuses_is_sampled_as_a_control_alone(
    energy_of, quadratic, origin, sentence, monkeypatch
):
    potential = energy_of(quadratic([1.0]), 1)
    monkeypatch.setattr(type(potential), "refusal", "it is no objective.")
    says = sentence(estimate_llc, potential, origin(1), SGLD(1e-3), SHORT)
    assert says == "function is refused: it is no objective."
    (reading,) = estimate_llc(potential, origin(1), SGLD(1e-3), SHORT, as_negative_control=True)
    assert reading.llc is not None
