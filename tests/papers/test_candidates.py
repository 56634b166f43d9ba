from papers.sections.candidates import candidates, template, with_ranges


def with_doubts(curve, *doubts):
    for candidate, own in zip(curve["candidates"], doubts, strict=False):
        candidate["doubts"] = own
    for candidate in curve["candidates"][len(doubts) :]:
        candidate["doubts"] = []
    return curve


def test_a_doubt_of_nearly_all_is_said_once(make_curve):
    found = candidates(with_doubts(make_curve(), *[["Shared."]] * 9))
    assert found.shared == ("9 of 10 hypotheses: Shared.",)
    assert found.doubts == () and {row[-1] for row in found.table.rows} == {""}


def test_a_doubt_of_few_gets_a_letter(make_curve):
    found = candidates(with_doubts(make_curve(), [], ["Rare."], ["Rare.", "Other."]))
    assert found.shared == ()
    assert found.doubts == (("a", "Rare."), ("b", "Other."))
    assert [row[-1] for row in found.table.rows[:4]] == ["", "a", "a b", ""]


def test_doubts_that_differ_in_numbers_share_a_letter(make_curve):
    doubts = [
        [f"It changes by {p} %, at rate_1 with p = {q}."] for p, q in ((12, "1e-05"), (9, 0.2))
    ]
    found = candidates(with_doubts(make_curve(), *doubts))
    assert found.doubts == (("a", "It changes by 9 to 12 %, at rate_1 with p = 1e-05 to 0.2."),)
    # The leading hypothesis' own doubts are given word for word.
    assert found.leading == ("It changes by 12 %, at rate_1 with p = 1e-05.",)


def test_numbers_within_names_are_no_numbers():
    assert template("rate_1 and midpoint_2 differ") == template("rate_1 and midpoint_2 differ")
    assert template("rate_1 is off") != template("rate_2 is off")
    assert with_ranges([{"status": "", "doubts": ["Only 40 points."]}], template("Only 40 points."))


def test_rows_know_which_doubts_they_need(make_curve):
    found = candidates(with_doubts(make_curve(), ["One."], ["One.", "Two."], ["Three."]))
    assert found.doubts_of(0, 2) == [("a", "One."), ("b", "Two.")]
    assert found.doubts_of(2) == [("c", "Three.")]


def test_the_reason_for_a_number_the_page_does_not_show_is_no_row_of_doubts(make_curve):
    found = candidates(with_doubts(make_curve(), ["PSIS-LOO is not computed (elpd_loo)."]))
    assert found.doubts == () and found.leading == ()
    assert found.shared == ("1 of 10 hypotheses: PSIS-LOO is not computed (elpd_loo).",)


def test_why_a_whole_noise_does_not_forecast_is_said_once(make_curve):
    why = "It has no density for the rest (elpd_forecast)."
    found = candidates(with_doubts(make_curve(), *[["Own."], [why]] * 5))
    assert found.shared == (f"5 of 10 hypotheses: {why}",)
    assert found.doubts == (("a", "Own."),)
