"""Which part each column of a table plays, and what is said about the others."""

import polars as pl
import pytest

from empirics.readers import read_curves


def names(found):
    return [curve.observable for curve in found.curves]


def test_value_is_the_only_value_only_where_no_other_numbers_are(written):
    text = "global_step,reward,value,entropy\n0,1,0.5,2\n1,2,0.6,1\n"
    found = read_curves(written(text))
    assert names(found) == ["reward", "value", "entropy"]
    assert found.notes == ()


def test_y_beside_a_setting_is_the_only_value(written):
    found = read_curves(written("t,y,alpha\n0,1,0.1\n1,2,0.1\n"))
    assert names(found) == ["y"]
    assert dict(found.curves[0].conditions) == {"alpha": 0.1}


def test_numbers_that_were_not_asked_for_are_said(written):
    path = written("t,y,wander,other\n0,1,2,3\n1,2,3,5\n")
    found = read_curves(path, y=["y", "other"])
    assert names(found) == ["y", "other"]
    assert found.notes == ("1 column of numbers not asked for: wander.",)


def test_numbers_beside_the_value_of_a_long_table_are_said(written):
    path = written("t,metric,value,took\n0,p,1,2.5\n1,p,2,3.5\n0,q,1,2.1\n1,q,2,3.1\n")
    found = read_curves(path)
    assert names(found) == ["p", "q"]
    said = "1 column of numbers beside 'value' not read (name with --y what to read): took."
    assert found.notes == (said,)


@pytest.mark.parametrize(
    "text",
    [
        "t,y,lr,arm\n0,1,0.1,delta\n1,2,0.1,delta\n",
        "t,a,y,b,lr\n0,1,2,3,0.1\n1,2,3,5,0.1\n",
        "run,t,a,y,lr\nr,0,1,2,0.1\nr,1,2,3,0.1\ns,0,1,2,0.2\ns,1,2,3,0.2\n",
        "t,y,flag\n0,0,1\n1,0,1\n",
        "t,y,y_se,n_trials\n0,0.1,0.1,5\n1,0.2,0.1,5\n",
    ],
)
def test_a_curve_is_the_same_whichever_others_are_asked_for(written, text):
    path = written(text)
    by_name = {(c.run, c.observable): c for c in read_curves(path).curves}
    columns = {name for _, name in by_name}
    for asked in ("y", *sorted(columns)):
        for curve in read_curves(path, y=asked).curves:
            assert curve == by_name[curve.run, curve.observable]


def test_a_number_that_never_moves_in_a_table_of_one_run_is_setting_and_curve(written):
    found = read_curves(written("t,success,lr\n0,0,0.1\n1,0.5,0.1\n"))
    assert names(found) == ["success", "lr"]
    assert dict(found.curves[0].conditions) == {"lr": 0.1}
    assert dict(found.curves[1].conditions) == {}
    said = "1 column of one number read as a condition and as a curve (name with --y what to read)"
    assert found.notes == (f"{said}: lr.",)


def test_a_lonely_constant_is_a_curve_and_no_setting(written):
    found = read_curves(written("t,success,seed\n0,1,3\n1,1,3\n"))
    assert names(found) == ["success"]
    assert dict(found.runs[0].conditions) == {"seed": 3}


def test_a_number_of_each_run_is_a_setting(written):
    found = read_curves(written("run,t,p,alpha\na,0,1,0.1\na,1,2,0.1\nb,0,1,0.2\nb,1,2,0.2\n"))
    assert names(found) == ["p", "p"]
    assert [dict(c.conditions) for c in found.curves] == [{"alpha": 0.1}, {"alpha": 0.2}]
    assert found.notes == ()


def test_a_constant_number_of_trials_is_no_condition(written):
    found = read_curves(written("t,y,n_trials\n0,0.5,20\n1,0.6,20\n"))
    assert dict(found.curves[0].conditions) == {}
    assert found.curves[0].n_trials.tolist() == [20, 20]


def test_a_second_column_of_values_of_a_long_table_gives_its_name(written):
    path = written("t,metric,raw,smooth\n0,p,1,2\n1,p,2,3\n0,q,1,2\n1,q,2,3\n")
    both = read_curves(path, y=["raw", "smooth"], observable="metric")
    assert names(both) == ["p/raw", "p/smooth", "q/raw", "q/smooth"]
    (one, _) = read_curves(path, y="raw", observable="metric").curves
    assert one == both.curves[0]


def test_a_value_named_twice_is_read_once(written):
    assert names(read_curves(written("t,y\n0,1\n1,2\n"), y=["y", "y"])) == ["y"]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"observable": "run"}, "'run' of x.csv cannot be both run and observable"),
        ({"t": "y", "y": "y"}, "'y' of x.csv cannot be both t and y"),
        ({"run": "t"}, "'t' of x.csv cannot be both t and run"),
        ({"y": "run"}, "'run' of x.csv cannot be both y and run"),
        ({"run": "name", "observable": "name"}, "'name' of x.csv cannot be both run and"),
    ],
)
def test_one_column_plays_one_part(written, sentence, options, parts):
    path = written("run,name,t,y\na,p,0,1\na,p,1,2\n")
    said = sentence(read_curves, path, **options)
    assert said.startswith(f"column {parts}")
    assert "; name another with --" in said


