"""The registry of papers that are re-executed: what each is about, and where its claims lie."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, final

from papers.publication import Publication, read_publication

if TYPE_CHECKING:
    from papers.reproduction import Reproduction
    from papers.studies import Progress


@final
@dataclass(frozen=True)
class Paper:
    """A paper with a folder here: `published.toml`, `README.md` and `reproduce.py`.

    Attributes
    ----------
    name : str
        Of the folder, and for the command line.
    summary : str
        One line.
    """

    name: str
    summary: str

    @property
    def publication(self) -> Publication:
        """What it claims, read from its folder."""
        return read_publication(Path(__file__).parent / self.name / "published.toml")

    def run(
        self,
        *,
        out: Path,
        seed: int,
        scale: str,
        store: Path | None,
        runs: Collection[str] | None,
        progress: Progress,
    ) -> Reproduction:
        """Re-execute the paper by the `run` of its `reproduce.py`, imported now for it is heavy.

        That takes the publication and the keywords of this.
        """
        found: Reproduction = import_module(f"papers.{self.name}.reproduce").run(
            self.publication,
            out=out,
            seed=seed,
            scale=scale,
            store=store,
            runs=runs,
            progress=progress,
        )
        return found


PAPERS: Mapping[str, Paper] = MappingProxyType(
    {
        paper.name: paper
        for paper in (
            Paper(
                "colognese2023_objectives",
                "what a maze agent is after, foretold and moved inside it",
            ),
            Paper(
                "jenner2024_lookahead", "look-ahead of a chess network, looked for in maze agents"
            ),
            Paper("macdermott2024_meg", "how far a policy's steps are foretold by a goal, in nats"),
            Paper("mini2023_maze_policy", "goals of a maze agent, found and moved in its layers"),
        )
    }
)
