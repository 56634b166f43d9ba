"""Runs together: from comparisons and a pooled fit to results, page, Markdown and tables."""

import numpy as np
import pytest

from fitting.comparison import Comparison
from fitting.fit import FitStatus
from fitting.point import fit
from fitting.runs.hierarchical import PooledFit
from fitting.runs.population import populations as priors_of
from fitting.verdict import Verdict, VerdictKind, inconclusive
from papers.figures.population import population_drawing
from papers.markdown import markdown
from papers.page import html
from papers.pooled_runs import pooled_json, pooled_runs
from papers.populations import populations
from papers.records import records
from papers.results import read, write
from papers.sections.population import effects_said, pooled_said, population_table, runs_table
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White

LOGISTIC = FORMS["logistic"]
T = np.linspace(1.0, 100.0, 40)
DECIDED = Verdict(VerdictKind.DECIDED, (Family.SIGMOID,), (), "It is sigmoid.", 0.99)


def rising(run, midpoint=50.0, observable="success", t=T):
    y = np.asarray(LOGISTIC(t, np.array([0.1, 0.8, 0.15, midpoint])))
    return Curve(observable, t, y + 0.01 * np.cos(7 * t), run=run)


def judged(curve, family=Family.SIGMOID, verdict=DECIDED):
    p = dict.fromkeys(Family, 0.0) | {family: 1.0}
    prior = dict.fromkeys(Family, 0.2)
    return Comparison(curve, (), p, p, {2.0: p}, None, None, verdict, family_prior=prior)


def pooled(n=3, status=FitStatus.OK, seed=0):
    """A pooled fit whose draws are set by hand: run i has its midpoint around 40 + 10 i."""
    curves = [rising(f"seed {i}", 40.0 + 10 * i) for i in range(n)]
    rng = np.random.default_rng(seed)
    size = 400 if status is not FitStatus.NOT_SAMPLED else 0
    center = np.array([0.1, 0.8, 0.15, 50.0])
    runs = np.stack([[0.1, 0.8, 0.15, 40.0 + 10 * i, 0.01] for i in range(n)])
    return PooledFit(
        form=LOGISTIC,
        runs=tuple(curve.run for curve in curves),
        curve_digests=tuple(curve.digest for curve in curves),
        priors=priors_of(LOGISTIC, curves),
        unpooled=tuple(fit(default_hypothesis(LOGISTIC, White(), c), c) for c in curves),
        centers=center * (1 + 0.01 * rng.standard_normal((size, 4))),
        spreads=0.2 * np.exp(0.1 * rng.standard_normal((size, 4))),
        draws=runs * (1 + 0.01 * rng.standard_normal((size, n, 5))),
        rhat=1.0 if size else float("nan"),
        ess=400.0,
        divergent=0.0,
        status=status,
        doubts=() if status is FitStatus.OK else (str(status),),
    )


@pytest.fixture
def entry():
    (found,) = populations([judged(rising(f"seed {i}")) for i in range(3)])
    return found | {"pooled": {**pooled_json(pooled()), "left_out": []}}


def test_a_single_run_makes_no_entry():
    assert populations([judged(rising("seed 0"))]) == []
    assert populations([judged(rising("a")), judged(rising("a", observable="llc"))]) == []


def test_runs_are_counted_by_observable():
    members = [judged(rising(f"seed {i}", observable=o)) for o in ("success", "llc") for i in "012"]
    success, llc = populations(members)
    assert (success["observable"], success["number"]) == ("success", 3)
    assert llc["runs"] == ["seed 0", "seed 1", "seed 2"]
    sigmoid = next(m for m in success["families"]["models"] if m["name"] == "sigmoid")
    # Dirichlet(1, 1, 1, 1, 1) after three sigmoid runs.
    assert sigmoid["frequency"] == pytest.approx(4 / 8, rel=1e-12)
    assert sigmoid["assigned"] == 3
    shares = success["families"]["assignments"][0]["probabilities"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert success["forms"] is None and "pooled" not in success


def test_runs_that_do_not_count_are_said(make_document, tmp_path):
    lost = judged(rising("seed 2"), verdict=inconclusive("The noise is wrong."))
    (found,) = populations([judged(rising("seed 0")), lost])
    assert found["families"] is None and found["runs"] == ["seed 0"]
    assert found["left_out"] == [{"run": "seed 2", "reason": "The noise is wrong."}]
    document = make_document(populations=[found])
    write(tmp_path, document)
    for text in (html(document), markdown(document)):
        assert "Of 1 of 2 runs something may be concluded" in text
        assert "seed 2: The noise is wrong." in text


def test_results_with_populations_come_back_as_they_were(entry, make_document, tmp_path):
    document = make_document(populations=[entry])
    write(tmp_path, document)
    assert read(tmp_path)["populations"] == [entry]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("number", None, "populations[0].number must be a finite number; it is null"),
        ("families", {}, "populations[0].families lacks models, assignments, omnibus_risk"),
        ("pooled", {"form": "logistic"}, "populations[0].pooled lacks expression"),
    ],
)
def test_damaged_populations_are_named(entry, make_document, key, value, sentence, tmp_path):
    with pytest.raises(ValueError) as caught:
        write(tmp_path, make_document(populations=[entry | {key: value}]))
    assert sentence in str(caught.value)


