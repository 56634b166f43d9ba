"""`propose`, `compare` and `report` from a table to files, through the command line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fitting.comparison import Comparison
from fitting.propose import nothing_fitted
from ontogeny.cli import main
from ontogeny.judging import default_out
from theory.curve import Curve
from theory.forms import COMMON, FORMS
from theory.hypothesis import Hypothesis

Rows = list[tuple[float, float]]

FEW = ("--forms", "constant", "linear", "logistic", "--noise", "white")

CANDIDATE = {
    "form", "noise", "family", "status", "expression", "latex", "parameters", "log_likelihood",
    "n_free", "aicc", "bic", "log_evidence", "log_evidence_se", "sampler", "weight",
    "elpd_loo", "elpd_forecast", "doubts",
}  # fmt: skip


def results(command: str, path: Path, out: Path, *words: str) -> dict[str, Any]:
    assert main([command, str(path), *FEW, "--out", str(out), *words]) == 0
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("command", ["propose", "compare"])
def test_a_sigmoid_is_called_one(
    command: str,
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "copy" / "same.json"
    out = tmp_path / "out"
    document = results(command, table(rising), out, "--json", str(file))
    assert json.loads(file.read_text(encoding="utf-8")) == document
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(out / "report.html")
    assert (out / "report.html").is_file()
    assert document["schema"] == 1
    assert document["command"] == command
    (curve,) = document["curves"]
    assert curve["observable"] == "episodic_return"
    assert curve["n_obs"] == len(rising)
    assert curve["family_probabilities"]["sigmoid"] > 0.95
    assert sum(curve["family_probabilities"].values()) == pytest.approx(1.0)
    best = curve["candidates"][0]
    assert best.keys() >= CANDIDATE
    assert (best["form"], best["noise"], best["family"]) == ("logistic", "white", "sigmoid")
    # midpoint 3000, known by its own interval, which 60 points with sd 0.02 make narrow
    midpoint = best["parameters"]["midpoint"]
    assert midpoint["lower"] < 3000 < midpoint["upper"]
    assert midpoint["upper"] - midpoint["lower"] < 200


def test_the_same_seed_gives_the_same_curves(
    rising: Rows, table: Callable[..., Path], tmp_path: Path
) -> None:
    path = table(rising)
    first, second = (
        results("propose", path, tmp_path / name, "--seed", "3", "--quiet") for name in "ab"
    )
    assert first["curves"] == second["curves"]


def test_curves_of_one_axis_come_with_their_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["seed,env_steps,p_proxy,p_goal"]
    for seed in range(2):
        for i in range(30):
            early, late = i > 8 + seed, i > 18 + seed
            ripple = 0.02 * (-1) ** (i * (i + seed) // 2)
            lines.append(f"{seed},{100 * i},{early + ripple},{late - ripple}")
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines))
    words = ("--t", "env_steps", "--y", "p_proxy", "p_goal", "--run", "seed")
    orders = results("propose", path, tmp_path / "out", *words)["orders"]
    onset = orders["observables"][0]
    assert [one["first"] for one in onset["orders"]] == ["p_proxy", "p_proxy"]
    # The steps lie 1000 apart, and each is known to the gap of 100 between two points.
    assert abs(onset["orders"][0]["difference"]["value"] - 1000) < 200
    assert onset["frequency"]["sentence"] in capsys.readouterr().out
    assert onset["frequency"]["sentence"] in (tmp_path / "out" / "report.md").read_text()


def test_a_license_is_made_once_and_said(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("papers.licenses.processors", lambda: 1)
    words = ("--license", "3", "--quiet")
    document = results("compare", table(rising), tmp_path / "out", *words)
    (curve,) = document["curves"]
    license = curve["license"]
    assert license["number"] == sum(sum(said.values()) for said in license["confusion"].values())
    assert license["number"] == 3
    assert license["sentence"] in curve["verdict"]["reason"]
    assert license["explained"] in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "simulated curves of this design" in (tmp_path / "out" / "report.html").read_text()
    monkeypatch.setattr("papers.licenses.trial", None)  # nothing is left to simulate
    again = results("compare", table(rising), tmp_path / "out", *words)
    assert again["curves"][0]["license"] == license


def test_a_license_needs_a_number_of_curves(
    rising: Rows, table: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as found:
        main(["compare", str(table(rising)), "--license", "none"])
    assert found.value.code == 2
    assert "give a whole number of curves" in capsys.readouterr().err


def test_quiet_prints_the_path_only(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    results("propose", table(rising), tmp_path / "out", "--quiet")
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'out' / 'report.html'}\n"
    assert captured.err == ""


def test_a_report_can_be_made_again(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    results("propose", table(rising), out, "--quiet")
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    capsys.readouterr()
    assert main(["report", str(out), "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out / 'report.html'}\n"
    assert captured.err == ""
    assert (out / "report.html").read_bytes() == before


def test_a_report_goes_where_it_is_told(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, elsewhere, file = tmp_path / "out", tmp_path / "elsewhere", tmp_path / "copy.json"
    document = results("propose", table(rising), out, "--quiet")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    capsys.readouterr()
    words = ["report", str(out), "--out", str(elsewhere), "--json", str(file)]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{elsewhere / 'report.html'}\n"
    assert captured.err.startswith("Drawing curves: 0/1\n")
    assert json.loads(file.read_text(encoding="utf-8")) == document
    assert json.loads((elsewhere / "results.json").read_text(encoding="utf-8")) == document
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_results_of_another_input_are_not_overwritten(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    made = []
    for folder in ("one", "two", "one"):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = table(rising, f"{folder}/runs.csv")
        assert main(["propose", str(path), *FEW, "--quiet"]) == 0
        made.append(Path(capsys.readouterr().out.strip()).parent.name)
    assert made == ["propose-runs", "propose-two-runs", "propose-runs"]


def test_a_folder_without_a_name_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-store").mkdir()
    monkeypatch.chdir(tmp_path / "my-store")
    assert default_out("propose", Path(".")) == Path("results", "propose-my-store")


def test_damaged_results_are_one_sentence(
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    document = results("propose", table(rising), out, "--quiet")
    document["curves"][0]["verdict"] = {}
    (out / "results.json").write_text(json.dumps(document), encoding="utf-8")
    page = (out / "report.html").read_bytes()
    capsys.readouterr()
    assert main(["report", str(out)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "results.json is damaged: curves[0].verdict lacks kind" in err
    assert (out / "report.html").read_bytes() == page


def test_a_folder_without_results_cannot_be_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", ["propose", "compare"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--forms", "logistc"], "did you mean logistic"),
        (["--noise", "whit"], "did you mean white"),
    ],
)
def test_unknown_names_are_wrong_usage(
    command: str,
    words: list[str],
    sentence: str,
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(table(rising))
    assert main([command, path, *words, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert sentence in err
    assert not (tmp_path / "out").exists()


def test_a_study_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "goal-swich"]) == 2
    assert "did you mean goal-switch?" in capsys.readouterr().err
    assert main(["study"]) == 2
    assert main(["study", "--list"]) == 0
    assert capsys.readouterr().out.startswith("goal-switch")


@pytest.mark.parametrize("what", ["three points", "a constant"])
def test_a_curve_that_cannot_be_judged_is_said_not_dropped(
    what: str,
    rising: Rows,
    table: Callable[..., Path],
    tmp_path: Path,
) -> None:
    rows = rising[:3] if what == "three points" else [(t, 1.0) for t, _ in rising]
    (curve,) = results("propose", table(rows), tmp_path / "out")["curves"]
    assert curve["n_obs"] == len(rows)
    assert curve["verdict"]["kind"] == "inconclusive"
    assert curve["verdict"]["reason"]


@pytest.mark.parametrize(("words", "competing"), [(["all"], set(FORMS)), ([], set(COMMON))])
def test_which_forms_compete(
    words: list[str],
    competing: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("env_steps,success\n" + "".join(f"{t},{t % 3}\n" for t in range(9)))
    seen: list[str] = []

    def compared(curve: Curve, hypotheses: Sequence[Hypothesis], **options: object) -> Comparison:
        seen.extend(hypothesis.form.name for hypothesis in hypotheses)
        return nothing_fitted(curve, "nothing is compared here.")

    monkeypatch.setattr("fitting.propose.compare", compared)
    chosen = ["--forms", *words] if words else []
    arguments = ["propose", str(table), *chosen, "--quiet", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert set(seen) == competing
