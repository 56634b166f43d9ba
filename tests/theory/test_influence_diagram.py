"""The graph criteria on published diagrams, on graphs by hand, and at the door."""

import pickle

import networkx as nx
import numpy as np
import pytest

from theory.influence_diagram import (
    Incentives,
    InfluenceDiagram,
    incentives,
    instrumental_control_incentive,
    requisite_graph,
    response_incentive,
    value_of_control,
    value_of_information,
)

INFORMATION = "value_of_information"
CONTROL = "value_of_control"
RESPONSE = "response_incentive"
INSTRUMENTAL = "instrumental_control_incentive"

# Race, high school, education, grade, gender; the predicted grade and its accuracy.
GRADES = InfluenceDiagram(
    (
        ("race", "school"),
        ("school", "education"),
        ("school", "prediction"),
        ("education", "grade"),
        ("grade", "accuracy"),
        ("gender", "prediction"),
        ("prediction", "accuracy"),
    ),
    ("prediction",),
    ("accuracy",),
)
BLIND_GRADES = InfluenceDiagram(
    tuple(edge for edge in GRADES.edges if edge != ("school", "prediction")),
    GRADES.decisions,
    GRADES.utilities,
)
# Posts are recommended by a model of the user's opinions, which they influence.
CONTENT = InfluenceDiagram(
    (
        ("opinion", "influenced"),
        ("opinion", "model"),
        ("model", "posts"),
        ("posts", "influenced"),
        ("influenced", "clicks"),
        ("posts", "clicks"),
    ),
    ("posts",),
    ("clicks",),
)
# Paid by the clicks that the model predicts.
PREDICTED_CONTENT = InfluenceDiagram(
    (
        *(edge for edge in CONTENT.edges if edge != ("influenced", "clicks")),
        ("model", "clicks"),
    ),
    CONTENT.decisions,
    CONTENT.utilities,
)


def admitted(diagram, kind):
    return {node for node, found in incentives(diagram).items() if getattr(found, kind)}


PUBLISHED = [
    (GRADES, INFORMATION, "school education grade"),
    (GRADES, CONTROL, "race school education grade accuracy"),
    (GRADES, RESPONSE, "race school"),
    (GRADES, INSTRUMENTAL, "prediction accuracy"),
    (BLIND_GRADES, INFORMATION, "race school education grade"),
    (BLIND_GRADES, RESPONSE, ""),
    (CONTENT, INFORMATION, "opinion model"),
    (CONTENT, CONTROL, "opinion model influenced clicks"),
    (CONTENT, RESPONSE, "opinion model"),
    (CONTENT, INSTRUMENTAL, "posts influenced clicks"),
    (PREDICTED_CONTENT, INFORMATION, "model"),
    (PREDICTED_CONTENT, CONTROL, "opinion model clicks"),
    (PREDICTED_CONTENT, RESPONSE, "opinion model"),
    (PREDICTED_CONTENT, INSTRUMENTAL, "posts clicks"),
]


@pytest.mark.parametrize(("diagram", "kind", "nodes"), PUBLISHED)
def test_the_published_examples(diagram, kind, nodes):
    """Grade prediction and content recommendation, Everitt et al. 2021."""
    assert admitted(diagram, kind) == set(nodes.split())


def test_a_collider_makes_a_cause_of_an_observation_worth_knowing():
    """Test score = ability + luck: luck matters to a hiring decision once the score is seen."""
    edges = (("ability", "score"), ("luck", "score"), ("ability", "output"), ("hire", "output"))
    unseen = InfluenceDiagram(edges, ("hire",), ("output",))
    seen = InfluenceDiagram((*edges, ("score", "hire")), ("hire",), ("output",))
    assert not value_of_information(unseen, "luck")
    assert value_of_information(seen, "luck")
    assert response_incentive(seen, "luck") and value_of_control(seen, "luck")
    assert not value_of_control(unseen, "luck")


def test_a_decision_without_effect_has_no_incentive_but_utilities_have_value_of_control():
    diagram = InfluenceDiagram((("weather", "choice"), ("weather", "joy")), ("choice",), ("joy",))
    assert requisite_graph(diagram).edges == (("weather", "joy"),)
    assert incentives(diagram) == {
        "choice": Incentives(False, False, False, False),
        "joy": Incentives(False, True, False, False),
        "weather": Incentives(False, True, False, False),
    }


def test_the_requisite_graph_keeps_what_has_no_edges_left():
    reduced = requisite_graph(GRADES)
    assert set(GRADES.edges) - set(reduced.edges) == {("gender", "prediction")}
    assert reduced.nodes == GRADES.nodes
    assert requisite_graph(reduced) == reduced
    assert not value_of_control(GRADES, "gender") and not response_incentive(GRADES, "gender")


def random_diagram(rng, n=7):
    """Draw a graph over D, U and others in which every edge is there half of the time."""
    names = [f"x{i}" for i in range(n - 2)]
    order = list(rng.permutation([*names, "D"])) + ["U"]
    edges = {
        (str(a), str(b)) for i, a in enumerate(order) for b in order[i + 1 :] if rng.random() < 0.4
    } | {("D", "U")}
    return InfluenceDiagram(tuple(edges), ("D",), ("U",), tuple(names))


