"""Networks with a policy head and a value head, and their parameters as rows of one array.

Training works on `AbstractAgents`: S seeds of one architecture whose parameters are the rows of one
(S, P) tensor, so that Adam and gradient clipping are a few lines for any network. A
convolutional network is one module, S = 1: on a CPU batching convolutions over seeds buys
nothing. Multilayer perceptrons are batched, and each matrix product is one `torch.bmm`
over seeds: no sum ever crosses seeds. So that a seed's result does not depend on its company
to the last bit, every row and matrix begins at a multiple of `LANES` numbers: the libraries
behind `bmm` choose their kernels by alignment and round by kernel.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh}
LANES = 16
"""Numbers in a cache line of 64 bytes, the widest alignment a CPU kernel asks for."""


class NetworkSpec(Protocol):
    """The shape of a network, from which each seed builds its own."""

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> nn.Module:
        """Return a freshly initialized policy; equal generators, equal weights."""
        ...


@final
@dataclass(frozen=True)
class MLPSpec:
    """A multilayer perceptron for the policy and another one for the value.

    Attributes
    ----------
    hidden : tuple of int
        Width of each hidden layer.
    activation : str
        One of `ACTIVATIONS`.

    Raises
    ------
    ValueError
        If a width is not positive or the activation is unknown.
    """

    hidden: tuple[int, ...] = (64, 64)
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden widths must be positive; they are {self.hidden}.")
        if self.activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise ValueError(f"activation must be one of {known}; it is {self.activation!r}.")

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> MLPPolicy:
        """Return one freshly initialized policy; equal generators, equal weights."""
        return mlp_policy(self, observation_shape, num_actions, rng=rng)


@final
class MLPPolicy(nn.Module):
    """Separate multilayer perceptrons for logits and value."""

    def __init__(self, spec: MLPSpec, num_inputs: int, num_actions: int) -> None:
        super().__init__()
        self.actor = _mlp(spec, num_inputs, num_actions)
        self.critic = _mlp(spec, num_inputs, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, *observation_shape) to logits (B, A) and value (B,)."""
        flat = observation.flatten(1)
        return self.actor(flat), self.critic(flat).squeeze(-1)


def _mlp(spec: MLPSpec, num_inputs: int, num_outputs: int) -> nn.Sequential:
    widths = (num_inputs, *spec.hidden)
    layers: list[nn.Module] = []
    for before, after in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(before, after), ACTIVATIONS[spec.activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))


def mlp_policy(
    spec: MLPSpec, observation_shape: Sequence[int], num_actions: int, *, rng: np.random.Generator
) -> MLPPolicy:
    """Return one freshly initialized perceptron policy."""
    with torch.random.fork_rng(devices=[]):  # nn.Linear draws from the global generator
        policy = MLPPolicy(spec, math.prod(observation_shape), num_actions)
    initialize(policy, rng=rng)
    return policy


def initialize(policy: nn.Module, *, rng: np.random.Generator) -> None:
    """Initialize every linear and convolutional layer in place, orthogonally.

    Gain √2 and zero bias, as in Huang et al. (2022), "The 37 implementation details of
    PPO", detail 2. The last layer of a submodule `actor` gets gain 0.01, so that the first
    policy is nearly uniform; the last layer of a submodule `critic` gets gain 1.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    gains = {_last_layer(policy, "actor"): 0.01, _last_layer(policy, "critic"): 1.0}
    for layer in policy.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            gain = gains.get(layer, math.sqrt(2))
            weight = torch.empty(layer.weight.shape)  # torch cannot fill other layouts
            nn.init.orthogonal_(weight, gain, generator=generator)
            layer.weight.data.copy_(weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _last_layer(policy: nn.Module, name: str) -> nn.Module | None:
    head = getattr(policy, name, None)
    layers = head.modules() if isinstance(head, nn.Module) else ()
    linear = [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]
    return linear[-1] if linear else None


class AbstractAgents(ABC):
    """S seeds of one architecture; `flat` (S, P) holds their parameters, one row a seed."""

    flat: Tensor
    leaves: tuple[Tensor, ...]

    @abstractmethod
    def __call__(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (S, B, *observation_shape) to logits (S, B, A) and value (S, B)."""

    @abstractmethod
    def value(self, seed_index: int, observation: Tensor) -> Tensor:
        """Map the observations (B, *observation_shape) of one seed to values (B,)."""

    @abstractmethod
    def policy(self, seed_index: int) -> nn.Module:
        """Return a frozen copy of one seed's policy, on the CPU."""

    def buffers(self, seed_index: int) -> dict[str, Tensor]:
        """Return what one seed's network remembers beside its parameters."""
        return {}

    def gradient(self, loss: Tensor) -> Tensor:
        """Return the (S, P) gradient of `loss` (S,), each seed's loss by its own row."""
        gradients = torch.autograd.grad(loss.sum(), self.leaves, materialize_grads=True)
        rows = [
            _as_stored(g, leaf).reshape(self.flat.shape[0], -1)
            for g, leaf in zip(gradients, self.leaves, strict=True)
        ]
        return torch.cat(rows, dim=1)


