"""The names that columns go by in people's logs, and what to say about a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from theory.curve import Progress

# Names a progress column goes by, the likelier first, and what it counts. A bare "step" is
# environment steps in one library and updates in the next: it stays unspecified.
PROGRESS: Mapping[str, Progress] = {
    "env_steps": Progress.ENV_STEPS,
    "env_step": Progress.ENV_STEPS,
    "env-step": Progress.ENV_STEPS,
    "global_step": Progress.ENV_STEPS,
    "time/total_timesteps": Progress.ENV_STEPS,
    "total_timesteps": Progress.ENV_STEPS,
    "timesteps_total": Progress.ENV_STEPS,
    "num_env_steps_sampled_lifetime": Progress.ENV_STEPS,
    "env_runners/num_env_steps_sampled_lifetime": Progress.ENV_STEPS,
    "timesteps": Progress.ENV_STEPS,
    "timestep": Progress.ENV_STEPS,
    "frames": Progress.ENV_STEPS,
    "t": Progress.UNSPECIFIED,
    "step": Progress.UNSPECIFIED,
    "steps": Progress.UNSPECIFIED,
    "_step": Progress.UNSPECIFIED,
    "updates": Progress.UPDATES,
    "update": Progress.UPDATES,
    "ppo-update": Progress.UPDATES,
    "iteration": Progress.UPDATES,
    "training_iteration": Progress.UPDATES,
    "samples": Progress.SAMPLES,
    "epoch": Progress.UNSPECIFIED,
    "episodes": Progress.EPISODES,
    "episode": Progress.EPISODES,
}
CLOCKS = ("_runtime", "_timestamp", "relative_time", "timestamp", "wall_time", "walltime")
RUNS = ("run", "run_id", "run_name", "run_label")
SEED = "seed"
OBSERVABLES = ("observable", "metric", "tag", "variable")
VALUES = ("y", "value")
ERRORS = ("y_se", "se")
TRIALS = ("n_trials", "trials")


def known(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the columns that go by one of the names, in the order of the names."""
    return sorted(
        (column for column in columns if column.lower() in names),
        key=lambda column: names.index(column.lower()),
    )


def no_such(kind: str, name: str, place: str, choices: Iterable[str]) -> str:
    """Say that a name is not there, with the nearest names and the sorted choices."""
    there = sorted(choices)
    lower = {choice.lower(): choice for choice in there}
    nearest = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    shown = ", ".join(there[:20]) + (f" and {len(there) - 20} more" if len(there) > 20 else "")
    if nearest:
        near = ", ".join(repr(choice) for choice in nearest)
        return f"no {kind} {name!r} in {place}; nearest: {near}. {kind.capitalize()}s: {shown}."
    return f"no {kind} {name!r} in {place}; {kind}s: {shown or 'none'}."
