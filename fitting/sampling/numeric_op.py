"""Functions of forms that PyTensor lacks, computed by numpy, with exact slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, final

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from theory.stable import NUMPY, SMALLEST

Slopes = Callable[..., Sequence[Any]]


@final
class NumericOp(Op):  # type: ignore[misc]
    """One function of `theory.stable.NUMPY`, elementwise."""

    __props__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def make_node(self, *inputs: Any) -> Apply:
        """Take inputs that broadcast together."""
        numbers = (pt.as_tensor_variable(x).astype("float64") for x in inputs)
        alike = pt.broadcast_arrays(*numbers)
        return Apply(self, list(alike), [alike[0].type()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """Compute."""
        with np.errstate(all="ignore"):
            outputs[0][0] = np.asarray(NUMPY[self.name](*inputs), dtype=np.float64)

    def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> list[Any]:  # noqa: N802
        """Multiply the gradient by the slopes."""
        return [gradients[0] * slope for slope in SLOPES[self.name](*inputs, *outputs)]


def _gamma_slopes(order: Any, x: Any, _: Any) -> Sequence[Any]:
    log_density = (order - 1) * pt.log(pt.maximum(x, SMALLEST)) - x - pt.gammaln(order)
    return NumericOp("gamma_rise_by_order")(order, x), pt.exp(log_density)


def _gradient_slopes(_: Any, p: Any) -> Sequence[Any]:
    return (4 * p**2 * (1 - p) ** 2,)


SLOPES: Mapping[str, Slopes] = MappingProxyType(
    {"gamma_rise": _gamma_slopes, "gradient_rise": _gradient_slopes}
)
"""Derivatives of each function in its arguments, given these and its value."""
