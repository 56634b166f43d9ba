"""The organism itself: does the goal switch, and only where it should?"""

import pytest

from empirics.experiment import run
from empirics.experiments.goal_switch import SCALES


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_goal_overtakes_the_proxy_only_when_levels_part_them(seed):
    scale = SCALES["quick"]
    control, switching = (run(scale.experiment.at(alpha=alpha), seed) for alpha in scale.alphas)

    goal, proxy = switching.curve("p_goal").y, switching.curve("p_proxy").y
    # The proxy comes first and goes again; the goal first loses to it.
    assert 0.2 < proxy[0] < 0.3 and proxy.max() > 0.4 and proxy[-1] < 0.35
    assert goal.min() < 0.2 and goal[-1] > 0.5
    assert proxy.argmax() < goal.argmax()

    # Without levels that part them the goal never comes, and the cheese is ignored.
    assert control.curve("p_goal").y[-1] < 0.15
    assert control.curve("p_proxy").y[-1] > 0.8
    assert control.curve("p_proxy_without_goal").y[-1] > 0.8
