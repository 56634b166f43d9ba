"""The density that evidence integrates as a PyTensor operation, with slopes by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

FloatArray = NDArray[np.float64]

# The density is known to some 1e-13 of some hundred nats, and its narrowest features are some 1e-3
# wide: both errors of a slope are then below a millionth. A sampler that accepts and rejects by the
# density itself is exact whatever its slopes are.
_APART = 1e-5


@final
class TargetOp(Op):  # type: ignore[misc]
    """A log density of one vector, and its gradient.

    Parameters
    ----------
    log_density
        Gives (B,) at points (B, d); -inf where the density is zero.
    """

    def __init__(self, log_density: Callable[[FloatArray], FloatArray]) -> None:
        self.log_density = log_density

    def make_node(self, z: Any) -> Apply:
        """Take a vector (d,)."""
        z = pt.as_tensor_variable(z)
        return Apply(self, [z], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """Compute value and gradient from all their points at once."""
        (z,) = inputs
        steps = _APART * np.eye(z.size)
        with np.errstate(all="ignore"):
            value = self.log_density(np.vstack((z[None], z + steps, z - steps)))
            slope = (value[1 : z.size + 1] - value[z.size + 1 :]) / (2 * _APART)
        outputs[0][0] = np.asarray(value[0], dtype=np.float64)
        outputs[1][0] = np.where(np.isfinite(slope), slope, 0.0)

    def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> list[Any]:  # noqa: N802
        """Multiply the gradient of the value by the slopes."""
        return [gradients[0] * outputs[1]]
