import math

import pytest
import torch

from empirics.llc.calibration import CellState, calibrate
from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.mala import MALA
from empirics.llc.sgld import SGLD

NBETA = 1000 / math.log(1000)
PULLS = (0.1, 1.0, 10.0, 100.0)
LONG = ChainPlan(num_chains=250, num_draws=200, num_burnin_steps=300, num_steps_bw_draws=3)
SHORT = ChainPlan(nbeta=100.0, num_chains=4, num_draws=50, num_burnin_steps=20)


@pytest.fixture(scope="module")
def swept():
    return {}


@pytest.fixture
def quartic(energy_of, power, origin, swept):
    if "quartic" not in swept:
        potential = energy_of(power(4), 1, 1000)
        swept["quartic"] = calibrate(
            potential, origin(1), MALA(1.0), LONG, step_sizes=[0.01, 0.02], localizations=PULLS
        )
    return swept["quartic"]


@pytest.fixture
def bowl(energy_of, quadratic, origin, swept):
    if "bowl" not in swept:
        potential = energy_of(quadratic([1.0] * 4), 4, 1000)
        steps = [1e-3, 5e-4, 1e-2, 3e-2]
        swept["bowl"] = calibrate(
            potential, origin(4), SGLD(1.0), LONG, step_sizes=steps, localizations=PULLS
        )
    return swept["bowl"]


def test_every_cell_of_a_quartic_has_its_exact_value(quartic, exact_power):
    for cell in quartic.cells:
        (reading,) = cell.readings
        exact = exact_power(4, NBETA, cell.setting.localization)
        assert abs(reading.llc - exact) <= 3 * reading.llc_se


def test_strong_localization_is_in_no_window_with_weak(quartic, exact_power):
    """From localization 1 on the exact value falls: .243, .195 and .031 of 1/4."""
    assert {cell.setting.localization for cell in quartic.flat} == {0.1, 1.0}
    assert exact_power(4, NBETA, 100.0) < 0.04


def test_the_window_of_a_quartic_holds_the_truth(quartic):
    """The coefficient 1/4, within 5 % and three standard errors of every reading in it."""
    for cell in quartic.flat:
        (reading,) = cell.readings
        assert abs(reading.llc - 0.25) <= 0.05 * 0.25 + 3 * reading.llc_se


def test_the_window_of_a_quadratic_holds_the_truth(bowl, exact_quadratic):
    assert len(bowl.flat) >= 4
    for cell in bowl.flat:
        (reading,) = cell.readings
        setting = cell.setting
        exact = exact_quadratic([1.0] * 4, NBETA, setting.localization, setting.step_size)
        assert abs(reading.llc - exact) <= 3 * reading.llc_se
        assert abs(reading.llc - 2.0) <= 0.1 + 3 * reading.llc_se


def test_steps_too_long_are_doubted_and_beyond_stability_diverge(bowl):
    """At 0.01 the step lifts the value by more than a half; from 0.0275 on nothing holds it."""
    states = {
        size: {cell.state for cell in bowl.cells if cell.setting.step_size == size}
        for size in bowl.step_sizes
    }
    assert states[1e-2] == {CellState.DOUBTED}
    assert states[3e-2] == {CellState.DIVERGED}


def test_the_sentence_names_window_and_setting(bowl):
    assert bowl.step_sizes == (5e-4, 1e-3, 1e-2, 3e-2)
    assert bowl.sentence.startswith("Readings agree for step_size from 0.0005 to 0.001, ")
    assert bowl.sentence.endswith(f"Take {bowl.recommended}.")
    assert bowl.recommended in [cell.setting for cell in bowl.flat]
    assert 0 < bowl.spread < 0.15


def test_where_there_is_no_window_none_is_recommended(energy_of, power, origin):
    strong = [30.0, 100.0, 300.0]
    found = calibrate(
        energy_of(power(4), 1, 1000), origin(1), MALA(1.0), LONG, step_sizes=[5e-3, 7e-3],
        localizations=strong,
    )  # fmt: skip
    assert found.recommended is None and not found.flat and math.isnan(found.spread)
    assert found.sentence == (
        "No flat window: of 6 settings 6 trusted. The readings depend on the setting; sweep more "
        "finely, or weaker localizations."
    )


def test_short_chains_are_imprecise_or_doubted(energy_of, quadratic, origin):
    found = calibrate(
        energy_of(quadratic([1.0]), 1), origin(1), MALA(1.0), SHORT, step_sizes=[1e-2, 2e-2],
        localizations=[0.1, 1.0],
    )  # fmt: skip
    assert {cell.state for cell in found.cells} <= {CellState.IMPRECISE, CellState.DOUBTED}
    assert "Draw longer chains" in found.sentence


def test_a_sweep_is_one_call_with_each_setting_of_each_checkpoint(energy_of, quadratic, origin):
    """The cells in order, for two checkpoints with a potential and scales of their own."""
    given = torch.tensor([1.0, 3.0], dtype=torch.float64)
    potential = energy_of(quadratic([1.0, 2.0]), 2, given=given)
    scales = torch.tensor([[1.0, 1.0], [2.0, 0.5]], dtype=torch.float64)
    found = calibrate(
        potential, origin(2, 2), SGLD(1.0), SHORT, step_sizes=[1e-3, 2e-3],
        localizations=[1.0, 5.0], nbetas=[50.0, 200.0], scales=scales, seed=3,
    )  # fmt: skip
    settings = [cell.setting for cell in found.cells]
    assert [(s.step_size, s.localization, s.nbeta) for s in settings[:3]] == [
        (1e-3, 1.0, 50.0), (1e-3, 1.0, 200.0), (1e-3, 5.0, 50.0),
    ]  # fmt: skip
    repeated = estimate_llc(
        potential.repeat(8), origin(2, 16), SGLD(1.0), SHORT, seed=3,
        scales=scales.repeat_interleave(8, dim=0),
        step_size=[s.step_size for s in settings] * 2,
        localization=[s.localization for s in settings] * 2,
        nbeta=[s.nbeta for s in settings] * 2,
    )  # fmt: skip
    assert [cell.readings for cell in found.cells] == list(
        zip(repeated[:8], repeated[8:], strict=True)
    )
    for cell in found.cells:
        assert all(reading.nbeta == cell.setting.nbeta for reading in cell.readings)


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        (([], [1.0]), "step_sizes must name at least one value; it is empty."),
        (([1.0], [1.0, 1.0]), "localizations must name every value once; it is (1.0, 1.0)."),
        (([1.0], [1.0]), "a sweep needs at least two settings; it has one."),
        (
            ([1.0, -1.0], [1.0]),
            "step_size must be positive and finite; that of center 0 is -1.0.",
        ),
    ],
)
def test_axes_that_make_no_sense_are_said(energy_of, quadratic, origin, sentence, axes, text):
    says = sentence(
        calibrate, energy_of(quadratic([1.0]), 1), origin(1), SGLD(1.0), SHORT,
        step_sizes=axes[0], localizations=axes[1],
    )  # fmt: skip
    assert says == text
