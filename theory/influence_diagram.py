"""Causal influence diagrams of one decision, and the incentives that their graph admits.

The criteria say what an optimal policy may have to respond to, or may have reason to control: the
end state of learning. They say nothing about time courses, of how fast or in which order a learner
comes to respond to or control anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import networkx as nx


@final
@dataclass(frozen=True)
class InfluenceDiagram:
    """A directed acyclic graph of chance nodes, decisions and utilities.

    An edge into a decision is an observation; every other edge is a possible cause. Two diagrams
    are equal when they have the same nodes and edges, in whichever order they were given.

    Attributes
    ----------
    edges : tuple of (str, str)
        From cause to effect; sorted, without repetition.
    decisions, utilities : tuple of str
        Sorted; the agent maximizes the expected sum of the utilities, which have no children.
    nodes : tuple of str
        All nodes, sorted. To be given only for nodes without edges; the others are added.

    Raises
    ------
    ValueError
        In one sentence, for anything that cannot be an influence diagram.

    References
    ----------
    Everitt, Carey, Langlois, Ortega and Legg 2021 (AAAI; arXiv 2001.07118).
    """

    edges: tuple[tuple[str, str], ...]
    decisions: tuple[str, ...]
    utilities: tuple[str, ...]
    nodes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        edges = checked_edges(self.edges)
        nodes = {*sorted_names(self.nodes, "nodes"), *(node for edge in edges for node in edge)}
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "nodes", tuple(sorted(nodes)))
        for name in ("decisions", "utilities"):
            chosen = sorted_names(getattr(self, name), name)
            object.__setattr__(self, name, chosen)
            check_known(chosen, name, self.nodes)
        check_roles(self)

    def graph(self) -> Any:
        """Return the diagram as a new `networkx.DiGraph`."""
        graph = nx.DiGraph(self.edges)
        graph.add_nodes_from(self.nodes)
        return graph

    @cached_property
    def causes_first(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Every node with its parents, causes before effects."""
        order = nx.lexicographical_topological_sort(self.graph())
        return tuple((node, self.parents(node)) for node in order)

    def parents(self, node: str) -> tuple[str, ...]:
        """Return the direct causes of a node, or the observations of a decision, sorted."""
        check_known((node,), "node", self.nodes)
        return tuple(cause for cause, effect in self.edges if effect == node)


def sorted_names(names: Iterable[str], what: str) -> tuple[str, ...]:
    """Return distinct names, sorted."""
    if isinstance(names, str):
        raise ValueError(f"{what} must be a sequence of names; it is the text {names!r}.")
    given = tuple(names)
    for name in given:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{what} must hold names; one is {name!r}.")
    return tuple(sorted(set(given)))


