"""A sweep declares points: combined, in step, or drawn."""

import numpy as np
import pytest

from empirics.sweep import Range, Sweep, read_sweep


def test_grids_zips_and_ladders():
    settings = {"a": (1, 2), "b": (0.5, 1.5)}
    assert Sweep("grid", settings).points == (
        {"a": 1, "b": 0.5},
        {"a": 1, "b": 1.5},
        {"a": 2, "b": 0.5},
        {"a": 2, "b": 1.5},
    )
    assert Sweep("zip", settings).points == ({"a": 1, "b": 0.5}, {"a": 2, "b": 1.5})
    assert Sweep("ladder", {"a": (1, 2)}).points == ({"a": 1}, {"a": 2})
    assert Sweep("grid", settings) == Sweep("grid", {"a": [1, 2], "b": [0.5, 1.5]})


def test_random_points_are_uniform_and_a_larger_sweep_begins_with_a_smaller_one():
    settings = {
        "rate": Range(1e-4, 1e-2, log=True),
        "share": Range(0.0, 2.0),
        "cells": Range(3, 6),
        "word": ("x", "y"),
    }
    points = Sweep("random", settings, number=4000, seed=1).points
    assert Sweep("random", settings, number=10, seed=1).points == points[:10]
    assert Sweep("random", settings, number=10, seed=2).points != points[:10]
    log_rate = np.log10([p["rate"] for p in points])
    assert log_rate.min() >= -4 and log_rate.max() <= -2
    # Five standard errors of a mean of uniform numbers: 5 · width / sqrt(12 n).
    bound = 5 / np.sqrt(12 * 4000)
    assert abs(log_rate.mean() + 3) < 2 * bound
    assert abs(np.mean([p["share"] for p in points]) - 1) < 2 * bound
    for name, values in (("cells", (3, 4, 5, 6)), ("word", ("x", "y"))):
        drawn = [p[name] for p in points]
        assert set(drawn) == set(values) and type(drawn[0]) is type(values[0])
        share = 1 / len(values)
        bound_of_share = 5 * np.sqrt(share * (1 - share) / 4000)
        assert all(abs(drawn.count(v) / 4000 - share) < bound_of_share for v in values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gird", {"a": (1,)}), "a sweep is one of grid, ladder, random, zip; it is 'gird'."),
        (("grid", {}), "a grid needs at least one setting to vary."),
        (("ladder", {"a": (1,), "b": (1,)}), "a ladder varies one setting; it has a, b."),
        (("zip", {"a": (1, 2), "b": (1,)}), "equally many values; a has 2, b has 1."),
        (("grid", {"a": ()}), "a needs a list of at least one value; it is ()."),
        (("grid", {"a": "12"}), "a needs a list of at least one value; it is '12'."),
        (("grid", {"a": ([1],)}), "a must be numbers, truth values or words; one is [1]."),
        (("grid", {"a": Range(0, 1)}), "a has a range, and a grid needs a list of values."),
        (("random", {"a": (1,)}), "number must be at least 1; it is 0."),
        (("grid", {"a": (1,)}, 3), "a grid has no number of points; a random sweep has."),
    ],
)
def test_wrong_sweeps_are_refused(arguments, message):
    with pytest.raises(ValueError) as caught:
        Sweep(*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 1), "low must be below high; they are 1 and 1."),
        ((0, 1, True), "a logarithmic range begins above 0; low is 0."),
        (("a", 1), "low must be a number; it is 'a'."),
    ],
)
def test_wrong_ranges_are_refused(arguments, message):
    with pytest.raises(ValueError) as caught:
        Range(*arguments)
    assert message in str(caught.value)


def test_a_file_declares_a_sweep(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(
        'experiment = "lock"\nseeds = [0, 7]\nnumber = 5\nseed = 3\n'
        "[random]\nhorizon = [1, 2]\nlearning_rate = { low = 1e-3, high = 1e-1, log = true }\n"
    )
    found = read_sweep(path)
    settings = {"horizon": (1, 2), "learning_rate": Range(1e-3, 1e-1, log=True)}
    assert (found.experiment, found.seeds) == ("lock", (0, 7))
    assert found.sweep == Sweep("random", settings, number=5, seed=3)
    path.write_text('experiment = "lock"\nseeds = 3\n[grid]\nhorizon = [1, 2]\n')
    assert read_sweep(path).seeds == (0, 1, 2)
    path.write_text('experiment = "lock"\n[ladder]\nhorizon = [1, 2]\n')
    assert read_sweep(path).seeds is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grid", "sweep.toml: Expected ']'"),
        ('experiment = "lock"\n', "one table is needed, of [grid], [ladder], [random], [zip]."),
        ("[grid]\na = [1]\n", "experiment = \"NAME\" is needed; 'ontogeny show experiments'"),
        ('experimnt = "lock"\n', "experimnt is not known; known are experiment, grid,"),
        ('experiment = "x"\nseeds = 0\n[grid]\na = [1]\n', "seeds must be at least 1; it is 0."),
        ('experiment = "x"\n[random]\na = { low = 1 }\n', "a needs low and high, and may have log"),
    ],
)
def test_wrong_files_are_refused(text, message, tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        read_sweep(path)
    assert message in str(caught.value)
