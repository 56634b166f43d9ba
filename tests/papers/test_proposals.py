"""Many curves at once: what comes out does not depend on how many processes work."""

import numpy as np

from papers.proposals import LABEL, propose_all
from theory.curve import Curve


def test_processes_propose_what_one_process_does():
    t, rng = np.arange(20.0), np.random.default_rng(0)
    curves = [
        Curve("success", t, 0.1 * i * t + rng.standard_normal(t.size), run=f"seed {i}")
        for i in range(4)
    ]
    found = {}
    for n_jobs in (1, 2):
        told = []
        found[n_jobs] = propose_all(
            curves,
            seed=3,
            progress=lambda *words, told=told: told.append(words),
            forms=("constant", "linear"),
            noises=("white",),
            n_jobs=n_jobs,
        )
        assert told == [(LABEL, done, 4) for done in range(5)]
        assert [one.curve.digest for one in found[n_jobs]] == [curve.digest for curve in curves]
    for alone, together in zip(found[1], found[2], strict=True):
        assert alone.verdict == together.verdict
        for one, same in zip(alone.scores, together.scores, strict=True):
            assert (one.name, one.log_evidence) == (same.name, same.log_evidence)