def checked_edges(edges: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return distinct edges, sorted, after checking that they close no cycle."""
    pairs = [edge if isinstance(edge, str) else tuple(edge) for edge in edges]
    for i, pair in enumerate(pairs):
        names = isinstance(pair, tuple) and all(isinstance(end, str) and end for end in pair)
        if not names or len(pair) != 2:
            raise ValueError(f"edges must be pairs of names; edges[{i}] = {pair!r}.")
    found = tuple(sorted({(cause, effect) for cause, effect in pairs}))
    graph = nx.DiGraph(found)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [cause for cause, _ in nx.find_cycle(graph)]
        raise ValueError(f"edges must close no cycle; they close {' → '.join([*cycle, cycle[0]])}.")
    return found


def check_known(names: Iterable[str], what: str, nodes: tuple[str, ...]) -> None:
    """Check that names are nodes, naming the first that is not."""
    for name in names:
        if name not in nodes:
            raise ValueError(
                f"{what}: {name!r} is no node of the diagram; the nodes are {', '.join(nodes)}."
            )


def check_roles(diagram: InfluenceDiagram) -> None:
    """Check that there are decisions and utilities, apart from each other, utilities last."""
    for name in ("decisions", "utilities"):
        if not getattr(diagram, name):
            raise ValueError(f"{name} must name a node; the nodes are {', '.join(diagram.nodes)}.")
    both = sorted({*diagram.decisions} & {*diagram.utilities})
    if both:
        raise ValueError(f"a node is a decision or a utility, not both; {', '.join(both)} is both.")
    for cause, effect in diagram.edges:
        if cause in diagram.utilities:
            raise ValueError(
                f"utilities must have no children; {cause!r} has the child {effect!r}."
            )


def only_decision(diagram: InfluenceDiagram) -> str:
    """Return the decision of a diagram that has one.

    Raises
    ------
    ValueError
        If it has several, for which these criteria are not proven.
    """
    if len(diagram.decisions) > 1:
        raise ValueError(
            f"the criteria hold for one decision; this diagram has {', '.join(diagram.decisions)}."
        )
    return diagram.decisions[0]


def downstream(graph: Any, node: str) -> set[str]:
    """Return a node and its descendants: where directed paths of any length lead, also of none."""
    return {node, *nx.descendants(graph, node)}


def value_of_information(diagram: InfluenceDiagram, node: str) -> bool:
    """Say whether observing a node can raise the best expected utility of the decision.

    It can in some model of the diagram if and only if the node is no descendant of the decision D
    and is d-connected to a utility that descends from D, given D and its other observations. An
    edge from the node to D may be there or not: it makes no difference to this.

    References
    ----------
    Everitt et al. 2021, the criterion of value of information, sound and complete.
    """
    decision = only_decision(diagram)
    check_known((node,), "node", diagram.nodes)
    graph = diagram.graph()
    reach = downstream(graph, decision)
    aims = reach & {*diagram.utilities}
    if node in reach or not aims:
        return False
    given = {decision, *diagram.parents(decision)} - {node}
    return not nx.is_d_separator(graph, {node}, aims, given)


def requisite_graph(diagram: InfluenceDiagram) -> InfluenceDiagram:
    """Return the diagram without the observations that an optimal policy can do without.

    Removing all observations without value of information at once is enough: d-separation obeys
    the graphoid axioms, so that no other observation gains or loses value by it.

    References
    ----------
    Everitt et al. 2021 (minimal reduction); Lauritzen and Nilsson 2001 for requisite observations.
    """
    decision = only_decision(diagram)
    edges = tuple(
        (cause, effect)
        for cause, effect in diagram.edges
        if effect != decision or value_of_information(diagram, cause)
    )
    return replace(diagram, edges=edges)


def value_of_control(diagram: InfluenceDiagram, node: str) -> bool:
    """Say whether setting a node, beside the decision, can raise the best expected utility.

    It can in some model of the diagram if and only if the node is not the decision and a directed
    path, possibly of no edge, leads from it to a utility in the requisite graph.

    References
    ----------
    Everitt et al. 2021, the criterion of value of control, sound and complete.
    """
    decision = only_decision(diagram)
    check_known((node,), "node", diagram.nodes)
    ends = downstream(requisite_graph(diagram).graph(), node)
    return node != decision and bool(ends & {*diagram.utilities})


def response_incentive(diagram: InfluenceDiagram, node: str) -> bool:
    """Say whether every optimal policy may have to respond to changes of a node.

    All optimal policies of some model of the diagram do if and only if a directed path leads from
    the node to the decision in the requisite graph. This is about optimal policies only: on the way
    there a learner may respond to anything, and need not respond to this.

    References
    ----------
    Everitt et al. 2021, the criterion of response incentives, sound and complete.
    """
    decision = only_decision(diagram)
    check_known((node,), "node", diagram.nodes)
    return node != decision and decision in downstream(requisite_graph(diagram).graph(), node)


def instrumental_control_incentive(diagram: InfluenceDiagram, node: str) -> bool:
    """Say whether an optimal decision may have its utility by way of its effect on a node.

    It has in some model of the diagram if and only if directed paths lead from the decision to the
    node and on to a utility. Both paths may have no edge, so the decision itself and a utility that
    it affects count. This is about optimal policies, not about when such control is learned.

    References
    ----------
    Everitt et al. 2021, the criterion of instrumental control incentives, sound and complete.
    """
    decision = only_decision(diagram)
    check_known((node,), "node", diagram.nodes)
    graph = diagram.graph()
    aims = downstream(graph, node) & {*diagram.utilities}
    return node in downstream(graph, decision) and bool(aims)


@final
@dataclass(frozen=True)
class Incentives:
    """What the graph admits at one node; see the functions of the same names."""

    value_of_information: bool
    value_of_control: bool
    response_incentive: bool
    instrumental_control_incentive: bool


def incentives(diagram: InfluenceDiagram) -> dict[str, Incentives]:
    """Return what the graph admits at every node, by name.

    An incentive that is not admitted is absent from all models of the diagram; one that is admitted
    is present in some. All four bind optimal policies only, not policies that still learn.
    """
    return {
        node: Incentives(
            value_of_information(diagram, node),
            value_of_control(diagram, node),
            response_incentive(diagram, node),
            instrumental_control_incentive(diagram, node),
        )
        for node in diagram.nodes
    }
