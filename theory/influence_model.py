"""Structural causal influence models: how much each incentive of a diagram is worth.

Everything is enumerated over the states of the noise, so models are small. The values belong to
optimal policies: they bound end states of learning and say nothing about time courses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from theory.curve import FloatArray
from theory.influence_diagram import InfluenceDiagram, check_known, downstream, only_decision

Draws = NDArray[Any]
"""One value of a node for every joint state of the noise."""

TIE = 1e-12
"""Actions whose expected utilities differ by less, in units of the largest utility, tie."""


@final
@dataclass(frozen=True, eq=False)
class InfluenceModel:
    """An influence diagram of one decision with noises, functions and utilities as tables.

    Attributes
    ----------
    diagram : InfluenceDiagram
        The graph, with one decision.
    n_actions : int
        Number of values of the decision, which are 0, 1, ...
    noise : mapping of str to (n,) array
        For every chance node the probabilities, all positive, of the states of its own noise.
    functions : mapping of str to integer array
        For every chance node its value, 0, 1, ..., by the state of its noise (first axis) and the
        values of its parents in the order of `InfluenceDiagram.parents`. It can take all values up
        to the largest in its table.
    payoffs : mapping of str to array
        For every utility its value, by the values of its parents in that order. A table may go on
        beyond them, with what the utility can be set to but never reaches.

    Raises
    ------
    ValueError
        If a node has no table, or one of the wrong shape.

    References
    ----------
    Everitt et al. 2021 (AAAI; arXiv 2001.07118): structural causal influence models.
    """

    diagram: InfluenceDiagram
    n_actions: int
    noise: Mapping[str, NDArray[Any]]
    functions: Mapping[str, NDArray[Any]]
    payoffs: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        decision, utilities = only_decision(self.diagram), self.diagram.utilities
        chance = [node for node in self.diagram.nodes if node not in (decision, *utilities)]
        for name, nodes in (("noise", chance), ("functions", chance), ("payoffs", utilities)):
            tables = getattr(self, name)
            if sorted(tables) != sorted(nodes):
                raise ValueError(
                    f"{name} must have a table for each of {sorted(nodes)}; "
                    f"it has tables for {sorted(tables)}."
                )
            locked = {node: locked_table(tables[node], name) for node in sorted(tables)}
            object.__setattr__(self, name, MappingProxyType(locked))
        check_tables(self)

    def size(self, node: str) -> int:
        """Return how many values the decision or a chance node can take."""
        if node == self.diagram.decisions[0]:
            return self.n_actions
        return int(self.functions[node].max()) + 1

    @cached_property
    def states(self) -> Mapping[str, NDArray[np.int64]]:
        """The state of the noise of each chance node, in all joint states."""
        sizes = [chances.size for chances in self.noise.values()]
        index = np.indices(sizes).reshape(len(sizes), math.prod(sizes))
        return dict(zip(self.noise, index, strict=True))

    @cached_property
    def probability(self) -> FloatArray:
        """The probability of every joint state of the noise."""
        chances = [self.noise[node][index] for node, index in self.states.items()]
        return np.asarray(reduce(np.multiply, chances, np.ones(1)))


def locked_table(values: Any, name: str) -> NDArray[Any]:
    """Return a read-only copy of a table, of whole numbers where it holds functions."""
    table = np.array(values, dtype=np.int64 if name == "functions" else np.float64)
    if not np.all(np.isfinite(table)) or (name == "functions" and np.any(table < 0)):
        raise ValueError(f"{name} must be finite, and functions not negative; one is {table}.")
    table.setflags(write=False)
    return table


def check_tables(model: InfluenceModel) -> None:
    """Check that noises are probabilities and that tables fit the values of the parents."""
    for node, chances in model.noise.items():
        if np.any(chances <= 0) or not math.isclose(chances.sum(), 1, rel_tol=1e-9):
            raise ValueError(f"noise of {node!r} must be positive and sum to 1; it is {chances}.")
    for node, table in {**model.functions, **model.payoffs}.items():
        need = [model.size(parent) for parent in model.diagram.parents(node)]
        if node in model.noise:
            need = [model.noise[node].size, *need]
        if table.ndim != len(need) or any(h < n for h, n in zip(table.shape, need, strict=True)):
            raise ValueError(f"the table of {node!r} must have shape {need}; it has {table.shape}.")


def outcomes(model: InfluenceModel, fixed: Mapping[str, Draws | int]) -> dict[str, Draws]:
    """Return all nodes in every joint state of the noise, with some (the decision) held fixed."""
    n = model.probability.size
    values: dict[str, Draws] = {}
    for node, causes in model.diagram.causes_first:
        parents = tuple(values[cause] for cause in causes)
        if node in fixed:
            values[node] = np.full(n, fixed[node])
        elif node in model.payoffs:
            values[node] = np.full(n, model.payoffs[node][parents])
        else:
            values[node] = model.functions[node][(model.states[node], *parents)]
    return values


def total(model: InfluenceModel, values: Mapping[str, Draws]) -> Draws:
    """Return the sum of the utilities."""
    return np.asarray(sum(values[utility] for utility in model.diagram.utilities))


def contexts(values: Mapping[str, Draws], observed: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the combination of observed values in every joint state."""
    if not observed:
        return np.zeros(next(iter(values.values())).size, dtype=np.int64)
    seen = np.stack([np.asarray(values[name], dtype=float) for name in observed])
    return np.asarray(np.unique(seen, axis=1, return_inverse=True)[1]).reshape(-1)


