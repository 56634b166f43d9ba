"""The study `llc-ladder`: rungs from supervised learning to reinforcement learning.

Each rung changes one thing, measures what the learning coefficient then is and which estimators
still give it, and writes its page; the last page says which estimator is trustworthy where.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from empirics.one_thread import one_thread
from empirics.provenance import sha256_of
from empirics.store import Store
from papers.chen2023_tms import drift, learning, posterior
from papers.elliott2026_stagewise_rl import (
    bootstrapped_targets,
    changing_world,
    cheese,
    learned_critic,
    moving_states,
    sampled_actions,
    shared_trunk,
    softmax_actions,
)
from papers.llc_ladder.rung import Rung, trust_page
from papers.proposals import Progress
from papers.results import to_json
from papers.study_record import check_scale, facts_of, finish

NAME = "llc-ladder"
TITLE = "The learning coefficient from supervised learning to reinforcement learning"
QUESTION = (
    "A local learning coefficient belongs to one energy and one minimum of it. What is left of "
    "it, step by step, as supervised learning turns into reinforcement learning, and which "
    "estimators can be trusted there?"
)
RUNGS: tuple[Callable[..., Rung], ...] = (
    learning.rung,
    posterior.rung,
    softmax_actions.rung,
    sampled_actions.rung,
    moving_states.rung,
    learned_critic.rung,
    bootstrapped_targets.rung,
    shared_trunk.rung,
    drift.rung,
    changing_world.rung,
    cheese.rung,
)
"""In the order of the pages."""
SCALES = ("quick", "full")


def run(*, out: Path, seed: int, scale: str, progress: Progress, command: str = "") -> Path:
    """Run the study into a folder; return the path of the report.

    Parameters
    ----------
    out : Path
    seed : int
    scale : str
    progress : callable
        Told (label, done, total).
    command : str
        The command line, for the record; by default the one that does this.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    check_scale(scale, SCALES)
    began = time.monotonic()
    with one_thread():
        rungs = [rung(seed=seed, scale=scale, progress=progress) for rung in RUNGS]
    facts = facts_of(
        NAME,
        command=command,
        scale=scale,
        seed=seed,
        out=out,
        began=began,
        data=_kept(rungs, out),
    )
    return finish(out, document(rungs, facts, {"scale": scale}), progress=progress)


def _kept(rungs: Sequence[Rung], out: Path) -> dict[str, str]:
    """Store the curves of all runs, and return the hashes of the files that hold them."""
    file = Store(out / "store").append_curves([curve for rung in rungs for curve in rung.curves])
    return {} if file is None else {file.relative_to(out).as_posix(): sha256_of(file)}


def document(
    rungs: Sequence[Rung], facts: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the results document of the study."""
    study = {
        "name": NAME,
        "title": TITLE,
        "question": QUESTION,
        "verdict": verdict(rungs),
        "paragraphs": [],
        "pages": [*(rung.page() for rung in rungs), trust_page(rungs)],
        "settings": dict(settings),
    }
    comparisons = [comparison for rung in rungs for comparison in rung.comparisons]
    return to_json("study", comparisons, None, facts, study=study)


def verdict(rungs: Sequence[Rung]) -> str:
    """Count the checks that hold, and name what does not."""
    checks = [(rung.name, check) for rung in rungs for check in rung.checks]
    held = sum(check.holds is True for _, check in checks)
    failed = [f"{name}: {check.asked}" for name, check in checks if check.holds is False]
    unsaid = len(checks) - held - len(failed)
    counted = f"Of {len(checks)} checks on {len(rungs)} rungs {held} hold"
    counted += f" and {unsaid} cannot be told." if unsaid else "."
    return counted + (f" Not so: {'; '.join(failed)}." if failed else "")
