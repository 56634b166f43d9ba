import pytest

from fitting.error_rate import ErrorRate


@pytest.mark.parametrize(
    ("wrong", "decided", "bound"),
    [
        (0, 3, 1 - 0.05 ** (1 / 3)),
        (0, 149, 1 - 0.05 ** (1 / 149)),  # at most 2 %, the house's number
        (1, 1, 1.0),
        (0, 0, 1.0),
        # (1 - p)^2 + 2 p (1 - p) = 0.05 has the root sqrt(0.95).
        (1, 2, 0.95**0.5),
    ],
)
def test_the_upper_bound_is_that_of_clopper_and_pearson(wrong, decided, bound):
    assert ErrorRate(wrong, decided, 200).upper_bound == pytest.approx(bound)


def test_no_more_can_be_wrong_than_decided():
    with pytest.raises(ValueError, match="got 2, 1, 3"):
        ErrorRate(2, 1, 3)
