"""The picture and the table of a sweep over the settings of chains."""

import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from empirics.llc.calibration import Setting, judged
from empirics.llc.reading import LLCReading
from papers.figures.calibration import calibration_drawing, calibration_table
from papers.tables import to_markdown

STEPS, PULLS = (1e-4, 1e-3, 1e-2), (0.1, 1.0, 10.0, 100.0)


def reading(setting, llc, *, doubts=(), lost=False):
    return LLCReading(
        llc=None if lost else llc,
        llc_se=None if lost else 0.01,
        llc_variance=None,
        chain_llcs=(float("nan") if lost else llc,),
        kept=(not lost,),
        below_center=(0.0,),
        virial=1.0,
        rhat=1.0,
        ess=500.0,
        acceptance=1.0,
        distance=1.0,
        init_loss=0.0,
        gradient_norm=0.0,
        step_size_bias=None,
        nbeta=setting.nbeta,
        localization=setting.localization,
        step_size=setting.step_size,
        num_parameters=4,
        num_draws=100,
        num_burnin_steps=10,
        num_samples=None,
        doubts=doubts,
    )


def sweep(nbetas=(100.0,), *, flat=True, pulls=PULLS):
    """Return a sweep that is flat for short steps and weak localizations, or nowhere."""
    axes = (STEPS, pulls, nbetas)
    settings = [Setting(*values) for values in itertools.product(*axes)]
    readings = []
    for i, each in enumerate(settings):
        llc = 2.0 if each.localization < 5 else 1.0
        if each.step_size == 1e-2:
            found = reading(each, 40.0, doubts=("The step | is long.",), lost=i % 2 == 0)
        else:
            found = reading(each, llc if flat else llc * 1.2**i)
        readings.append((found,))
    return judged(axes, settings, readings)


def test_the_window_and_the_sentence():
    drawing = calibration_drawing(sweep(), "k")
    assert drawing.takeaway.startswith(
        "Readings agree for step_size from 0.0001 to 0.001, localization from 0.1 to 1, nbeta 100 "
    )
    assert [key.label for key in drawing.keys][-2] == "in the flat window"
    nowhere = calibration_drawing(sweep(flat=False), "k")
    assert nowhere.takeaway.startswith("No flat window: ")
    assert "in the flat window" not in [key.label for key in nowhere.keys]


@pytest.mark.parametrize("nbetas", [(100.0,), (50.0, 100.0)])
def test_a_panel_an_nbeta_accessible_and_of_the_page_s_colors(nbetas):
    drawing = calibration_drawing(sweep(nbetas), "k")
    assert len(drawing.panels) == len(nbetas)
    for panel, nbeta in zip(drawing.panels, nbetas, strict=True):
        root = ElementTree.fromstring(panel)
        title = root.find("{http://www.w3.org/2000/svg}title").text
        assert title.endswith(f"nbeta = {nbeta:g}")
        colors = set(re.findall(r"(?:fill|stroke)(?:: ?|=\")([^;\"]+)", panel))
        assert all(color == "none" or color.startswith("var(--") for color in colors)
    assert drawing == calibration_drawing(sweep(nbetas), "k")


def test_step_sizes_swept_alone_are_the_axis():
    drawing = calibration_drawing(sweep(pulls=(1.0,)), "k")
    assert [key.label for key in drawing.keys][0] == "localization 1"
    labels = re.findall(r">([^<>]+)</text>", drawing.panels[0])
    assert "step_size" in labels and "localization" not in labels
    assert {"0.0001", "0.001", "0.01"} <= set(labels)


def test_what_cannot_be_trusted_does_not_set_the_height():
    """Readings of 40 beside trusted ones of 2."""
    labels = re.findall(r">([\d.]+)</text>", calibration_drawing(sweep(), "k").panels[0])
    assert max(float(label) for label in labels if float(label) not in PULLS) < 5


def test_the_table_has_every_cell_and_its_doubt():
    table = calibration_table(sweep((50.0, 100.0)))
    assert len(table.rows) == len(STEPS) * len(PULLS) * 2
    states = np.array([row[table.columns.index("state")] for row in table.rows])
    assert set(states) == {"flat", "trusted", "doubted", "diverged"}
    text = to_markdown(table)
    assert text.startswith("| step_size | localization | nbeta | checkpoint | llc |")
    assert "The step \\| is long." in text
