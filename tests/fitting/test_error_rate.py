import pytest

from fitting.trials.error_rate import ErrorRate, Proportion


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


def test_the_lower_bound_is_that_of_clopper_and_pearson():
    assert ErrorRate(0, 9, 10).lower_bound == 0.0
    assert ErrorRate(3, 3, 3).lower_bound == pytest.approx(0.05 ** (1 / 3))
    # 1 - (1 - p)^2 = 0.05
    assert ErrorRate(1, 2, 3).lower_bound == pytest.approx(1 - 0.95**0.5)


def test_a_share_has_wilsons_interval():
    # Brown, Cai and DasGupta 2001, eq. 4, solved for: (share - p)^2 = z^2 p (1 - p) / n.
    part = Proportion(7, 40)
    for edge in part.interval:
        assert (7 / 40 - edge) ** 2 == pytest.approx(1.959963984540054**2 * edge * (1 - edge) / 40)
    assert Proportion(0, 0).value is None
    assert Proportion(0, 0).interval == (0.0, 1.0)
    with pytest.raises(ValueError, match="got 2, 1"):
        Proportion(2, 1)
