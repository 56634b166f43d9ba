"""Environment steps per second of `empirics.ppo` and of Stable-Baselines3's PPO.

The same networks, the same vectorized maze, the same batch sizes and settings, one thread.
Time is the processor time of that thread, which is the wall time of a machine with nothing
else to do. The two run in alternation, so that whatever else the machine does hits both; a
ratio is the median over the pairs. Run from the repository root:

    python benchmarks/ppo_vs_sb3.py            # writes benchmarks/ppo_vs_sb3.md
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv

from empirics.experiments.goal_switch import QUICK
from empirics.maze import MazeConfig, MazeEnvironment, training_environment
from empirics.networks import MLPSpec, NetworkSpec
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig, train_seeds

MAZE = MazeConfig(cells=5, alpha=0.1)


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    network: MLPSpec | MazeNetwork
    config: PPOConfig
    num_seeds: int
    required: float | None
    channels_last: bool = False


def cases() -> list[Case]:
    """Return what is compared."""
    few = _config(16_384, num_envs=8, num_steps=128, num_minibatches=4, update_epochs=4)
    many = _config(16_384, num_envs=64, num_steps=32, num_minibatches=4, update_epochs=4)
    once = _config(8_192, num_envs=256, num_steps=32, num_minibatches=4, update_epochs=3)
    quick = QUICK.experiment
    study = replace(quick.algorithm, total_timesteps=16_384)
    brief = MazeNetwork(width=24, depth=4, stride=1)
    mlp = MLPSpec()
    return [
        Case(_study_network(quick.network), quick.network, study, 1, 0.95),
        Case("4 convolutions of 24, stride 1", brief, once, 1, None),
        Case("the same, channels last here", brief, once, 1, 0.95, channels_last=True),
        Case("MLP 64–64", mlp, few, 1, 1.5),
        Case("MLP 64–64, 8 seeds", mlp, few, 8, 3.0),
        Case("MLP 64–64, 8 seeds, larger minibatches", mlp, many, 8, None),
    ]


def _study_network(network: MazeNetwork) -> str:
    return f"the study's: {network.depth} convolutions of {network.width}, stride {network.stride}"


def _config(total: int, **sizes: int) -> PPOConfig:
    return PPOConfig(total_timesteps=total, learning_rate=1e-3, gamma=0.97, **sizes)


def environment(config: PPOConfig, seed: int) -> MazeEnvironment:
    """Return the maze both sides are trained on."""
    return training_environment(MAZE, config.num_envs, rng=np.random.default_rng(seed))


def seconds_ours(case: Case) -> float:
    """Return the processor time of training all seeds of a case here.

    The construction of the environments is not counted.
    """
    network: NetworkSpec | torch.nn.Module = case.network
    if case.channels_last:
        built = case.network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(0))
        network = built.to(memory_format=torch.channels_last)
    mazes = iter([environment(case.config, seed) for seed in range(case.num_seeds)])
    begin = time.process_time()
    train_seeds(lambda _: next(mazes), network, case.config, seeds=range(case.num_seeds))
    return time.process_time() - begin


def seconds_theirs(case: Case) -> float:
    """Return the processor time of training the seeds one after another with SB3.

    The construction of environments and agents is not counted.
    """
    total = 0.0
    for seed in range(case.num_seeds):
        agent = sb3_agent(case, seed)
        begin = time.process_time()
        agent.learn(case.config.num_updates * case.config.batch_size, log_interval=None)
        total += time.process_time() - begin
    return total


def sb3_agent(case: Case, seed: int) -> PPO:
    """Return SB3's PPO with the settings, the network and the environment of a case."""
    config = case.config

    def rate(remaining: float) -> float:
        return config.learning_rate * (remaining if config.anneal_lr else 1.0)

    return PPO(
        "MlpPolicy",
        MazeVecEnv(environment(config, seed)),
        learning_rate=rate,
        n_steps=config.num_steps,
        batch_size=config.minibatch_size,
        n_epochs=config.update_epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_coef,
        clip_range_vf=config.clip_coef,
        normalize_advantage=config.norm_adv,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs=_sb3_network(case.network),
        seed=seed,
        device="cpu",
    )


def _sb3_network(network: MLPSpec | MazeNetwork) -> dict[str, Any]:
    adam = {"optimizer_kwargs": {"eps": 1e-5}}
    if isinstance(network, MLPSpec):
        widths = list(network.hidden)
        return {"net_arch": {"pi": widths, "vf": widths}, "activation_fn": torch.nn.Tanh, **adam}
    return {
        "net_arch": [],
        "features_extractor_class": MazeFeatures,
        "features_extractor_kwargs": {"network": network},
        **adam,
    }


