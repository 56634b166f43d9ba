"""`published.toml`: read whole, and what is wrong in it is said with its place."""

from pathlib import Path

import pytest

import papers
from papers.publication import read_publication
from papers.published import PAPERS

GOOD = """
title = "On falling"
source = "Someone 1900"

[settings]
towers = 1

[[claims]]
name = "falls"
statement = "It falls."
kind = "shape"
locator = "p. 3"
criterion = "it is lower after than before"

[[claims]]
name = "speed"
statement = "It falls so fast."
kind = "number"
locator = "p. 4"
numbers = { g = 9.81 }
tolerance = 0.01
source = "measured again later"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "published.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_it_is_read_whole(file):
    found = read_publication(file(GOOD))
    assert (found.title, found.source) == ("On falling", "Someone 1900")
    assert [claim.name for claim in found.claims] == ["falls", "speed"]
    assert found.settings == {"towers": 1}
    assert found.claim("speed").numbers == {"g": 9.81}
    assert found.claim("speed").source == "measured again later"
    with pytest.raises(ValueError, match="no claim 'rises'; choose from falls, speed"):
        found.claim("rises")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "On falling"', "", "it lacks title."),
        ("[settings]", "[setting]", "it has setting; it may have claims, settings, source, title."),
        ('locator = "p. 3"', 'page = "3"', r"claims\[0\] lacks locator."),
        (
            'locator = "p. 3"',
            'locator = "3"\nwhere = 1',
            r"claims\[0\] has where; it may have",
        ),
        ('kind = "shape"', 'kind = "form"', r"claims\[0\].kind must be one of number, shape;"),
        ("g = 9.81", 'g = "fast"', r"claims\[1\].numbers.g must be a finite number; it is 'fast'"),
        ("tolerance = 0.01", "", "the tolerance of claim 'speed' must be a positive number"),
        ('name = "speed"', 'name = "falls"', "must have names of their own; twice: falls."),
        ("[[claims]]", "[[claims", "published.toml: "),
    ],
)
def test_what_is_wrong_is_said(file, old, new, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        read_publication(file(GOOD.replace(old, new)))
    assert "published.toml: " in str(error.value)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_no_claims_are_no_publication(file):
    with pytest.raises(ValueError, match=": claims must have at least 1 elements; it has 0."):
        read_publication(file('title = "a"\nsource = "b"\nclaims = []\n'))


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_has_a_folder_with_a_readme_and_claims(name):
    folder = Path(papers.__file__).parent / name
    assert name in PAPERS and (folder / "README.md").is_file()
    assert (folder / "reproduce.py").is_file()
    assert PAPERS[name].publication.claims
