from dataclasses import dataclass

import numpy as np
import pytest

from empirics.coerce import coerce_fields, number, truth, whole


@dataclass(frozen=True)
class Settings:
    count: int = 1
    share: float = 0.5
    limit: float | None = None
    on: bool = False
    name: str = "x"

    def __post_init__(self):
        coerce_fields(self)


def test_equal_values_become_one_value_of_the_declared_type():
    loose = Settings(np.float32(64), 1, np.int64(2), 1, "y")
    assert repr(loose) == repr(Settings(64, 1.0, 2.0, True, "y"))
    assert repr(Settings(share=-0.0).share) == "0.0"
    assert Settings(limit=None).limit is None


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (whole, 4.5, "n must be a whole number; it is 4.5."),
        (whole, np.float64("inf"), "n must be a whole number; it is inf."),
        (whole, "4", "n must be a whole number; it is '4'."),
        (whole, True, "n must be a whole number; it is True."),
        (number, np.bool_(True), "n must be a number; it is True."),
        (number, 1j, "n must be a number"),
        (number, 10**400, "n must be finite; it is inf."),
        (number, float("nan"), "n must be finite; it is nan."),
        (truth, 2, "n must be True or False; it is 2."),
        (truth, "true", "n must be True or False; it is 'true'."),
        (truth, None, "n must be True or False; it is None."),
    ],
)
def test_any_other_value_is_said(read, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        read("n", value)


def test_a_field_is_named_by_its_own_name():
    with pytest.raises(ValueError, match="share must be a number; it is 'half'."):
        Settings(share="half")
