"""The registry of studies: what each asks, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import final

Progress = Callable[[str, int, int], None]


@final
@dataclass(frozen=True)
class Study:
    """A study that one command runs from training to the report.

    Attributes
    ----------
    name : str
        As the command line knows it.
    summary : str
        One line.
    module : str
        The module whose ``run`` does it; imported when it runs, since it brings torch.
    resumes : bool
        Whether an interrupted run leaves something that the next one takes up.
    """

    name: str
    summary: str
    module: str
    resumes: bool

    def run(
        self, *, out: Path, seed: int, scale: str, progress: Progress, command: str = ""
    ) -> Path:
        """Run the study into a folder and return the path of its report.

        Parameters
        ----------
        out : Path
            What an interrupted run left there is taken up again, if the study resumes.
        seed : int
        scale : str
            ``"quick"`` or ``"full"``.
        progress : callable
            Told (label, done, total).
        command : str
            The command line that asked for it, for the record.
        """
        path = import_module(self.module).run(
            out=out, seed=seed, scale=scale, progress=progress, command=command
        )
        return Path(path)


STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        study.name: study
        for study in (
            Study(
                "goal-switch",
                "agents whose goal switches from a proxy to the reward: when, and by which rule",
                "papers.goal_switch.study",
                resumes=True,
            ),
            Study(
                "llc-ladder",
                "the learning coefficient from supervised learning to RL: where it can be trusted",
                "papers.llc_ladder.study",
                resumes=False,
            ),
            Study(
                "development",
                "shards, objectives, look-ahead inside agents: what forms when, and what hides it",
                "papers.development.study",
                resumes=True,
            ),
        )
    }
)
