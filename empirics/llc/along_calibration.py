"""The settings of chains in which the checkpoints of agents read alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from empirics.llc.along_settings import AlongSettings
from empirics.llc.calibration import Calibration, calibrate, judged
from empirics.llc.maze_energy import chain_seed, energy_at
from empirics.maze_agent import MazeAgent

Told = Callable[[int, int], None]


def calibrate_along(
    agents: Sequence[MazeAgent],
    settings: AlongSettings,
    *,
    step_sizes: Sequence[float],
    localizations: Sequence[float],
    nbetas: Sequence[float],
    num_checkpoints: int = 3,
    told: Told | None = None,
    device: str = "cpu",
) -> Calibration:
    """Sweep step size, localization and nbeta at some checkpoints of every agent.

    Checkpoint by checkpoint, so that memory does not grow with their number; a setting is flat
    where all of them say so.

    Parameters
    ----------
    agents : sequence of MazeAgent
    settings : AlongSettings
        Their own step size, localization and nbeta are not used.
    step_sizes, localizations, nbetas : sequence of float
    num_checkpoints : int
        Of each agent, evenly spaced in their row.
    told : callable, optional
        Told (checkpoints done, checkpoints in all).
    device : str

    Raises
    ------
    ValueError
        As `calibrate`, or if a checkpoint does not fit.
    """
    asked = [(agent, *each) for agent in agents for each in agent.spread(num_checkpoints)]
    swept: list[Calibration] = []
    for agent, env_steps, path in asked:
        if told:
            told(len(swept), len(asked))
        energy, center = energy_at(agent, env_steps, path, settings)
        swept.append(
            calibrate(
                energy,
                center,
                settings.sampler,
                settings.plan,
                step_sizes=step_sizes,
                localizations=localizations,
                nbetas=nbetas,
                seed=chain_seed(agent, env_steps, settings),
                correct_step_size=True,
                device=device,
            )
        )
    if told:
        told(len(asked), len(asked))
    return _together(swept)


def _together(swept: Sequence[Calibration]) -> Calibration:
    """Return the sweep of all checkpoints from those of each."""
    first = swept[0]
    axes = (first.step_sizes, first.localizations, first.nbetas)
    readings = [
        tuple(reading for cell in cells for reading in cell.readings)
        for cells in zip(*(each.cells for each in swept), strict=True)
    ]
    return judged(axes, [cell.setting for cell in first.cells], readings)


def by_localization(calibration: Calibration) -> tuple[Calibration, ...]:
    """Return the sweep over step sizes alone, at each localization and nbeta.

    Where curvatures have no gap the coefficient itself depends on both, and the step size is all
    that a window can be asked for.
    """
    found = []
    for nbeta in calibration.nbetas:
        for localization in calibration.localizations:
            cells = [
                cell
                for cell in calibration.cells
                if (cell.setting.localization, cell.setting.nbeta) == (localization, nbeta)
            ]
            axes = (calibration.step_sizes, (localization,), (nbeta,))
            found.append(judged(axes, [c.setting for c in cells], [c.readings for c in cells]))
    return tuple(found)
