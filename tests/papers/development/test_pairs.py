"""Pairs of mechanisms over agents, from known courses."""

from types import SimpleNamespace

import numpy as np
import pytest

from fitting.propose import propose
from papers.development.pairs import pair_table
from theory.curve import Curve, Progress

T = np.linspace(0.0, 20.0, 40)
MECHANISMS = ("p_goal", "p_proxy", "llc")


def agent(seed, midpoints):
    """An agent whose mechanisms are logistics around these times; the third is not measured."""
    comparisons = {}
    for i, (name, midpoint) in enumerate(zip(MECHANISMS, midpoints, strict=False)):
        noise = 0.02 * np.random.default_rng([seed, i]).standard_normal(T.size)
        y = 1.0 / (1.0 + np.exp(-2.0 * (T - midpoint))) + noise
        curve = Curve(name, T, y, progress=Progress.UPDATES, run=f"seed {seed}")
        comparisons[name] = propose(curve, forms=["constant", "logistic"], noises=["white"])
    organism = SimpleNamespace(name="mixed", mechanisms=MECHANISMS)
    return SimpleNamespace(
        organism=organism, comparisons=comparisons, run=SimpleNamespace(seed=seed)
    )


def test_what_rises_first_in_all_agents_is_said():
    agents = [agent(seed, (12.0 + seed / 10, 5.0)) for seed in range(5)]
    table, (sentence,) = pair_table(agents)
    (row,) = table["rows"]
    assert row[:7] == ["mixed", "p_goal", "p_proxy", 5, 0, 5, 0]
    # Five of five under a uniform prior: Beta(6, 1), above one half with 1 - 2^-6.
    frequency, above = row[7:]
    assert float(frequency.split(" ")[0]) == pytest.approx(1 / 7, abs=0.005)
    assert float(above) == pytest.approx(2**-6, abs=0.005)
    assert sentence == (
        "mixed: p_proxy rises before p_goal in most agents, with probability 0.98; that is decided "
        "in 5 of 5 agents."
    )


def test_agents_that_differ_are_counted_and_nothing_is_said():
    agents = [agent(0, (12.0, 5.0)), agent(1, (5.0, 12.0))]
    table, sentences = pair_table(agents)
    assert table["rows"][0][3:7] == [2, 1, 1, 0] and not sentences


def test_one_agent_stands_for_no_others():
    table, sentences = pair_table([agent(0, (12.0, 5.0))])
    assert table["rows"] == [] and not sentences
