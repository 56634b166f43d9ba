"""The influence diagram of a maze: what its graph admits of an agent at the end of learning."""

from __future__ import annotations

from theory.influence_diagram import InfluenceDiagram


def maze_diagram() -> InfluenceDiagram:
    """Return the influence diagram of a level, its steps taken together as one decision.

    `goal` and `distractor` are where these objects lie, `mouse` where the agent comes to be, and
    `corner` whether it is in the corner on the way.
    """
    seen = ("distractor", "goal", "walls")
    causes = [("action", "mouse"), ("walls", "mouse"), ("mouse", "corner")]
    return InfluenceDiagram(
        edges=(
            *((node, "action") for node in seen),
            *causes,
            ("mouse", "return"),
            ("goal", "return"),
        ),
        decisions=("action",),
        utilities=("return",),
    )