def by_context(draws: Draws, context: NDArray[np.int64]) -> NDArray[Any]:
    """Sum the last axis, the joint states, over each context: (..., n_contexts)."""
    groups = np.eye(int(context.max()) + 1)[context]
    return np.asarray(draws @ groups)


def per_action(model: InfluenceModel) -> tuple[list[dict[str, Draws]], Draws]:
    """Return all nodes under each action, and the utilities times probabilities, (actions, n)."""
    decision = only_decision(model.diagram)
    runs = [outcomes(model, {decision: action}) for action in range(model.n_actions)]
    return runs, np.stack([total(model, run) for run in runs]) * model.probability


def optimal_value(model: InfluenceModel, observed: Sequence[str] | None = None) -> float:
    """Return the best expected utility, for the diagram's observations or for others."""
    runs, weighted = per_action(model)
    seen = model.diagram.parents(only_decision(model.diagram)) if observed is None else observed
    return float(by_context(weighted, contexts(runs[0], seen)).max(axis=0).sum())


def information_value(model: InfluenceModel, node: str) -> float:
    """Return what observing a node adds to the best expected utility.

    Raises
    ------
    ValueError
        If the node is the decision or descends from it: it cannot be observed.
    """
    decision = only_decision(model.diagram)
    check_known((node,), "node", model.diagram.nodes)
    if node in downstream(model.diagram.graph(), decision):
        raise ValueError(f"{node!r} comes after the decision {decision!r}, which cannot see it.")
    others = [name for name in model.diagram.parents(decision) if name != node]
    return optimal_value(model, [*others, node]) - optimal_value(model, others)


def control_value(model: InfluenceModel, node: str) -> float:
    """Return what choosing a node's function of its parents adds to the best expected utility.

    A utility may be set to the highest value in its table. All functions of a chance node are
    tried: as many as it has values, to the power of the combinations of its parents' values.

    Raises
    ------
    ValueError
        If the node is the decision, which is chosen already.
    """
    decision = only_decision(model.diagram)
    check_known((node,), "node", model.diagram.nodes)
    if node == decision:
        raise ValueError(f"{node!r} is the decision, which is chosen already.")
    if node in model.payoffs:
        table = model.payoffs[node]
        best = optimal_value(with_table(model, "payoffs", node, np.full_like(table, table.max())))
        return best - optimal_value(model)
    shape, size = model.functions[node].shape, model.size(node)
    best = -math.inf
    for choice in itertools.product(range(size), repeat=math.prod(shape[1:])):
        function = np.broadcast_to(np.reshape(choice, shape[1:]), shape)
        best = max(best, optimal_value(with_table(model, "functions", node, function)))
    return best - optimal_value(model)


def with_table(model: InfluenceModel, name: str, node: str, table: Any) -> InfluenceModel:
    """Return the model with another table for one node."""
    tables: dict[str, Any] = {name: {**getattr(model, name), node: table}}
    return replace(model, **tables)


def response_value(model: InfluenceModel, node: str) -> float:
    """Return what the best policy loses if its action must not change with a node.

    Policies that do not respond take one action in all contexts that some intervention on the node
    leads from one to the other. Positive if and only if all optimal policies respond to the node.
    """
    decision = only_decision(model.diagram)
    check_known((node,), "node", model.diagram.nodes)
    if node == decision or node in model.payoffs:
        return 0.0
    observed = model.diagram.parents(decision)
    runs, weighted = per_action(model)
    set_to = [outcomes(model, {decision: 0, node: x}) for x in range(model.size(node))]
    worlds = [runs[0], *set_to]
    joined = {name: np.concatenate([world[name] for world in worlds]) for name in runs[0]}
    context = contexts(joined, observed).reshape(len(worlds), -1)
    start, end = np.tile(context[0], len(worlds)), context.ravel()
    links = coo_array((np.ones(start.size), (start, end)), shape=(context.max() + 1,) * 2)
    alike = connected_components(links, directed=False)[1].astype(np.int64)
    best = float(by_context(weighted, contexts(runs[0], observed)).max(axis=0).sum())
    return best - float(by_context(weighted, alike[context[0]]).max(axis=0).sum())


def instrumental_control(model: InfluenceModel, node: str) -> float:
    """Return how much the expected utility of optimal policies hangs on their effect on a node.

    In a context, the node is given the value that it would have had after another action, and the
    expected utility changes; the largest change over actions and contexts is returned, and of
    several optimal policies the one with the smallest.

    Raises
    ------
    ValueError
        If the node is unknown.
    """
    decision = only_decision(model.diagram)
    check_known((node,), "node", model.diagram.nodes)
    runs, weighted = per_action(model)
    context = contexts(runs[0], model.diagram.parents(decision))
    probability = model.probability
    change = np.empty((model.n_actions, model.n_actions, probability.size))
    for taken, other in itertools.product(range(model.n_actions), repeat=2):
        moved = outcomes(model, {decision: taken, node: runs[other][node]})
        change[taken, other] = total(model, moved) * probability - weighted[taken]
    size = np.abs(by_context(change, context) / by_context(probability, context)).max(axis=1)
    value = by_context(weighted, context) / by_context(probability, context)
    scale = max(1.0, *(float(np.abs(table).max()) for table in model.payoffs.values()))
    optimal = value >= value.max(axis=0) - TIE * scale
    return float(np.where(optimal, size, np.inf).min(axis=0).max())
