"""The LLC by somebody else's package, run by the Python of that package's own environment.

    PYTHON benchmarks/llc_peers.py devinterp|canonical|canonical-compiled TASK.npz

Reads the data, the checkpoints and the settings that `benchmarks/llc.py` wrote; prints one line
of JSON: processor seconds and the LLC of each checkpoint, memory before and at its peak.
"""

from __future__ import annotations

import itertools
import json
import logging
import resource
import sys
import time
import warnings

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

if not hasattr(itertools, "batched"):  # canonical-interp needs it, and Python 3.11 lacks it

    def _batched(values, n):
        values = iter(values)
        while part := tuple(itertools.islice(values, n)):
            yield part

    itertools.batched = _batched


class ToyModel(nn.Module):
    """ReLU(WᵀW x + b)."""

    def __init__(self, w: torch.Tensor) -> None:
        super().__init__()
        c = w.numel() // 3
        self.weight = nn.Parameter(w[: 2 * c].reshape(2, c).clone())
        self.bias = nn.Parameter(w[2 * c :].clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, c) to (B, c)."""
        return torch.relu(x @ self.weight.T @ self.weight + self.bias)


def squares(output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean over rows of the squared distance."""
    return ((output - targets) ** 2).sum(-1).mean()


def by_devinterp(task, model: nn.Module, data: torch.Tensor) -> float:
    """Return devinterp's mean over chains; its loader as in its notebooks."""
    from devinterp.optim.sgld import SGLD
    from devinterp.slt.sampler import estimate_learning_coeff_with_summary

    results = estimate_learning_coeff_with_summary(
        model,
        DataLoader(TensorDataset(data), batch_size=int(task["batch"]), shuffle=True),
        evaluate=lambda network, batch: squares(network(batch[0]), batch[0]),
        sampling_method=SGLD,
        optimizer_kwargs={
            "lr": float(task["step_size"]),
            "localization": float(task["localization"]),
            "nbeta": float(task["nbeta"]),
        },
        num_chains=int(task["chains"]),
        num_draws=int(task["draws"]),
        # Else it takes a few minibatches' for that of the checkpoint.
        init_loss=float(squares(model(data), data)),
        seed=0,
        verbose=False,
    )
    return float(results["llc/mean"])


def by_canonical(task, model: nn.Module, data: torch.Tensor, *, compiled: bool = False) -> float:
    """Return canonical-interp's mean over chains, which all see the same minibatches."""
    from canonical_interp.slt import LLCEstimator

    estimator = LLCEstimator(
        draws=int(task["draws"]),
        chains=int(task["chains"]),
        burnin_steps=0,
        steps_bw_draws=1,
        learning_rate=float(task["step_size"]),
        localization=float(task["localization"]),
        nbeta=float(task["nbeta"]),
    )
    llcs = estimator.estimate_llc(
        model,
        DataLoader(TensorDataset(data, data), batch_size=int(task["batch"]), shuffle=True),
        criterion_fn=squares,
        compile=compiled,
        seed=0,
        show_progress=False,
    )
    return float(llcs.mean())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Estimate every checkpoint of the task in turn."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    name, path = sys.argv[1:]
    task = np.load(path)
    data = torch.as_tensor(task["data"], dtype=torch.float32)
    if name == "devinterp":
        import devinterp.slt.sampler  # noqa: F401
    else:
        import canonical_interp.slt  # noqa: F401
    before, seconds, llcs = _peak(), [], []
    for center in torch.as_tensor(task["centers"], dtype=torch.float32):
        model = ToyModel(center)
        begin = time.process_time()
        if name == "devinterp":
            llcs.append(by_devinterp(task, model, data))
        else:
            llcs.append(by_canonical(task, model, data, compiled=name == "canonical-compiled"))
        seconds.append(time.process_time() - begin)
    print(json.dumps({"seconds": seconds, "llcs": llcs, "before": before, "peak": _peak()}))


if __name__ == "__main__":
    main()