@pytest.mark.parametrize("part", ["run", "observable"])
@pytest.mark.parametrize(
    ("cell", "kind"), [([1, 2], "List(Int64)"), (b"\xff\xfe", "Binary"), ({"a": 1}, "Struct")]
)
def test_runs_and_observables_are_words_or_numbers(tmp_path, sentence, part, cell, kind):
    pl.DataFrame({"t": [0, 1], "y": [1, 2], "who": [cell] * 2}).write_parquet(
        tmp_path / "x.parquet"
    )
    said = sentence(read_curves, tmp_path / "x.parquet", **{part: "who"})
    assert said.startswith(f"column 'who' of x.parquet holds {kind}")
    assert said.endswith(f"; {part} must be words or numbers.")


@pytest.mark.parametrize("part", ["t", "y"])
def test_progress_and_values_are_no_lists(tmp_path, sentence, part):
    frame = pl.DataFrame({"t": [0, 1], "y": [1, 2]}).with_columns(pl.concat_list(part).alias(part))
    frame.write_parquet(tmp_path / "x.parquet")
    said = f"column '{part}' of x.parquet holds List(Int64); {part} must be numbers."
    assert sentence(read_curves, tmp_path / "x.parquet", y="y") == said


def test_an_observable_is_no_column_of_numbers(written, sentence):
    path = written("t,y,layer\n0,1,1\n0,2,2\n1,1,1\n1,3,2\n")
    assert sentence(read_curves, path, observable="layer") == (
        "column 'layer' of x.csv holds numbers, and cannot tell observables apart: name a column "
        "of words, one of its words, or one column of values."
    )


def test_one_word_of_the_observables_can_be_read(written, sentence):
    path = written("t,metric,value\n0,p,1\n1,p,2\n0,q,1\n1,q,2\n")
    assert names(read_curves(path, observable="q")) == ["q"]
    said = "no observable 'r' in x.csv; observables: p, q."
    assert sentence(read_curves, path, observable="r") == said


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (
            "step,y\n1,2\n",
            {"t": "setp"},
            "no column 'setp' in x.csv; nearest: 'step'. Columns: step, y.",
        ),
        ("step,y\n1,2\n", {"y": "zzz"}, "no column 'zzz' in x.csv; columns: step, y."),
        (
            "t,name\n1,x\n",
            {},
            "x.csv has no column of numbers besides 't'; columns: name, t.",
        ),
        ("t,y\nx,1\n", {}, "column 't' of x.csv is not numbers; it says 'x'."),
        ("t,y\n,1\n", {}, "column 't' of x.csv is empty; name another with --t."),
        (
            "t,y\n2024-01-01,1\n2024-01-02,2\n",
            {},
            "column 't' of x.csv is not numbers; it says '2024-01-01' (a date: write it as a "
            "number, such as the seconds since the start).",
        ),
        (
            "t;y\n0;0,5\n1;0,75\n",
            {},
            "x.csv has no column of numbers besides 't'; 'y' says '0,5' (a decimal comma: write "
            "decimals with a point); columns: t, y.",
        ),
        ("t,y\n0,1\n", {"progress": "steps"}, "no progress 'steps'; choices: env_steps, episodes"),
    ],
)
def test_columns_that_are_not_there_end_in_a_sentence(written, sentence, text, options, said):
    assert sentence(read_curves, written(text), **options).startswith(said)


def test_a_table_without_progress_lists_its_columns_in_order(written, sentence):
    said = sentence(read_curves, written("b,a\n1,2\n"))
    assert said.startswith("no column of x.csv is known as training progress (_step, env-step, ")
    assert said.endswith("name it with --t. Columns: a, b.")


def test_dates_of_parquet_are_no_progress(tmp_path, sentence):
    frame = pl.DataFrame({"t": ["2024-01-01", "2024-01-02"], "y": [1, 2]})
    frame.with_columns(pl.col("t").str.to_date()).write_parquet(tmp_path / "x.parquet")
    assert "'2024-01-01' (a date: " in sentence(read_curves, tmp_path / "x.parquet")


def test_a_decimal_comma_among_numbers_is_said(written):
    found = read_curves(written("t;a;b\n0;1;0,5\n1;2;0,75\n"))
    assert names(found) == ["a"]
    said = "1 column ignored (a decimal comma: write decimals with a point): b."
    assert found.notes == (said,)


def test_columns_that_play_no_part_are_counted_and_named(written):
    found = read_curves(written(",t,y2,empty,_runtime,note\n0,0,1,,5,a\n1,1,2,,6,b\n"))
    assert names(found) == ["y2"]
    assert found.notes == (
        "1 column ignored (no name): ''.",
        "1 column ignored (every cell is empty): empty.",
        "1 column ignored (other clocks): _runtime.",
        "1 column ignored (neither numbers nor one value a run): note.",
    )


def test_a_seed_that_changes_within_a_run_is_no_curve(written):
    found = read_curves(written("run,t,y,seed\na,0,1,7\na,1,2,8\n"))
    assert names(found) == ["y"]
    assert found.notes == ("1 column ignored (a seed that changes within a run): seed.",)


def test_names_of_runs_in_a_chart_export_give_way_to_a_column_of_runs(written):
    text = "t,run,a - p,a - p__MIN,a - p__MAX\n0,r,1,1,1\n1,r,2,2,2\n0,s,1,1,1\n1,s,3,3,3\n"
    found = read_curves(written(text))
    assert [(curve.run, curve.observable) for curve in found.curves] == [
        ("r", "a - p"),
        ("s", "a - p"),
    ]


def test_a_column_without_a_cell_is_guessed_to_be_nothing(written):
    found = read_curves(written("global_step,step,run,y\n,0,,1\n,1,,2\n"))
    assert [(curve.run, curve.t.tolist()) for curve in found.curves] == [("x", [0, 1])]
    assert found.notes == ("2 columns ignored (every cell is empty): global_step, run.",)
