"""Pages of a study: in the report, in Markdown, as CSV and as LaTeX, and checked when read."""

import pytest

from papers.page import html
from papers.report import rendered
from papers.results import validate

PAGE = {
    "title": "Rung 1: supervised",
    "paragraphs": ["The loss is that of the population."],
    "tables": [
        {
            "caption": "the phases",
            "columns": ["phase", "llc", "draws"],
            "rows": [["5-gon", 7.0, 400], ["6-gon", None, 8]],
        }
    ],
}


@pytest.fixture
def paged(made_up_study):
    document = {**made_up_study, "study": {**made_up_study["study"], "pages": [PAGE]}}
    validate(document, "it")
    return document


def test_a_page_stands_in_every_output(paged):
    files = rendered(paged, "it", "results.json")
    assert files["tables/page_1_1.csv"] == "phase,llc,draws\n5-gon,7.0,400\n6-gon,,8\n"
    assert r"6-gon & -- & 8 \\" in files["tables/page_1_1.tex"]
    for text in (files["report.md"], html(paged)):
        assert "Rung 1: supervised" in text
        assert "The loss is that of the population." in text
        assert "5-gon" in text
    assert '<a href="#page-1">Rung 1: supervised</a>' in files["report.html"]


def test_a_damaged_page_is_refused(paged):
    paged["study"]["pages"] = [{**PAGE, "tables": [{**PAGE["tables"][0], "rows": [[[1]]]}]}]
    with pytest.raises(
        ValueError, match=r"rows\[0\]\[0\] must be text or a whole number or a number or null"
    ):
        validate(paged, "it")
