"""The localized quadratic of the behavior KL at every checkpoint: exact, and without chains."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from empirics.tabular.cheese import CheeseConfig
from papers.elliott2026_stagewise_rl.cheese_energies import (
    LOCALIZATION,
    NBETA,
    Along,
    outputs,
    seen_states,
)
from papers.elliott2026_stagewise_rl.cheese_runs import Trained
from papers.elliott2026_stagewise_rl.expected import SURE
from papers.elliott2026_stagewise_rl.fisher_spectrum import effective_llc, fisher_spectrum
from papers.llc_ladder.rung import Check
from theory.curve import Curve, Origin

FINE = 100 * NBETA
"""An nbeta that counts directions with a curvature above 0.001."""
MATCHED = "llc_behavior_matched"
ENTROPY = math.log(4) / 2
"""Half of the most that four actions can have, in nats."""
Floats = NDArray[np.float64]


def quadratic(trained: Trained, observable: str) -> Floats:
    """Return the values at `NBETA` and at `FINE`, (2, C).

    `MATCHED` is the behavior KL on all states alike with every checkpoint's logits brought to the
    mean entropy `ENTROPY`.
    """
    config = CheeseConfig(alpha=float(trained.run.conditions["alpha"]))  # type: ignore[arg-type]
    frozen = seen_states(observable, config)
    seen = outputs(config, trained.actor, frozen.states)
    entropy = ENTROPY if observable == MATCHED else None
    spectra = [fisher_spectrum(seen, frozen, w, entropy=entropy) for w in trained.centers]
    return np.array(
        [[effective_llc(each, nbeta, LOCALIZATION) for each in spectra] for nbeta in (NBETA, FINE)]
    )


def quadratic_curve(trained: Trained, observable: str, values: Floats) -> Curve:
    """Return values at `FINE`, (C,), as a curve."""
    regret = trained.run.curve("regret")
    return Curve(
        observable.replace("llc_", "llc_quadratic_"),
        regret.t,
        values,
        progress=regret.progress,
        run=regret.run,
        run_id=regret.run_id,
        conditions={**regret.conditions, "nbeta": FINE, "localization": LOCALIZATION},
        origin=Origin.MEASURED,
    )


def chains_agree(found: Sequence[tuple[Along, Floats]]) -> Check:
    """Return whether chains at the last checkpoint read the quadratic's value, on average."""
    off, variance = [], []
    for each, values in found:
        last = each.readings[-1]
        if last.llc is not None and last.llc_se is not None:
            off.append(last.llc - float(values[0, -1]))
            variance.append(last.llc_se**2)
    mean, se = float(np.mean(off)), math.sqrt(float(np.sum(variance))) / len(off)
    return Check(
        "chains on the behavior KL read the localized quadratic at the last checkpoint",
        f"{mean:.3f} ± {se:.3f} apart on average over {len(off)} readings",
        abs(mean) <= SURE * se,
    )
