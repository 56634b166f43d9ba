"""Conditions that a table of the user's adds to logged runs."""

import pytest

from empirics.readers import read_curves
from empirics.readers.told_conditions import with_conditions
from empirics.store import Store


@pytest.fixture
def logs(tmp_path):
    """Two runs in a table of their own each; the second one says its seed."""
    (tmp_path / "a.csv").write_text("env_steps,loss\n0,1\n1,2\n")
    (tmp_path / "b.csv").write_text("env_steps,loss,seed\n0,1,3\n1,4,3\n")
    return [read_curves(tmp_path / "a.csv"), read_curves(tmp_path / "b.csv")]


@pytest.fixture
def told(tmp_path, logs):
    def add(text):
        path = tmp_path / "told.csv"
        path.write_text(text)
        return with_conditions(logs, path)

    return add


def names(logs):
    return [each.runs[0].run for each in logs]


def test_conditions_reach_curves_records_and_the_store(tmp_path, logs, told):
    a, b = names(logs)
    found = told(f"run,alpha,arm\n{b},0.1,x\n{a},2,\n")
    for each, expected in zip(found, ({"alpha": 2}, {"alpha": 0.1, "arm": "x"}), strict=True):
        more = dict(logs[found.index(each)].runs[0].conditions)
        assert dict(each.runs[0].conditions) == more | expected
        assert [dict(curve.conditions) for curve in each.curves] == [more | expected]
        assert each.curves[0].y.tolist() == logs[found.index(each)].curves[0].y.tolist()
        Store(tmp_path / "store").append(each)
    (kept,) = Store(tmp_path / "store").select("alpha > 1").curves
    assert kept.run == a


def test_a_run_may_be_named_by_its_run_id_and_the_silent_ones_are_named(logs, told):
    a, b = names(logs)
    found = told(f"run,alpha\n{logs[1].runs[0].run_id},0.5\n")
    assert found[1].curves[0].conditions["alpha"] == 0.5
    assert "alpha" not in found[0].curves[0].conditions
    assert found[0].notes[-1].endswith(f"told.csv has no row of 1 run: {a}.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("alpha\n1\n", "must have a column 'run' and one for each condition; it has alpha."),
        ("run\n{a}\n", "must have a column 'run' and one for each condition; it has run."),
        ("run,alpha\n{a},1\n{a},2\n", "names the run '{a}' 2 times; give it one row."),
        ("run,alpha\nnobody,1\n", "told.csv: no run 'nobody' in what was read; runs: a, b."),
        ("run,seed\n{b},4\n", "says seed = 4 of {b}, whose log says 3; take the column out"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(logs, told, text, sentence):
    a, b = names(logs)
    with pytest.raises(ValueError) as error:
        told(text.format(a=a, b=b))
    assert sentence.format(a=a, b=b) in str(error.value)
