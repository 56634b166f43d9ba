"""Curves are selected by their conditions, in a small language that is read and never run."""

import pytest

from empirics.selection import parse_selection
from empirics.store import Store
from theory.curve import Curve, Schedule

FACTS = {
    "alpha": 0.05,
    "seed": 3,
    "arm": "delta rule",
    "critic": True,
    "large": 2**53 + 1,
    "entropy": {"schedule": {"t": [0.0], "value": [1.0]}},
    "run": "a",
    "run_id": "1f",
    "observable": "p_goal",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("alpha < 0.1 and seed in 0..7", True),
        ("alpha<0.05", False),
        ("alpha <= 5e-2", True),
        ("alpha in 0.05..0.05", True),
        ("seed in 4..7", False),
        ("seed not in {1, 3}", False),
        ("seed in {1,3}", True),
        ("seed = 3.0", True),
        ("seed == three", False),
        ("arm = 'delta rule' or seed > 5", True),
        ('arm != "delta rule"', False),
        ("critic = true", True),
        ("critic = 1", False),
        ("large = 9007199254740993", True),
        ("large = 9007199254740992", False),
        ("run = 1f and run = a", True),
        ("observable = p_goal and not (alpha >= 0.1)", True),
        # "and" binds more tightly than "or".
        ("seed = 3 or seed = 4 and alpha > 1", True),
        ("(seed = 3 or seed = 4) and alpha > 1", False),
        # Kleene's logic: what is not said is unknown, unless the rest decides.
        ("beta < 1", None),
        ("not beta < 1", None),
        ("beta != 1", None),
        ("arm < 1", None),
        ("entropy = 1", None),
        ("beta < 1 or seed = 3", True),
        ("beta < 1 and seed = 4", False),
        ("beta < 1 and seed = 3", None),
    ],
)
def test_what_a_condition_says_of_a_curve(text, holds):
    assert parse_selection(text).holds(FACTS) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the name of a condition is missing at place 1."),
        ("alpha", "a comparison is missing after 'alpha' (<, <=, =, !=, >=, > or in) at place 6."),
        ("alpha < high", "a number is missing after '<' at place 9."),
        ("alpha < 1 seed = 2", "'and' or 'or' is missing at place 11."),
        ("(alpha < 1", "')' is missing at place 11."),
        ("seed in 0", "'..' is missing at place 10."),
        ("seed in 7..0", "the range ends below its beginning 7 at place 12."),
        ("seed in {1,", "a value is missing at place 12."),
        ("seed not 3", "'in' is missing after 'not' at place 10."),
        ("a ; b", "';' has no meaning at place 3."),
        ("arm = 'delta", "a quote is not closed at place 7."),
        ("__import__('os')", "(<, <=, =, !=, >=, > or in) at place 11."),
        (
            "(" * 60 + "a = 1" + ")" * 60,
            "more than 50 levels of parentheses and 'not' at place 52.",
        ),
        ("not " * 5000 + "a = 1", "more than 50 levels of parentheses and 'not' at place 205."),
    ],
)
def test_a_mistake_is_named_with_its_place(text, said):
    with pytest.raises(ValueError, match=r"^the selection .*cannot be read: ") as error:
        parse_selection(text)
    assert str(error.value).endswith(said)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    for seed in range(4):
        conditions = {"seed": seed, "alpha": 0.1 * seed} | ({"late": 1} if seed == 3 else {})
        for observable in ("p_goal", "p_proxy"):
            store.append_curves(
                [
                    Curve(
                        observable,
                        [0.0, 1.0],
                        [0.5, seed / 4],
                        run=f"run {seed}",
                        run_id=f"{seed}",
                        conditions=conditions,
                    )
                ]
            )
    return store


def test_a_store_gives_the_curves_that_fulfil_a_condition(store):
    found = store.select("alpha < 0.25 and seed in 1..3 and observable = p_goal")
    assert [curve.run for curve in found.curves] == ["run 1", "run 2"]
    assert found.notes == ()
    assert store.curves("p_proxy", where="seed = 2").curves[0].run == "run 2"
    assert [key for key in store.headers(where="run = 'run 0'")[0]] == [
        ("0", "p_goal", "unspecified"),
        ("0", "p_proxy", "unspecified"),
    ]


def test_curves_that_do_not_say_are_counted(store):
    found = store.select("late = 1")
    assert [curve.run for curve in found.curves] == ["run 3", "run 3"]
    assert found.notes == (
        "6 curves not selected, since nothing there tells whether late = 1 (a condition that is "
        "absent, a schedule or of another kind).",
    )


def test_an_unknown_condition_is_named_with_those_there_are(store):
    with pytest.raises(ValueError) as error:
        store.select("alhpa < 1")
    assert str(error.value) == (
        f"no condition 'alhpa' in {store.path}; nearest: 'alpha'. Conditions: alpha, late, "
        "observable, progress, run, run_id, seed."
    )


def test_a_schedule_is_asked_for_in_vain(tmp_path):
    store = Store(tmp_path)
    drift = Schedule([0.0, 1.0], [0.1, 0.2])
    store.append_curves([Curve("y", [0.0], [1.0], run_id="1", conditions={"alpha": drift})])
    assert len(store.select("alpha = 0.1").notes) == 1


def test_portions_hold_every_curve_once(store):
    sizes = [len(portion) for portion in store.portions(rows=6)]
    assert sizes == [3, 3, 2]
    assert [c for p in store.portions(rows=6) for c in p.curves] == list(store.curves().curves)
