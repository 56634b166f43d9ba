from papers.goal_switch import sentences


def test_the_headline_holds_the_measured_bracket_and_the_fitted_probability(make_run):
    runs = [make_run(0.0), make_run(0.2, 0), make_run(0.2, 1)]
    runs[2]["onset"] |= {"lower": 8e4, "upper": 9e4}
    runs[2]["flip"]["ends_above"] = 0.99
    said = sentences.maze_sentence(runs)
    assert (
        "0 of 1 at alpha = 0 (probability that the fitted goal ends above the proxy: 0.01)" in said
    )
    assert "2 of 2 at alpha = 0.2 between 60k and 90k environment steps" in said
    assert "0.93 and 0.99" in said
    assert said.endswith("Which rule sets that date is INCONCLUSIVE.")


def test_a_wide_fitted_band_at_the_start_does_not_undo_a_measured_switch(make_run):
    run = make_run(0.2)
    run["flip"] |= {"crosses": 0.4, "never_led_by_proxy": 0.55, "ends_above": 0.95}
    assert sentences.has_switched(run)
    assert "1 of 1 at alpha = 0.2" in sentences.maze_sentence([run])


def test_a_run_that_the_proxy_never_led_is_a_category_of_its_own(make_run):
    led, never = make_run(0.2), make_run(0.2, 1)
    never["onset"] |= {"lower": 0.0, "upper": 4096.0, "led_by_proxy": False}
    said = sentences.maze_sentence([led, never])
    assert "1 of 2 at alpha = 0.2" in said and "in 1 the proxy never led" in said
    assert "the proxy never does" in sentences.run_sentence(never)


def test_the_fitted_flip_is_said_with_its_probabilities(make_run):
    said = sentences.flip_said(make_run(0.2))
    assert said == (
        "Fitted, it ends above the proxy with probability 0.93 (with 0.12 of it above from the "
        "start, never led by the proxy); if it overtakes (probability 0.81), then after 70k (60k "
        "to 80k) environment steps."
    )


def test_probabilities_on_either_side_of_one_half_make_the_same_sentence(make_run):
    texts = []
    for p in (0.49, 0.51):
        run = make_run(0.2)
        run["flip"] |= {"ends_above": p}
        texts.append(sentences.flip_said(run).replace(f"{p:.2f}", "p"))
    assert texts[0] == texts[1]


def test_an_undecided_bump_is_said_as_a_condition(make_run):
    run = make_run(0.2)
    said = " ".join(sentences.proxy_said(run))
    assert said.startswith("If P(proxy step) is transient (probability 0.74), it peaks at 0.47 (")
    assert "largest measured P(proxy step) is 0.58, after 50k environment steps" in said
    run["proxy"] |= {"verdict": "decided", "family_probability": 0.98}
    decided = sentences.proxy_said(run)[0]
    assert decided.startswith("P(proxy step) is transient (probability 0.98): it peaks at 0.47 (")


def test_a_trough_is_not_called_a_peak(make_run, make_peak):
    run = make_run(0.2)
    run["proxy"]["peak"] = make_peak(-1)
    said = sentences.proxy_said(run)[0]
    assert "turns up again at 0.47" in said and "peak" not in said


def test_a_curve_without_a_turn_says_how_likely_one_is(make_run):
    said = sentences.proxy_said(make_run(0.0))[0]
    assert said == (
        "P(proxy step) is most likely saturating (probability 0.74), without a turn; transient "
        "with probability 0.11."
    )


def test_a_curve_that_could_not_be_fitted_gives_its_reason(make_run):
    run = make_run(0.2)
    nothing = dict.fromkeys(("time", "ends_above", "crosses", "never_led_by_proxy"))
    run["flip"] = {**nothing, "reason": "p_goal does not vary."}
    assert "give no flip time: p_goal does not vary." in sentences.run_sentence(run)
    assert "no fitted curves to compare" in sentences.maze_sentence([run])


def test_paragraphs_begin_with_what_the_run_is(make_run):
    control, switching = sentences.paragraphs([make_run(0.0), make_run(0.2, 1)])
    assert control.startswith("Control (alpha = 0), seed 0: measured, ")
    assert switching.startswith("Alpha = 0.2, seed 1: measured, ")
    for text in (control, switching):
        assert "env_steps" not in text and "goal-switch" not in text


def test_last_readings_have_their_error_over_levels(make_run):
    said = sentences.last_said(make_run(0.2))
    assert "P(goal step) = 0.690 ± 0.008" in said and "± se over levels" in said
    bare = make_run(0.2)
    for reading in bare["last"].values():
        reading["se"] = None
    assert "±" not in sentences.last_said(bare)


def test_many_runs_are_summed_up_by_rung(make_run):
    runs = [make_run(alpha, seed) for alpha in (0.0, 0.1, 0.2) for seed in range(8)]
    found = sentences.paragraphs(runs)
    assert len(found) == 3
    assert found[1].startswith(
        "Alpha = 0.1, 8 runs: measured, the goal comes to lead for good in 8"
    )
    assert "transient with probability 0.74" in found[1]


def test_the_headline_of_many_rungs_stays_readable(make_run):
    runs = [make_run(a, s) for a in (0.0, 0.05, 0.1, 0.15, 0.25, 0.4) for s in range(8)]
    said = sentences.maze_sentence(runs)
    assert "0 of 8 at alpha = 0 (0.01), 8 of 8 at alpha = 0.05 (0.93), " in said
    assert "and 8 of 8 at alpha = 0.4 (0.93); in brackets, the probability" in said
    assert "The switches lie between 60k and 66k environment steps." in said


def test_an_arm_that_was_wrong_is_counted(make_run):
    rate = {"wrong": 1, "decided": 2, "number": 3, "upper_bound": 0.975}
    said = sentences.cue_sentence(rate)
    assert "in 2 of 3 arms" in said and "wrong/decided 1/2, 95 % upper bound 98 %" in said
    assert "alone" not in said and "up to a fitted factor" in said


def test_success_around_the_switch_is_said_only_where_there_is_one(make_run):
    assert "0.51 and 0.52 at the two checkpoints" in sentences.success_said(make_run(0.2))[0]
    assert sentences.success_said(make_run(0.0)) == []
    assert sentences.hidden_sentence([make_run(0.0)]).startswith("In no run")
    assert "stood at 0.52; at the end at 0.63" in sentences.hidden_sentence([make_run(0.2)])