def _has_channels_last(weight: Tensor) -> bool:
    last = torch.channels_last
    return weight.ndim == 4 and weight.is_contiguous(memory_format=last) > weight.is_contiguous()


def _as_stored(values: Tensor, weight: Tensor) -> Tensor:
    """Return `values`, shaped as `weight`, with their axes in the order `weight` is stored in."""
    return values.permute(0, 2, 3, 1) if _has_channels_last(weight) else values


@final
class ModuleAgents(AbstractAgents):
    """One seed of any module.

    The layout of its weights is kept. A module given with `memory_format=channels_last`
    computes so, which takes about two thirds of the time on a CPU where nothing but
    convolutions and pointwise functions lies between them; else it may take longer.
    """

    def __init__(self, module: nn.Module, device: str) -> None:
        self.module = copy.deepcopy(module).to(device).train()
        self.leaves = tuple(self.module.parameters())
        self.flat = torch.cat([_as_stored(p.detach(), p).flatten() for p in self.leaves])[None]
        start = 0
        for parameter in self.leaves:  # from here on they are views of `flat`
            part = self.flat[0, start : start + parameter.numel()]
            view = part.view(_as_stored(parameter, parameter).shape)
            parameter.data = view.permute(0, 3, 1, 2) if _has_channels_last(parameter) else view
            parameter.requires_grad_()
            start += parameter.numel()

    def __call__(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (1, B, *observation_shape) to logits (1, B, A) and value (1, B)."""
        logits, value = self.module(observation[0])
        return logits[None], value[None]

    def value(self, seed_index: int, observation: Tensor) -> Tensor:
        """Map (B, *observation_shape) to values (B,)."""
        value: Tensor = self.module(observation)[1]
        return value

    def buffers(self, seed_index: int) -> dict[str, Tensor]:
        """Return what the network remembers beside its parameters."""
        return dict(self.module.named_buffers())

    def policy(self, seed_index: int) -> nn.Module:
        """Return a frozen copy of the policy, on the CPU."""
        return copy.deepcopy(self.module).cpu().eval().requires_grad_(False)


def _padded(x: Tensor, num_axes: int) -> Tensor:
    """Return `x` with zeros behind its last axes, up to multiples of `LANES`."""
    idle = [-x.shape[axis] % LANES for axis in range(-1, -1 - num_axes, -1)]
    if not any(idle):
        return x
    return nn.functional.pad(x, [n for k in idle for n in (0, k)])


@final
class MLPAgents(AbstractAgents):
    """Perceptron policies of several seeds, trained in one program.

    Each layer is widened to multiples of `LANES` by idle units with zero weights. Zero in,
    zero out (tanh and relu both), zero gradient: they stay idle, whatever is trained.
    """

    def __init__(self, policies: Sequence[MLPPolicy], spec: MLPSpec, device: str) -> None:
        rows = [
            torch.cat([_padded(p.detach(), p.ndim).flatten() for p in policy.parameters()])
            for policy in policies
        ]
        self.flat = torch.stack(rows).to(device)
        self.template = policies[0]
        self.activation = _FUNCTIONS[spec.activation]
        self.leaves = tuple(self._views())
        self.depth = len(spec.hidden) + 1
        *_, last_bias = self.template.actor.parameters()
        self.num_actions = last_bias.numel()

    def _views(self) -> list[Tensor]:
        """Return (S, out, in) weights and (S, 1, out) biases as leaves that share `flat`."""
        views, start = [], 0
        for parameter in self.template.parameters():
            padded = _padded(parameter.detach(), parameter.ndim)
            shape = tuple(padded.shape) if padded.ndim == 2 else (1, *padded.shape)
            part = self.flat[:, start : start + padded.numel()]
            views.append(torch.unflatten(part, 1, shape).detach().requires_grad_())
            start += padded.numel()
        return views

    def __call__(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (S, B, *observation_shape) to logits (S, B, A) and value (S, B)."""
        return self._forward(observation.flatten(2), self.leaves)

    def value(self, seed_index: int, observation: Tensor) -> Tensor:
        """Map the observations (B, *observation_shape) of one seed to values (B,)."""
        one = tuple(leaf[seed_index : seed_index + 1] for leaf in self.leaves)
        return self._forward(observation.flatten(1)[None], one)[1][0]

    def _forward(self, x: Tensor, leaves: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        x, split = _padded(x, 1), 2 * self.depth
        logits = self._network(x, leaves[:split])[..., : self.num_actions]
        return logits, self._network(x, leaves[split:])[..., 0]

    def _network(self, x: Tensor, leaves: tuple[Tensor, ...]) -> Tensor:
        for layer in range(self.depth):
            weight, bias = leaves[2 * layer], leaves[2 * layer + 1]
            x = torch.baddbmm(bias, x, weight.mT)
            if layer < self.depth - 1:
                x = self.activation(x)
        return x

    def policy(self, seed_index: int) -> nn.Module:
        """Return a frozen copy of one seed's policy, on the CPU."""
        policy = copy.deepcopy(self.template)
        for parameter, leaf in zip(policy.parameters(), self.leaves, strict=True):
            here = tuple(slice(n) for n in parameter.shape)
            parameter.data = leaf[seed_index].squeeze(0)[here].detach().cpu().clone()
        return policy.eval().requires_grad_(False)
