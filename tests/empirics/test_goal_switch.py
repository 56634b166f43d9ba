"""The organism itself: does the goal switch, and only where it should?"""

import numpy as np
import pytest

from empirics.experiments.goal_switch import SCALES
from empirics.task import run


def lead_and_error(one):
    """P(goal step) − P(proxy step) at each checkpoint, and the largest error it can have.

    Both are read on the same levels and exclude each other, so their errors add at worst.
    """
    lead = one.curve("p_goal").y - one.curve("p_proxy").y
    return lead, max(found["p_goal"].se + found["p_proxy"].se for _, found in one.readings)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_goal_overtakes_the_proxy_only_when_levels_part_them(seed):
    scale = SCALES["quick"]
    control, switching = (run(scale.experiment.at(alpha=alpha), seed) for alpha in scale.alphas)

    # The proxy comes first and goes again; the goal first loses to it, and wins.
    lead, se = lead_and_error(switching)
    proxy = switching.curve("p_proxy").y
    assert abs(lead[0]) < 3 * se and lead.min() < -3 * se and lead[-1] > 3 * se
    assert proxy.max() - max(proxy[0], proxy[-1]) > 3 * se
    assert np.flatnonzero(lead < -3 * se)[-1] < np.flatnonzero(lead > 3 * se)[0]

    # Without levels that part them the goal never comes, and the cheese is ignored.
    lead, se = lead_and_error(control)
    assert lead.max() < 3 * se and lead[-1] < -3 * se
    assert control.curve("p_goal").y[-1] < 0.15
    assert control.curve("p_proxy").y[-1] > 0.8
    assert control.curve("p_proxy_without_goal").y[-1] > 0.8
