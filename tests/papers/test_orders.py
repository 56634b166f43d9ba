"""Orders of formation in the results file and the report."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from fitting.comparison import Comparison
from fitting.runs.formation import Formation
from fitting.verdict import Verdict, VerdictKind, inconclusive
from papers.markdown import markdown
from papers.orders import MOST_OBSERVABLES, MOST_RUNS_PAIRED, orders_json
from papers.page import html
from papers.report import render
from papers.results import read, to_json, write
from papers.sections.order import (
    frequency_table,
    order_sentences,
    order_tables,
    rank_tables,
    run_pairs,
)
from theory.curve import Curve, Progress
from theory.family import Family

SIGMOID, NONE = tuple(Family).index(Family.SIGMOID), tuple(Family).index(Family.NONE)
T = np.linspace(0.0, 20.0, 30)


def compared(observable, run, at, progress=Progress.UPDATES, t=T, verdict=None, **conditions):
    """A comparison whose observable forms evenly within a unit after `at`; inf: never."""
    draws = at + np.linspace(0.0, 1.0, 200)
    never = float(np.isinf(at))
    family = np.full(200, NONE if never else SIGMOID)
    probabilities = dict.fromkeys(Family, 0.0) | {Family.SIGMOID: 1 - never, Family.NONE: never}
    found = Formation(draws, draws, draws, np.full(200, 1 / 200), family, 200.0, t[0], t[-1])
    return Comparison(
        curve=Curve(
            observable, t, np.sin(t), progress=progress, run=run, run_id=run, conditions=conditions
        ),
        scores=(),
        family_probabilities=probabilities,
        family_se=dict.fromkeys(Family, 0.0),
        sensitivity={0.5: probabilities, 2.0: probabilities},
        stages=None,
        forecast=None,
        verdict=verdict or Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), (), "It is.", 0.99),
        formation=found,
    )


def seeds(number, observables=("p_proxy", "p_goal")):
    return [
        compared(name, f"seed {run}", 3.0 + 6.0 * (i % 3) + 0.1 * run, seed=run)
        for run in range(number)
        for i, name in enumerate(observables)
    ]


@pytest.fixture
def orders():
    return orders_json(seeds(3))


def document_of(comparisons):
    orders = orders_json(comparisons)
    return to_json("propose", comparisons, None, {}, orders=orders)


def test_every_pair_and_run_is_there(orders):
    onset, midpoint = orders["observables"]
    assert (onset["a"], onset["b"], onset["quantity"]) == ("p_proxy", "p_goal", "onset")
    assert midpoint["quantity"] == "midpoint"
    assert [one["run"] for one in onset["orders"]] == ["seed 0", "seed 1", "seed 2"]
    for one in onset["orders"]:
        assert one["a_first"] == 1.0 and one["first"] == "p_proxy"
        assert one["difference"]["lower"] > 5.0 and one["difference"]["upper"] < 7.0
    # Three runs of three: Beta(4, 1).
    assert onset["frequency"]["expected"] == pytest.approx(4 / 5)
    assert onset["frequency"]["above_half"] == pytest.approx(1 - 1 / 16)
    assert onset["frequency"]["doubts"] == []
    names = [(entry["observable"], entry["quantity"]) for entry in orders["runs"]]
    assert names == [(n, q) for n in ("p_proxy", "p_goal") for q in ("onset", "midpoint")]
    assert [len(entry["orders"]) for entry in orders["runs"]] == [3] * 4
    ranks = [rank["expected"] for rank in orders["runs"][0]["ranks"]]
    assert ranks == sorted(ranks) and sum(ranks) == pytest.approx(1 + 2 + 3)
    assert len(orders["formations"]) == 3 * 2 * 2 and orders["left_out"] == []


def test_one_curve_and_other_axes_have_no_order():
    one, other = compared("p_goal", "a", 3.0), compared("llc", "a", 9.0, Progress.EPISODES)
    assert orders_json([]) is None and orders_json([one]) is None
    assert orders_json([one, other]) is None


def test_one_run_has_no_frequency_and_says_why():
    orders = orders_json(seeds(1))
    entry = orders["observables"][0]
    assert entry["frequency"] is None
    assert entry["reason"] == "A frequency over runs needs two that can be judged; there is 1."
    assert orders["runs"] == [] and frequency_table(orders) is None
    assert order_sentences(orders) == [
        "p_proxy forms before p_goal with probability >0.99 (by onset)."
    ]


def test_runs_that_cannot_be_judged_have_no_frequency_and_the_page_says_why():
    failed = inconclusive("No noise fits.")
    pairs = [
        compared(name, run, at, verdict=failed)
        for run in "ab"
        for name, at in (("p_proxy", 3.0), ("p_goal", 9.0))
    ]
    orders = orders_json(pairs)
    assert orders["observables"][0]["orders"][0]["lowest"] is None
    assert order_sentences(orders) == [
        "p_proxy forms before p_goal in 0 of these 2 runs and after it in 0; the others do not "
        "decide it. A frequency over runs needs two that can be judged; there is none."
    ]


def test_what_never_forms_is_null_with_its_reason():
    orders = orders_json([compared("p_goal", "a", 3.0), compared("llc", "a", np.inf)])
    goal, _, llc, _ = orders["formations"]
    assert goal["time"]["value"] == pytest.approx(3.5, abs=0.01) and goal["reason"] == ""
    assert llc["time"] is None and llc["reason"] == "No draw has a change of rate."
    assert llc["never"] == pytest.approx(1.0)
    assert orders["observables"][0]["orders"][0]["difference"] is None
    assert "NaN" not in json.dumps(orders) and "Infinity" not in json.dumps(orders)


def test_what_is_left_out_is_said():
    names = [f"observable_{i}" for i in range(MOST_OBSERVABLES + 2)]
    found = orders_json(seeds(MOST_RUNS_PAIRED + 1, names))
    pairs = MOST_OBSERVABLES * (MOST_OBSERVABLES - 1) // 2
    assert len(found["observables"]) == 2 * pairs
    assert all(entry["orders"] == [] for entry in found["runs"])
    assert len(found["runs"][0]["ranks"]) == MOST_RUNS_PAIRED + 1
    assert found["left_out"][0].startswith("Only the first 5 observables of 7 are ordered")
    assert found["left_out"][1].startswith("The pairs of 9 runs are not listed for observable_0")
    assert run_pairs(found) is None


def test_curves_that_cannot_be_judged_are_said():
    nothing = replace(compared("llc", "seed 0", 3.0), formation=None)
    failed = compared("p_goal", "seed 3", 3.0, verdict=inconclusive("No noise fits."))
    apart = compared("p_goal", "seed 4", 40.0, t=T + 30.0)
    found = orders_json([*seeds(2), nothing, failed, apart])
    assert found["left_out"] == [
        "llc of run 'seed 0' has no times to order: It is.",
        "p_goal of seed 3 cannot be judged and has no rank.",
        "Not ordered in seed 0, seed 4: an order needs a window that both curves have; that of "
        "p_goal is 0 to 20, that of p_goal 30 to 50: give curves that overlap.",
        "Not ordered in seed 1, seed 4: an order needs a window that both curves have; that of "
        "p_goal is 0 to 20, that of p_goal 30 to 50: give curves that overlap.",
    ]


def test_runs_of_several_conditions_are_a_mixture():
    pairs = [
        compared(name, run, at, seed=run, alpha=alpha)
        for run, alpha in (("a", 0.0), ("b", 0.1))
        for name, at in (("p_proxy", 3.0), ("p_goal", 9.0))
    ]
    (doubt,) = orders_json(pairs)["observables"][0]["frequency"]["doubts"]
    assert doubt == "The runs differ in alpha; the frequency is that over this mixture."


def test_orders_survive_the_file(tmp_path):
    document = document_of(seeds(3))
    write(tmp_path, document)
    assert read(tmp_path)["orders"] == json.loads(json.dumps(document["orders"]))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda o: o.pop("runs"), "orders lacks runs"),
        (lambda o: o["observables"][0].update(quantity="start"), "must be one of onset, midpoint"),
        (lambda o: o["observables"][0]["orders"][0].update(neither=0.5), "they sum to 1.5"),
        (lambda o: o["observables"][0].update(frequency=None), "neither a frequency nor a reason"),
        (lambda o: o["formations"][0].update(never=None), "formations[0].never must be a finite"),
    ],
)
def test_damaged_orders_are_one_sentence(tmp_path, spoil, sentence):
    document = document_of(seeds(3))
    spoil(document["orders"])
    with pytest.raises(ValueError, match=re.escape(sentence)):
        write(tmp_path, document)


def test_tables_say_what_the_file_says(orders):
    ((table, doubts),) = order_tables(orders)
    assert table.columns[:5] == ("run", "by", "first", "P(p_proxy first)", "P(p_goal first)")
    assert table.rows[0][:6] == ("seed 0", "onset", "p_proxy", ">0.99", "<0.01", "<0.01")
    assert doubts == []
    (proxy, _), _ = rank_tables(orders)
    assert proxy.caption == "p_proxy: in which run it forms first, in updates"
    assert len(run_pairs(orders).rows) == 3 * 2 * 2
    first = frequency_table(orders).rows[0]
    assert first[:3] == ("p_proxy before p_goal", "onset", 3) and first[3].startswith("0.80 [0.40")


def test_runs_at_hand_and_runs_they_stand_for_are_said(orders):
    first, *_ = order_sentences(orders)
    assert first.startswith(
        "p_proxy forms before p_goal in 3 of these 3 runs and after it in 0. Whether p_proxy forms "
        "before p_goal in most of the runs that these 3 stand for is not decided: probability 0.94"
    )


def test_doubts_are_said_once_with_their_runs():
    flat = [compared("llc", f"seed {run}", np.inf) for run in range(2)]
    ((_, doubts), *_) = order_tables(orders_json([*seeds(2, ["p_goal"]), *flat]))
    assert doubts == [
        "seed 0, seed 1: llc does not form within its window with probability 1.00; it may have "
        "formed later, or before."
    ]


def test_page_and_markdown_have_the_section(make_document, make_curve, orders):
    curves = [
        make_curve(seed, name, progress="updates", run=f"seed {seed}")
        for seed in range(3)
        for name in ("p_proxy", "p_goal")
    ]
    document = make_document(curves, orders=orders)
    page, text = html(document), markdown(document)
    for sentence in order_sentences(orders):
        assert sentence.replace(">", "&gt;") in page and sentence.replace(">", "&gt;") in text
    assert 'id="orders"' in page and 'href="#orders"' in page
    assert 'id="order-1-onset-title"' in page and 'id="order-1-midpoint-title"' in page
    assert "## Order of formation" in text and "How often an order comes" in text
    plain = html(make_document(curves))
    assert 'id="orders"' not in plain and "Order of formation" not in plain


def test_tables_lie_beside_the_report(make_document, make_curve, orders, tmp_path):
    document = make_document([make_curve(progress="updates")], orders=orders)
    write(tmp_path, document)
    render(tmp_path)
    names = {path.name for path in (tmp_path / "tables").glob("*")}
    assert {
        "orders.csv",
        "order_frequencies.csv",
        "ranks.csv",
        "orders_1.tex",
        "ranks.tex",
    } <= names
    head, *rows = (tmp_path / "tables" / "orders.csv").read_text().splitlines()
    assert head.startswith("observable,run,a,b,progress,quantity,a_first,b_first,neither,se,lowest")
    assert len(rows) == 3 * 2 + 3 * 2 * 2
    document.pop("orders")
    write(tmp_path, document)
    render(tmp_path)
    assert not list((tmp_path / "tables").glob("*order*"))
