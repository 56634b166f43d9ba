import re

import pytest

from papers.mathematics import latex, mathml, units
from theory.forms import FORMS

INTERNAL = ("approach", "softplus", "clamped", "expm", "piecewise", "lambda")


@pytest.mark.parametrize("form", sorted(FORMS))
def test_no_function_of_ours_shows_in_a_formula(form):
    text = mathml(form).lower()
    assert not [name for name in INTERNAL if name in text]
    assert "<script" not in text


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_parameter_is_one_word_with_its_number_below(form):
    text = mathml(form)
    for name in FORMS[form].names:
        word, _, index = name.rpartition("_")
        if word and index.isdigit():
            written = f'<msub><mi mathvariant="normal">{word}</mi><mn>{index}</mn></msub>'
        else:
            written = f'<mi mathvariant="normal">{name}</mi>'
        assert written in text, name


def test_a_form_in_pieces_is_written_as_cases():
    text = mathml("delayed_exponential")
    assert text.count("<mtr>") == 2
    first, second = re.findall(r"<mtr>(.*?)</mtr>", text)
    assert "<mn>0</mn>" in first and "&#x2264;" in first
    assert first.index("<mi>t</mi>") < first.index("onset")
    assert "otherwise" in second


def test_names_that_are_not_registered_are_not_evaluated():
    name = "__import__('os').system('true')"
    assert mathml(name) is None and latex(name) is None and units(name) == {}