def test_reduction_at_once_equals_reduction_one_by_one_in_any_order():
    rng = np.random.default_rng(1)
    removed = 0
    for _ in range(150):
        diagram = random_diagram(rng)
        reduced = diagram
        observations = list(diagram.parents("D"))
        for _ in range(len(observations)):
            rng.shuffle(observations)
            for node in observations:
                if node in reduced.parents("D") and not value_of_information(reduced, node):
                    edges = tuple(edge for edge in reduced.edges if edge != (node, "D"))
                    reduced = InfluenceDiagram(edges, ("D",), ("U",), diagram.nodes)
        assert requisite_graph(diagram) == reduced
        removed += len(diagram.edges) - len(reduced.edges)
    assert removed > 40


def test_value_of_information_does_not_ask_whether_the_node_is_seen_already():
    rng = np.random.default_rng(2)
    both = set()
    for _ in range(100):
        diagram = random_diagram(rng, 6)
        for node in set(diagram.nodes) - nx.descendants(diagram.graph(), "D") - {"D"}:
            edges = tuple(edge for edge in diagram.edges if edge != (node, "D"))
            without = InfluenceDiagram(edges, ("D",), ("U",), diagram.nodes)
            joined = InfluenceDiagram((*edges, (node, "D")), ("D",), ("U",), diagram.nodes)
            found = value_of_information(without, node)
            assert found == value_of_information(joined, node)
            both.add(found)
    assert both == {True, False}


@pytest.mark.parametrize(
    ("edges", "decisions", "utilities", "sentence"),
    [
        ([("a", "d"), ("d", "a"), ("d", "u")], ["d"], ["u"], "close no cycle; they close"),
        ([("d", "d"), ("d", "u")], ["d"], ["u"], "d → d"),
        (
            [("a", "u")],
            ["d"],
            ["u"],
            "decisions: 'd' is no node of the diagram; the nodes are a, u",
        ),
        (
            [("d", "a")],
            ["d"],
            ["u"],
            "utilities: 'u' is no node of the diagram; the nodes are a, d",
        ),
        ([("d", "u"), ("u", "a")], ["d"], ["u"], "no children; 'u' has the child 'a'"),
        ([("d", "u")], ["d"], ["d", "u"], "not both; d is both"),
        ([("d", "u")], [], ["u"], "decisions must name a node; the nodes are d, u"),
        ([("d", "u")], ["d"], [], "utilities must name a node"),
        ([("d", "u", "v")], ["d"], ["u"], r"edges\[0\] = \('d', 'u', 'v'\)"),
        (["du"], ["d"], ["u"], r"edges\[0\] = 'du'"),
        ([("d", "u")], "d", ["u"], "sequence of names; it is the text 'd'"),
        ([("d", "u")], [3], ["u"], "decisions must hold names; one is 3"),
    ],
)
def test_what_is_no_diagram_is_refused_in_a_sentence(edges, decisions, utilities, sentence):
    with pytest.raises(ValueError, match=sentence):
        InfluenceDiagram(edges, decisions, utilities)


@pytest.mark.parametrize(
    "criterion",
    [
        value_of_information,
        value_of_control,
        response_incentive,
        instrumental_control_incentive,
    ],
)
def test_criteria_need_a_node_and_one_decision(criterion):
    with pytest.raises(ValueError, match="node: 'luck' is no node of the diagram; the nodes are"):
        criterion(GRADES, "luck")
    two = InfluenceDiagram((("a", "u"), ("b", "u")), ("b", "a"), ("u",))
    with pytest.raises(ValueError, match="hold for one decision; this diagram has a, b"):
        criterion(two, "u")


def test_diagrams_are_values():
    again = InfluenceDiagram(
        (*reversed(GRADES.edges), GRADES.edges[0]), list(GRADES.decisions), GRADES.utilities
    )
    assert again == GRADES and hash(again) == hash(GRADES)
    assert pickle.loads(pickle.dumps(GRADES)) == GRADES
    assert GRADES.parents("prediction") == ("gender", "school")


def test_pycid_agrees():
    # However its import fails: it pins old versions of what it needs.
    pycid = pytest.importorskip("pycid", exc_type=Exception)
    rng = np.random.default_rng(3)
    for diagram in [GRADES, CONTENT, PREDICTED_CONTENT, *(random_diagram(rng) for _ in range(20))]:
        decision = diagram.decisions[0]
        theirs = pycid.CID(list(diagram.edges), [decision], list(diagram.utilities))
        for node, found in incentives(diagram).items():
            if node in theirs.nodes:
                assert found.value_of_information == pycid.admits_voi(theirs, decision, node)
                assert found.value_of_control == pycid.admits_voc(theirs, node)
                assert found.response_incentive == pycid.admits_ri(theirs, decision, node)
                ours = found.instrumental_control_incentive
                assert ours == pycid.admits_ici(theirs, decision, node)