class MazeFeatures(BaseFeaturesExtractor):
    """The maze policy without its heads; SB3 adds the same linear heads."""

    def __init__(self, observation_space: spaces.Box, network: MazeNetwork) -> None:
        super().__init__(observation_space, network.hidden)
        planes, height, width = observation_space.shape
        self.policy = network.build((planes, height, width), 4, rng=np.random.default_rng(0))
        self.policy.actor = self.policy.critic = torch.nn.Identity()  # type: ignore[assignment]

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Map (B, planes, size, size) to (B, hidden)."""
        return self.policy(observation)[0]


class MazeVecEnv(VecEnv):
    """The vectorized maze as SB3 wants it."""

    def __init__(self, maze: MazeEnvironment) -> None:
        box = spaces.Box(0.0, 1.0, maze.observation_shape, np.float32)
        super().__init__(maze.num_envs, box, spaces.Discrete(maze.num_actions))
        self.maze = maze
        self.actions = np.zeros(maze.num_envs, dtype=np.int64)

    def reset(self) -> Any:
        """Start every environment anew."""
        return self.maze.reset()

    def step_async(self, actions: np.ndarray[Any, Any]) -> None:
        """Remember the actions."""
        self.actions = actions

    def step_wait(self) -> Any:
        """Step all environments."""
        step = self.maze.step(self.actions)
        done = step.terminated | step.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            infos[i] = {
                "terminal_observation": step.final_observation[i],
                "TimeLimit.truncated": bool(step.truncated[i]),
            }
        return step.observation, step.reward, done, infos

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute once for each environment."""
        return [getattr(self.maze, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Do nothing: the maze is not to be changed."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Do nothing: the maze has no such methods."""
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return that no environment is wrapped."""
        return [False] * self.num_envs


def measure(case: Case, repeats: int) -> tuple[float, float, list[float]]:
    """Return the median steps per second here and there, and the ratio of each pair."""
    pairs = []
    for repeat in range(repeats):
        sides: Sequence[Callable[[Case], float]] = (seconds_ours, seconds_theirs)
        order = sides if repeat % 2 == 0 else sides[::-1]
        times = {side: side(case) for side in order}
        pairs.append((times[seconds_ours], times[seconds_theirs]))
    steps = case.config.num_updates * case.config.batch_size * case.num_seeds
    ours, theirs = (statistics.median(steps / pair[i] for pair in pairs) for i in (0, 1))
    return ours, theirs, [there / here for here, there in pairs]


def table(rows: Sequence[tuple[Case, float, float, list[float]]]) -> str:
    """Return the report in Markdown."""
    versions = ", ".join(f"{n} {version(n)}" for n in ("torch", "stable-baselines3", "numpy"))
    lines = [
        "# PPO against Stable-Baselines3",
        "",
        "Made by `python benchmarks/ppo_vs_sb3.py`; see there for what is compared.",
        f"Tree maze of 5 × 5 cells (observation 3 × 9 × 9), one thread; {versions}; "
        f"Python {platform.python_version()}, {platform.machine()}.",
        "Environment steps per second of processor time, all seeds together; with 8 seeds SB3",
        "trains them one after another. The ratio is the median over alternating pairs.",
        "",
        "| network | num_envs × num_steps | minibatch × epochs | ours, steps/s | SB3, steps/s "
        "| ratio | range | required |",
        "|---|---|---|---:|---:|---:|---|---:|",
    ]
    for case, ours, theirs, ratios in rows:
        c, ratio = case.config, statistics.median(ratios)
        required = f"≥ {case.required}" if case.required else "–"
        lines.append(
            f"| {case.name} | {c.num_envs} × {c.num_steps} | {c.minibatch_size} × "
            f"{c.update_epochs} | {ours:,.0f} | {theirs:,.0f} | **{ratio:.2f}** "
            f"| {min(ratios):.2f}–{max(ratios):.2f} | {required} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every case and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="measure the cases whose name contains this")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    MAZE.pools()
    chosen = [case for case in cases() if arguments.only in case.name]
    report = table([(case, *measure(case, arguments.repeats)) for case in chosen])
    arguments.out.write_text(report)
    print(report, arguments.out, sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
