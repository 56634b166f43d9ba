import re
from html.parser import HTMLParser

import pytest

from papers import report
from papers.page import html
from papers.report import render
from papers.results import write
from papers.sections.headline import headline

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
    # Two a curve, one a ladder, and the development with a panel a rung.
    assert len(figures) == 6 * 3 + 2 + 1
    assert len(images) == len(figures) + 1
    others = [given for tag, given in page.seen if tag == "svg" and "role" not in given]
    assert all(given.get("aria-hidden") == "true" for given in others)
    assert [tag for tag, _ in page.seen].count("desc") == len(images)


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


def test_a_page_of_a_curve_stays_small(document, make_curve):
    document["curves"] = [make_curve(log_spaced=False, n=200)]
    one = len(html(document))
    document["curves"] = [make_curve(i, log_spaced=False, n=200) for i in range(2)]
    assert len(html(document)) - one < 40_000 * 3  # figures, each with its table


def test_nothing_fitted_is_still_a_report(document, make_curve):
    bare = {
        "fitted": None,
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


def doubted(document):
    """The document's curve with doubts that one, some and all of its ten candidates have."""
    (curve,) = document["curves"]
    for i, candidate in enumerate(curve["candidates"]):
        candidate["doubts"] = ["Everybody has this."]
        candidate["doubts"] += [f"The plateau would change by {10 + i} %."] if i < 4 else []
        candidate["doubts"] += ["Only the last is alone."] if i == 9 else []
    return document


def test_doubts_stay_where_details_are_closed(document):
    text = html(doubted(document))
    outside = re.sub(r"<details class=\"data\".*?</details>", "", text, flags=re.DOTALL)
    # The leading hypothesis' own doubt stands near the verdict, those of shown rows below them.
    assert "Doubts about the heaviest hypothesis, logistic × white: The plateau would" in outside
    assert "The plateau would change by 10 to 13 %." in outside
    assert outside.count("All 10 hypotheses: Everybody has this.") == 1
    assert "Only the last is alone." not in outside and "Only the last is alone." in text


def test_print_hides_tables_of_points_only():
    css = (report.Path(report.__file__).parent / "templates" / "report.css").read_text()
    printed = css[css.index("@media print") :]
    hidden = re.findall(r"([^{};]+)\{[^{}]*display: none", printed)
    assert [rule.strip() for rule in hidden] == ["nav, .skip", "details.points"]
    assert "details.data::details-content" in printed


def test_a_heavy_form_comes_before_one_of_higher_evidence(document):
    first, second = document["curves"][0]["candidates"][:2]
    first["weight"], second["weight"] = 0.1, 0.8
    text = "".join(Page(html(document)).text)
    table = text[text.index("Hypotheses compared, by weight") :]
    assert table.index("logistic × ou white") < table.index("logistic × white")
    assert "near-copies of a form share" in text and "best form" not in text


def test_a_study_shows_its_runs_and_readings(text):
    words = " ".join("".join(Page(text).text).split())
    assert "60k to 66k" in words and "P(never led by proxy)" in words
    assert "any open step" in words and "se over levels" in words


def test_names_do_not_repeat_what_all_share(document, make_curve):
    document["curves"] = [
        make_curve(i, observable, run=f"the experiment alpha={i}")
        for i in range(2)
        for observable in ("p_goal", "p_proxy")
    ]
    text = html(document)
    nav = text[text.index("<nav") : text.index("</nav>")]
    assert "the experiment" not in nav
    assert nav.count("alpha=0") == nav.count("alpha=1") == 1


def test_the_truth_and_the_verdict_of_a_ladder_are_said_once(study, text):
    words = "".join(Page(text).text)
    first = words[words.index("Delta rule, r = 2", words.index("Mechanisms on the ladder") + 60) :]
    assert first[: first.index("Softmax")].count("by 11.0 nats") == 1
    assert "delta_rule leads" not in words
