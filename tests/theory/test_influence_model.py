"""The four graph criteria proved on random diagrams: never wrong when they say no, needed when yes.

Tables are drawn at random: where a criterion says no, every draw must have a value of 0 (it is
sound); where it says yes, some draw must have a positive one (it is complete).
"""

import itertools

import networkx as nx
import numpy as np
import pytest

from theory.influence_diagram import (
    InfluenceDiagram,
    incentives,
    requisite_graph,
)
from theory.influence_model import (
    InfluenceModel,
    control_value,
    information_value,
    instrumental_control,
    optimal_value,
    outcomes,
    response_value,
)

VALUES = {
    "value_of_information": information_value,
    "value_of_control": control_value,
    "response_incentive": response_value,
    "instrumental_control_incentive": instrumental_control,
}


def random_diagram(rng, n_chance=4):
    """Draw a diagram of at most two parents a node; D and a chance node are the parents of U."""
    chance = [f"x{i}" for i in range(n_chance)]
    order = [*chance]
    order.insert(int(rng.integers(2, n_chance + 1)), "D")
    edges = [("D", "U"), (str(rng.choice(chance)), "U")]
    utilities = ["U", "V"][: int(rng.integers(1, 3))]
    for i, node in enumerate([*order, *utilities[1:]]):
        n_parents = min(i, int(rng.integers(node in "DV", 3)))
        edges += [(str(cause), node) for cause in rng.choice(order[:i], n_parents, replace=False)]
    return InfluenceDiagram(edges, ["D"], utilities, order)


def random_model(diagram, rng, n_noise=3):
    """Draw binary functions, one for each state of the noise, and normal payoffs."""
    chance = [n for n in diagram.nodes if n not in (*diagram.decisions, *diagram.utilities)]
    width = {node: len(diagram.parents(node)) for node in diagram.nodes}
    noise = {node: 0.9 * rng.dirichlet(np.full(n_noise, 0.5)) + 0.1 / n_noise for node in chance}
    functions = {}
    for node in chance:
        functions[node] = rng.integers(0, 2, (n_noise, *[2] * width[node]))
        functions[node].flat[-1] = 1  # binary even if no other value is drawn
    # One value more than parents can take: utilities can be set to what they never reach.
    payoffs = {node: rng.normal(size=[3] * width[node]) for node in diagram.utilities}
    return InfluenceModel(diagram, 2, noise, functions, payoffs)


def measured(model, node):
    """Return the value of each kind of incentive at a node where it has a meaning."""
    decision = model.diagram.decisions[0]
    after = {decision, *nx.descendants(model.diagram.graph(), decision)}
    return {
        kind: value(model, node)
        for kind, value in VALUES.items()
        if not (kind == "value_of_information" and node in after)
        and not (kind == "value_of_control" and node == decision)
    }


def valued(kind, model, node):
    """Say whether an incentive of this kind has a meaning at a node: whether it has a value."""
    decision = model.diagram.decisions[0]
    after = {decision, *nx.descendants(model.diagram.graph(), decision)}
    return {"value_of_information": node not in after, "value_of_control": node != decision}.get(
        kind, True
    )


def test_the_criteria_are_sound_and_complete_on_random_diagrams():
    rng = np.random.default_rng(1)
    n_no, shares = dict.fromkeys(VALUES, 0), {kind: [] for kind in VALUES}
    for _ in range(20):
        diagram = random_diagram(rng)
        models = [random_model(diagram, rng) for _ in range(3)]
        for (node, found), kind in itertools.product(incentives(diagram).items(), VALUES):
            value = VALUES[kind]
            if not valued(kind, models[0], node):
                assert not getattr(found, kind)
                continue
            drawn = [value(model, node) for model in models]
            if not getattr(found, kind):
                n_no[kind] += 1
                assert np.abs(drawn).max() < 1e-12, (diagram, kind, node)
                continue
            shares[kind].append(np.mean([v > 1e-9 for v in drawn]))
            more = (value(random_model(diagram, rng), node) > 1e-9 for _ in range(300))
            assert shares[kind][-1] > 0 or any(more), (diagram, kind, node)
    assert min(n_no.values()) > 20 and min(len(share) for share in shares.values()) > 10
    # Not most draws: of two actions one is often best whatever is seen, and then nothing need be.
    assert all(np.mean(share) > 0.2 for share in shares.values())
    assert np.mean(shares["instrumental_control_incentive"]) > 0.95


def test_what_is_not_requisite_can_be_thrown_away():
    rng = np.random.default_rng(2)
    reductions = 0
    while reductions < 10:
        diagram = random_diagram(rng)
        reduced = requisite_graph(diagram)
        if reduced != diagram:
            reductions += 1
            model = random_model(diagram, rng)
            kept = optimal_value(model, reduced.parents("D"))
            assert kept == pytest.approx(optimal_value(model), abs=1e-12)


