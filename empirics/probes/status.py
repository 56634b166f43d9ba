"""Whether an effect was found, in a sentence."""

from __future__ import annotations

from empirics.probe import Reading

SMALLEST = 0.02
"""Effects no larger are called absent: a random network too moves with what is put into it,
somewhere and a little, however many levels prove that it does."""

CERTAIN = 1.96
"""Standard errors to be sure of; one-sided, that errs in at most 2.5 % of agents."""


def status(name: str, reading: Reading, *, smallest: float = SMALLEST) -> str:
    """Say whether a reading lies above its strongest baseline by more than `smallest`.

    The standard error is the reading's own; a baseline with an error of its own is better put
    into the reading, as a difference level by level with the baseline 0.

    Raises
    ------
    ValueError
        If the reading has no baseline.
    """
    found = is_present(name, reading, smallest=smallest)
    strongest = max(reading.baselines, key=lambda each: reading.baselines[each])
    against = f"{strongest!r} ({reading.baselines[strongest]:.3f})"
    if reading.se is None:
        return f"{name} = {reading.value:.3f} has no error, so it is not compared with {against}."
    verdict = {
        True: f"is present: above {against} by more than {smallest:g}",
        False: f"is absent: not above {against} by more than {smallest:g}",
        None: f"is undecided: its error reaches over {smallest:g} above {against}",
    }[found]
    return (
        f"{name} {verdict}; {reading.value:.3f} ± {reading.se:.3f} over {reading.n_levels} levels."
    )


def is_present(name: str, reading: Reading, *, smallest: float = SMALLEST) -> bool | None:
    """Tell whether an effect is present, True, or absent, False; None where it is undecided.

    Raises
    ------
    ValueError
        If the reading has no baseline.
    """
    above = reading.above_baseline
    if above is None:
        raise ValueError(f"{name} has no baseline to be compared with.")
    if reading.se is None:
        return None
    sure = CERTAIN * reading.se
    if above - sure > smallest:
        return True
    return False if above + sure <= smallest else None
