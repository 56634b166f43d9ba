"""Tables as people have them, good and bad."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

N = 60


@pytest.fixture
def rising() -> list[tuple[float, float]]:
    """A logistic rise with white noise: midpoint 3000, rate 1/300, sd 0.02."""
    rng = np.random.default_rng(1)
    t = 100.0 * np.arange(N)
    y = 0.5 * (1 + np.tanh((t - 3000) / 600)) + 0.02 * rng.standard_normal(N)
    return list(zip(t.tolist(), y.tolist(), strict=True))


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes (t, y) rows as a CSV file."""

    def write(rows: list[tuple[object, object]], name: str = "runs.csv") -> Path:
        lines = ["env_steps,episodic_return", *(f"{t},{y}" for t, y in rows)]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
