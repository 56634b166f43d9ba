"""What a run carries besides its network: environment, random numbers, episodes, readings."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.environment import Transition, VectorEnvironment, generator_from, generator_state
from empirics.probe import Reading, curves_from_readings
from empirics.run import Run
from empirics.toolchain import Toolchain
from theory.curve import Condition, Curve, Origin, Progress, Schedule

FloatArray = NDArray[np.float64]

MakeEnvironment = Callable[[int], VectorEnvironment]

UPDATE_LOG = (
    "policy_loss",
    "value_loss",
    "entropy",
    "old_approx_kl",
    "approx_kl",
    "clipfrac",
)
"""What an update may measure on each minibatch (names as in CleanRL)."""

LOG = (
    "env_steps",
    "learning_rate",
    *UPDATE_LOG,
    "explained_variance",
    "rollout_return",
    "rollout_length",
)
"""Columns of the log, one row an update. The `rollout_` ones are means over the episodes
that ended in the rollout, NaN if none did; the undiscounted return of the policy as it
explores, on training levels, unlike a probe's `episodic_return`."""


@final
class Lane:
    """All of one seed's training that is not a network: it never looks at another lane."""

    def __init__(self, seed: int, make_environment: MakeEnvironment, toolchain: Toolchain) -> None:
        self.seed, self.toolchain = seed, toolchain
        own, theirs = np.random.SeedSequence(seed).spawn(2)
        self.rng = np.random.default_rng(own)
        self.environment = make_environment(int(theirs.generate_state(1)[0]))
        self.observation = self.environment.reset()
        self.episode_return = np.zeros(self.environment.num_envs)
        self.episode_length = np.zeros(self.environment.num_envs, dtype=np.int64)
        self.ended: list[tuple[float, int]] = []
        self.log: list[list[float]] = []
        self.readings: list[tuple[int, dict[str, Reading]]] = []
        self.wall_seconds = 0.0
        self.note = ""
        self.finished = False

    @property
    def updates(self) -> int:
        """Updates done, the length of the log."""
        return len(self.log)

    def step(self, action: NDArray[np.int64]) -> Transition:
        """Act in the environment and keep account of the episodes."""
        step = self.environment.step(action)
        self.observation = step.observation
        self.episode_return += step.reward
        self.episode_length += 1
        ended = step.terminated | step.truncated
        if ended.any():
            returns, lengths = self.episode_return[ended], self.episode_length[ended]
            self.ended += zip(returns.tolist(), lengths.tolist(), strict=True)
            self.episode_return[ended] = 0.0
            self.episode_length[ended] = 0
        return step

    def write_log(
        self, env_steps: int, learning_rate: float, measured: Mapping[str, float]
    ) -> None:
        """Add the row of one update, NaN in columns that the algorithm does not measure."""
        columns = [measured.get(name, math.nan) for name in (*UPDATE_LOG, "explained_variance")]
        episodes = np.mean(self.ended, axis=0).tolist() if self.ended else [math.nan, math.nan]
        self.ended.clear()
        self.log.append([env_steps, learning_rate, *columns, *episodes])

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return everything that shapes the lane's future, as arrays and plain facts."""
        arrays = {f"environment.{k}": v for k, v in self.environment.state().items()}
        arrays |= {
            "observation": self.observation,
            "episode_return": self.episode_return,
            "episode_length": self.episode_length,
            "rng": generator_state(self.rng),
            "log": np.array(self.log, dtype=np.float64).reshape(-1, len(LOG)),
        }
        readings = [
            [t, {name: _reading_facts(r) for name, r in found.items()}]
            for t, found in self.readings
        ]
        facts = {
            "readings": readings,
            "wall_seconds": self.wall_seconds,
            "note": self.note,
            "finished": self.finished,
            "toolchain": self.toolchain.content(),
        }
        return arrays, facts

    def restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Take up what `state` returned but for the environment: all that a finished run is."""
        self.log = arrays["log"].tolist()
        self.readings = [
            (t, {name: Reading(**reading) for name, reading in found.items()})
            for t, found in facts["readings"]
        ]
        self.wall_seconds, self.note = facts["wall_seconds"], facts["note"]
        self.finished, self.toolchain = facts["finished"], Toolchain(**facts["toolchain"])

    def go_on(self, arrays: Mapping[str, NDArray[Any]], now: Toolchain) -> None:
        """Take up the environment too; say what an undisturbed run would not have had."""
        at = f"Resumed at {int(self.log[-1][0]) if self.log else 0} env_steps"
        prefix = "environment."
        state = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        self.rng = generator_from(arrays["rng"])
        self.environment.restore(state)
        if getattr(self.environment, "resumes_exactly", True):
            self.observation = arrays["observation"]
            self.episode_return = arrays["episode_return"]
            self.episode_length = arrays["episode_length"]
        else:
            self.observation = self.environment.reset()
            self.note += f"{at} with new episodes; the environment cannot be restored, so an "
            self.note += "undisturbed run differs. "
        changed = now.changed_from(self.toolchain)
        if changed:
            self.note += f"{at} under other software ({changed}); an undisturbed run may differ. "
        self.toolchain = now

    def diverge(self, env_steps: int, what: str, learning_rate: float) -> None:
        """End the run at `env_steps`: `what` is not finite any more."""
        self.note += (
            f"Diverged at {env_steps} env_steps: {what} no longer finite, so its curves end "
            f"before; try a smaller learning_rate than {learning_rate:g}. "
        )
        self.finished = True


def _reading_facts(reading: Reading) -> dict[str, Any]:
    return {**vars(reading), "baselines": dict(reading.baselines)}


def weights_digest(network: nn.Module) -> str:
    """Return a hash of a network's weights."""
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def run_id_of(facts: Sequence[object], network: nn.Module) -> str:
    """Return the hash of everything that decides a run: settings, ledger, architecture."""
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    text = json.dumps([facts, repr(network), shapes], sort_keys=True, default=_content)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _content(value: object) -> object:
    if isinstance(value, Schedule):
        return value.content()
    raise TypeError(f"a condition cannot be {type(value).__name__}.")


def finished_run(lane: Lane, run: str, run_id: str, conditions: Mapping[str, Condition]) -> Run:
    """Return the run that a lane has become."""
    ledger = {**conditions, "seed": lane.seed}
    measured = curves_from_readings(lane.readings, conditions=ledger, run=run, run_id=run_id)
    return Run(
        run=run,
        run_id=run_id,
        conditions=ledger,
        seed=lane.seed,
        curves=(*measured, *_logged_curves(lane, run, run_id, ledger)),
        status=lane.note.strip(),
        wall_seconds=lane.wall_seconds,
        versions=lane.toolchain.versions,
        readings=tuple(lane.readings),
        git_commit=lane.toolchain.git_commit,
        device=lane.toolchain.device,
    )


def _logged_curves(
    lane: Lane, run: str, run_id: str, conditions: Mapping[str, Condition]
) -> list[Curve]:
    log = np.array(lane.log, dtype=np.float64).reshape(-1, len(LOG))
    curves = []
    for name, y in zip(LOG[1:], log.T[1:], strict=True):
        known = np.isfinite(y)
        if known.any():
            curves.append(
                Curve(
                    name,
                    log[known, 0],
                    y[known],
                    progress=Progress.ENV_STEPS,
                    run=run,
                    run_id=run_id,
                    conditions=conditions,
                    origin=Origin.LOGGED,
                )
            )
    return curves
