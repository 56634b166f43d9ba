"""`show` lists whole registries; `run` knows the experiments that `show` lists."""

import json
from pathlib import Path

import pytest

from ontogeny.cli import main
from ontogeny.commands.run import _value


def listed(what: str, tmp_path: Path) -> list[dict[str, object]]:
    file = tmp_path / "shown.json"
    assert main(["show", what, "--quiet", "--json", str(file)]) == 0
    rows = json.loads(file.read_text(encoding="utf-8"))[what]
    assert isinstance(rows, list)
    return rows


def test_forms(tmp_path: Path) -> None:
    from theory.forms import FORMS

    rows = listed("forms", tmp_path)
    assert [row["name"] for row in rows] == list(FORMS)
    for row, form in zip(rows, FORMS.values(), strict=True):
        assert row["expression"] == form.python
        assert row["reference"]
        parameters = row["parameters"]
        assert isinstance(parameters, list)
        assert len(parameters) == len(form.names)
    (bump,) = (row for row in rows if row["name"] == "bump")
    assert str(bump["implied_by"]).startswith("['implied by cue_delta_rule (w_proxy, exact")


def test_mechanisms(tmp_path: Path) -> None:
    from theory.mechanisms import MECHANISMS

    rows = listed("mechanisms", tmp_path)
    assert [row["name"] for row in rows] == list(MECHANISMS)
    assert all(row["implications"] for row in rows)


def test_experiments(tmp_path: Path) -> None:
    from empirics.experiments import EXPERIMENTS

    assert [row["name"] for row in listed("experiments", tmp_path)] == list(EXPERIMENTS)


def test_probes(tmp_path: Path) -> None:
    from empirics.probes.catalog import catalog

    rows = listed("probes", tmp_path)
    assert [row["name"] for row in rows] == [entry.name for entry in catalog()]
    (response,) = (row for row in rows if row["name"] == "response")
    observables = "response_to_goal, response_to_distractor, intent_goal"
    assert response["observables"] == observables
    assert response["plan"] == "part of IncentivePlan"


def test_papers(tmp_path: Path) -> None:
    from papers.published import PAPERS

    rows = listed("papers", tmp_path)
    assert [row["name"] for row in rows] == list(PAPERS)
    for row, paper in zip(rows, PAPERS.values(), strict=True):
        claims = row["claims"]
        assert isinstance(claims, list) and len(claims) == len(paper.publication.claims)


def test_a_store_says_each_condition_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "logs.csv"
    rows = [f"{run},{t},{t * run}" for run in (1, 2) for t in range(5)]
    table.write_text("\n".join(["seed,env_steps,episodic_return", *rows]), encoding="utf-8")
    store = tmp_path / "store"
    assert main(["import", str(table), "--run", "seed", "--out", str(store), "--quiet"]) == 0
    capsys.readouterr()

    assert main(["show", "store", str(store)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == [str(store), "    2 runs, 2 curves, 10 rows"]
    curves = [line for line in shown if "points over env_steps" in line]
    assert curves == ["    episodic_return: 5 points over env_steps, 0 to 4"] * 2
    assert sum("seed=1" in line for line in shown) == 1


def test_a_store_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "store"]) == 2
    assert "ontogeny show store FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["forms", "mechanisms", "experiments", "probes", "papers"])
def test_a_word_too_many_is_wrong_usage(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", what, "junk"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"'show {what}' lists all there are and takes no junk." in captured.err


def test_out_gets_the_listing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "forms", "--quiet", "--out", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'here' / 'show.json'}\n"


def test_an_experiment_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "no-such-experiment"]) == 2
    assert (
        "There is no experiment named 'no-such-experiment'. "
        "Known: bandit, cue, forced-replies, goal-switch, linear-network, lock, rl-perceptron, "
        "shard-organism, skills, td-chain." in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("word", "value"),
    [("3", 3), ("0.1", 0.1), ("1e-3", 1e-3), ("True", True), ("adam", "adam"), ("[1]", "[1]")],
)
def test_values_of_a_condition(word: str, value: object) -> None:
    assert _value(word) == value
    assert type(_value(word)) is type(value)
