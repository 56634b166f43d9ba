"""What is said of an interrupted study is what it keeps."""

import pytest

from ontogeny.cli import main
from papers.studies import STUDIES


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_an_interrupted_study_says_whether_it_goes_on(name, monkeypatch, capsys, tmp_path):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("papers.studies.Study.run", interrupt)
    assert main(["study", name, "--out", str(tmp_path), "--quiet"]) == 130
    said = capsys.readouterr().err
    assert ("goes on" in said) is STUDIES[name].resumes
    assert ("nothing is kept" in said) is not STUDIES[name].resumes