def test_the_report_shows_runs_together(entry, make_document):
    document = make_document(populations=[entry])
    page, text = html(document), markdown(document)
    assert 'href="#together"' in page and page.count('<h2 id="together">') == 1
    assert page.count('role="img"') == html(make_document()).count('role="img"') + 4
    for said in ("sigmoid", "The population under logistic", "By itself", "by itself"):
        assert said in page and said in text
    tables = records(document)
    assert {"frequencies", "populations", "pooled"} <= set(tables)
    assert len(tables["pooled"].rows) == 3 * 5  # the noise too
    assert "Runs together" not in html(make_document())


def test_pooled_numbers_are_those_of_the_draws(entry):
    fitted, found = pooled(), entry["pooled"]
    midpoint = found["parameters"][3]
    assert midpoint["name"] == "midpoint" and midpoint["log"] is True
    lower, middle, upper = np.quantile(fitted.centers[:, 3], [0.025, 0.5, 0.975])
    assert midpoint["median"]["value"] == pytest.approx(middle)
    assert (midpoint["median"]["lower"], midpoint["median"]["upper"]) == (lower, upper)
    assert midpoint["spread"]["value"] == pytest.approx(np.median(fitted.spreads[:, 3]))
    own = found["runs"][1]
    assert own["pooled"]["midpoint"]["value"] == pytest.approx(np.median(fitted.draws[:, 1, 3]))
    assert own["single"]["midpoint"]["value"] == pytest.approx(fitted.unpooled[1].theta[3])
    table = runs_table(entry)
    assert table is not None and [row[1] for row in table.rows] == ["pooled", "by itself"] * 3


def test_chains_that_failed_leave_no_numbers_and_say_why(entry):
    failed = {**pooled_json(pooled(status=FitStatus.NOT_SAMPLED)), "left_out": []}
    assert failed["rhat"] is None and failed["parameters"][0]["median"] is None
    entry = entry | {"pooled": failed}
    assert pooled_said(entry) == f"Not pooled: {FitStatus.NOT_SAMPLED}"
    assert population_drawing(entry, "p") is None
    table = population_table(entry)
    assert table is not None and table.rows[0][1] == "–"


def test_runs_that_cannot_be_fitted_are_named_and_too_few_are_said():
    flat = Curve("success", T, np.ones(T.size), run="flat")
    members = [judged(rising("seed 0")), judged(rising("seed 1")), judged(flat)]
    found = pooled_runs(LOGISTIC, members, seed=0)
    assert found["reason"] == (
        "A population needs at least 3 runs; of success there are 2 that can be fitted."
    )
    (left_out,) = found["left_out"]
    assert left_out["run"] == "flat" and "vary" in left_out["reason"]
    assert found["runs"] == [] and found["rhat"] is None


def test_runs_not_pooled_are_shown(entry, make_document):
    left_out = [{"run": "flat", "reason": "y must vary."}]
    document = make_document(
        populations=[entry | {"pooled": entry["pooled"] | {"left_out": left_out}}]
    )
    for text in (html(document), markdown(document)):
        assert "Not pooled: flat: y must vary." in text


def test_no_change_is_said_in_words():
    flat = [judged(rising(f"seed {i}"), family=Family.NONE) for i in range(9)]
    (found,) = populations(flat)
    said = effects_said(found["families"])
    assert said.startswith("no change or steady drift generated more runs than any other shape")
