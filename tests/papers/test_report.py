import csv
import json
import re
from html.parser import HTMLParser

import pytest

from papers.mathematics import mathml
from papers.report import html, render, render_folder
from papers.results import write
from papers.sections import duration, headline, upper_first, when
from theory.forms import FORMS

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.links, self.text = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.seen.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [value for name, value in attributes if name in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def text(made_up_study):
    return html(made_up_study)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_stands_alone(page, text):
    assert "<script" not in text and "@import" not in text
    assert page.links and all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\((?!#)", text)


def test_the_page_is_well_made(page):
    tags = [tag for tag, _ in page.seen]
    assert ("html", {"lang": "en"}) in page.seen
    assert tags.count("h1") == tags.count("main") == tags.count("nav") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_every_figure_has_a_description_and_a_table(page):
    figures = [tag for tag, _ in page.seen if tag == "figure"]
    images = [given for tag, given in page.seen if tag == "svg" and given.get("role") == "img"]
    assert len(figures) == len(images) == 6 * 2 + 2 + 1
    others = [given for tag, given in page.seen if tag == "svg" and "role" not in given]
    assert all(given.get("aria-hidden") == "true" for given in others)
    assert [tag for tag, _ in page.seen].count("desc") == len(figures)


def test_the_verdict_comes_first(study, text):
    body = text[text.index("<body>") :]
    assert body.index(study["study"]["verdict"]) < body.index("<nav")


def test_numbers_of_the_document_are_on_the_page(document):
    document["curves"][0]["candidates"][0]["log_evidence"] = 12345.678
    text = "".join(Page(html(document)).text)
    assert "12345.7" in text
    assert document["curves"][0]["verdict"]["reason"] in text
    for value in ("ontogeny propose curves.csv --seed 3", "0" * 40, "ab" * 32, "12.3 s", "2.4.6"):
        assert value in text


def test_many_curves_fold_and_few_do_not(text, document):
    assert text.count('<details class="curve"') == 6
    one = html(document)
    assert '<details class="curve"' not in one and 'id="overview"' not in one


def test_text_of_the_data_is_never_markup(document, make_curve, tmp_path):
    nasty = '<script>alert("x")</script> & | `_$'
    document["curves"] = [
        make_curve(i, run=nasty, observable=nasty, conditions={nasty: nasty}) for i in range(2)
    ]
    document["rejected"] = [{"run": nasty, "observable": nasty, "reason": nasty}]
    document["notes"] = [nasty]
    document["provenance"]["command"] = nasty
    text = html(document)
    assert "<script" not in text
    assert nasty in "".join(Page(text).text)
    write(tmp_path, document)
    render(tmp_path)


def test_a_folder_gets_page_markdown_and_tables(tmp_path, study):
    write(tmp_path, study)
    path = render(tmp_path)
    assert path == tmp_path / "report.html"
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    stems = ("candidates", "curves", "ladder_1", "ladder_2", "parameters", "stages")
    assert names == {
        "results.json",
        "report.html",
        "report.md",
        *(f"tables/{stem}.{kind}" for stem in stems for kind in ("csv", "tex")),
    }
    text = (tmp_path / "report.md").read_text()
    assert study["study"]["verdict"] in text and "## Provenance" in text
    with (tmp_path / "tables" / "candidates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 10
    assert float(rows[0]["ln Z"]) == study["curves"][0]["candidates"][0]["log_evidence"]
    assert "The plateau is not in sight." in {row["doubts"] for row in rows}


def test_the_same_results_give_the_same_bytes(tmp_path, document):
    pages = []
    for name in ("a", "b"):
        write(tmp_path / name, json.loads(json.dumps(document)))
        pages.append(render_folder(tmp_path / name / "results.json").read_bytes())
    assert pages[0] == pages[1]


def test_a_page_of_a_curve_stays_small(document, make_curve):
    document["curves"] = [make_curve(log_spaced=False, n=200)]
    one = len(html(document))
    document["curves"] = [make_curve(i, log_spaced=False, n=200) for i in range(2)]
    assert len(html(document)) - one < 90_000


def test_nothing_fitted_is_still_a_report(document, make_curve):
    bare = {
        "best": None,
        "residuals": None,
        "candidates": [],
        "stages": [],
        "family_probabilities": {},
        "sensitivity": {},
        "forecast": None,
        "conditions": {},
        "verdict": {
            "kind": "inconclusive",
            "families": [],
            "forms": [],
            "reason": "3 points are too few.",
        },
    }
    document["curves"] = [make_curve() | bare, make_curve(1) | bare]
    assert "3 points are too few." in "".join(Page(html(document)).text)
    document["curves"] = []
    assert "No curve could be judged." in "".join(Page(html(document)).text)


def test_a_ladder_without_scores_is_drawn(study, tmp_path):
    names = [f"cue_normalized_critic, salience ratio {r}" for r in range(6)]
    ladder = study["ladders"][0]
    predictions = [ladder["predictions"][0] | {"mechanism": name} for name in names]
    study["ladders"] = [ladder | {"scores": [], "predictions": predictions, "truth": None}]
    write(tmp_path, study)
    render(tmp_path)
    assert not (tmp_path / "tables" / "ladder_1.csv").exists()


def test_headlines(study, document):
    del study["study"]
    assert headline(study) == (
        "Of 6 curves, 5 have a decided shape (3 sigmoid, 2 transient), 1 is inconclusive."
    )
    study["curves"] = study["curves"][1:3]
    assert headline(study) == (
        "p_proxy · alpha 0.0, seed 0 is transient (decided); "
        "success · alpha 0.0, seed 0 is sigmoid (decided)."
    )
    assert headline(document).startswith("Decided. The shape is sigmoid")


def test_sentences_keep_names_as_they_are():
    assert upper_first("p_goal rises.") == "p_goal rises."
    assert upper_first("free medians lead.") == "Free medians lead."


def test_when_says_the_interval(document):
    assert when(document["curves"][0]) == "half 200k [189k, 209k]"


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.34, "12.3 s"), (150, "2 min 30 s"), (7300, "2 h 1 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_set_as_mathematics(form):
    text = mathml(form)
    for parameter in FORMS[form].names:
        assert re.search(rf">{re.escape(parameter.split('_')[0])}<", text), parameter
    assert "<script" not in text


def test_unknown_forms_are_not_evaluated():
    assert mathml("__import__('os').system('true')") is None