# Two causes, two observations of them, one of them without noise.
TWO_SIGHTS = InfluenceDiagram(
    [("x", "see"), ("y", "hear"), ("x", "hear"), ("see", "D"), ("hear", "D"), ("x", "U")]
    + [("y", "V"), ("D", "U"), ("D", "V")],
    ["D"],
    ["U", "V"],
)


def test_values_equal_those_of_all_policies_one_by_one():
    rng = np.random.default_rng(3)
    for _ in range(20):
        model = random_model(TWO_SIGHTS, rng)
        probability = model.probability

        def act(policy, fixed, model=model):
            seen = outcomes(model, {"D": 0, **fixed})
            return policy[seen["see"], seen["hear"]]

        best = {"all": -np.inf, "x": -np.inf, "y": -np.inf}
        for table in itertools.product((0, 1), repeat=4):
            policy = np.reshape(table, (2, 2))
            values = outcomes(model, {"D": act(policy, {})})
            worth = float((values["U"] + values["V"]) @ probability)
            best["all"] = max(best["all"], worth)
            for node in "xy":
                acts = [act(policy, {node: value}) for value in (0, 1)]
                if all(np.array_equal(values["D"], other) for other in acts):
                    best[node] = max(best[node], worth)
        assert optimal_value(model) == pytest.approx(best["all"])
        for node in "xy":
            assert response_value(model, node) == pytest.approx(best["all"] - best[node])


def umbrella(chance_of_rain=0.3, reliability=0.9):
    """A forecast that errs both ways; taking the umbrella costs 1, rain without it 4."""
    diagram = InfluenceDiagram(
        [("rain", "forecast"), ("forecast", "take"), ("take", "wet"), ("rain", "wet")]
        + [("take", "burden"), ("wet", "comfort")],
        ["take"],
        ["burden", "comfort"],
    )
    noise = {
        "rain": [1 - chance_of_rain, chance_of_rain],
        "forecast": [reliability, 1 - reliability],
        "wet": [1.0],
    }
    functions = {
        "rain": [0, 1],
        "forecast": [[0, 1], [1, 0]],
        "wet": [[[0, 0], [1, 0]]],  # by rain, then take
    }
    return InfluenceModel(diagram, 2, noise, functions, {"burden": [0, -1], "comfort": [0, -4]})


def test_an_umbrella_by_hand():
    """Without a forecast: take it, -1. With it: take it on bad news, -0.34 - 4 · 0.03 = -0.46."""
    model = umbrella()
    assert optimal_value(model, []) == pytest.approx(-1.0)
    assert optimal_value(model) == pytest.approx(-0.46)
    assert information_value(model, "forecast") == pytest.approx(0.54)
    assert information_value(model, "rain") == pytest.approx(0.46 - 0.3)
    assert control_value(model, "rain") == pytest.approx(0.46)
    assert control_value(model, "forecast") == pytest.approx(0.46 - 0.3)
    assert control_value(model, "wet") == pytest.approx(0.46)
    assert control_value(model, "comfort") == pytest.approx(0.46)
    assert response_value(model, "forecast") == response_value(model, "rain")
    assert response_value(model, "rain") == pytest.approx(0.54)
    # Bad news: rain has chance 0.27 / 0.34, and the umbrella keeps 4 away.
    assert instrumental_control(model, "wet") == pytest.approx(4 * 0.27 / 0.34)
    assert instrumental_control(model, "forecast") == 0


def test_a_diagram_without_chance():
    diagram = InfluenceDiagram([("D", "U")], ["D"], ["U"])
    model = InfluenceModel(diagram, 3, {}, {}, {"U": [1.0, 5.0, 2.0, 7.0]})
    assert optimal_value(model) == 5.0
    assert control_value(model, "U") == 2.0
    assert instrumental_control(model, "D") == instrumental_control(model, "U") == 4.0


def test_models_and_questions_are_checked():
    model = umbrella()
    with pytest.raises(ValueError, match="'wet' comes after the decision 'take'"):
        information_value(model, "wet")
    with pytest.raises(ValueError, match="'take' is the decision, which is chosen already"):
        control_value(model, "take")
    with pytest.raises(ValueError, match="'snow' is no node"):
        response_value(model, "snow")
    parts = {"noise": model.noise, "functions": model.functions, "payoffs": model.payoffs}

    def build(**changed):
        return InfluenceModel(model.diagram, 2, **{**parts, **changed})

    with pytest.raises(ValueError, match=r"payoffs must have a table for each of \['burden', 'com"):
        build(payoffs={"burden": [0, -1]})
    with pytest.raises(ValueError, match="noise of 'rain' must be positive and sum to 1"):
        build(noise={**model.noise, "rain": [0.5, 0.4]})
    with pytest.raises(ValueError, match=r"table of 'comfort' must have shape \[2\]"):
        build(payoffs={**model.payoffs, "comfort": [0]})
    with pytest.raises(ValueError, match="functions not negative"):
        build(functions={**model.functions, "rain": [-1, 1]})
