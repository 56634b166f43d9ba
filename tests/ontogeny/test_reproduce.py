"""`reproduce` names a paper, hands on what it is told, and prints the report's path."""

import json
from pathlib import Path

import pytest

from ontogeny.cli import main


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the re-execution of a paper of one claim was asked; it trains nothing."""
    from papers import published
    from papers.claim import compared
    from papers.reproduction import Reproduction

    asked: dict[str, object] = {}
    paper = published.PAPERS["macdermott2024_meg"]

    def run(self: object, **keywords: object) -> Reproduction:
        from dataclasses import replace

        asked.update(keywords)
        claim = paper.publication.claim("optimum")
        publication = replace(paper.publication, claims=(claim,))
        return Reproduction(publication, (compared(claim, dict(claim.numbers)),), ("One.",))

    monkeypatch.setattr(published.Paper, "run", run)
    return asked


def test_a_paper_is_run_and_its_report_named(
    told: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, file = tmp_path / "out", tmp_path / "meg.json"
    words = ["reproduce", "macdermott2024_meg", "--store", "agents", "--seed", "5", "--quiet"]
    assert main([*words, "--scale", "full", "--out", str(out), "--json", str(file)]) == 0
    assert capsys.readouterr().out == f"{out / 'report.html'}\n"
    assert (told["store"], told["seed"], told["scale"]) == (Path("agents"), 5, "full")
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["command"] == "reproduce" and document["study"]["outcomes"][0]["agrees"]
    assert document["provenance"]["command"].startswith("ontogeny reproduce macdermott2024_meg")
    assert main(["report", str(out), "--quiet"]) == 0


def test_agents_of_a_store_are_chosen_by_their_conditions(
    told: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from empirics.atomically import write_text
    from empirics.store import RunRecord, Store

    store = tmp_path / "store"
    for run_id, alpha in (("a", 0.0), ("b", 0.1)):
        Store(store).append_run(RunRecord(run_id, run_id, conditions={"alpha": alpha}))
        write_text(store / "checkpoints" / run_id / "0.safetensors", "")
    words = ["reproduce", "macdermott2024_meg", "--quiet", "--where", "alpha > 0"]
    assert main([*words, "--store", str(store), "--out", str(tmp_path / "out")]) == 0
    assert told["runs"] == ["b"]
    capsys.readouterr()
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(
        "--where chooses agents of a store: name one with --store.\n"
    )


def test_an_unknown_paper_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "macdermott2024"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        "There is no paper named 'macdermott2024'; did you mean macdermott2024_meg? "
        "Known: colognese2023_objectives, jenner2024_lookahead, macdermott2024_meg, "
        "mini2023_maze_policy." in captured.err
    )


def test_a_store_without_agents_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "mini2023_maze_policy", "--store", str(tmp_path), "--quiet"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "is not a store" in captured.err
    assert not (tmp_path / "out").exists()
