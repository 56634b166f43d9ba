"""The study `development`: how mechanisms form inside agents, when, and in which order."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from empirics.provenance import sha256_of
from empirics.store import Store
from papers.development import finals
from papers.development.cue_fit import CueFits
from papers.development.formed import EXPLAINED, formed_table
from papers.development.grown import Grown, grow
from papers.development.ordered import hiding_table, ordering_table
from papers.development.organisms import SCALES, Scale
from papers.development.pairs import pair_table
from papers.development.rules_page import fit_rules, rules_page
from papers.development.windows_page import Intervened, intervene, windows_page
from papers.proposals import Progress
from papers.results import to_json
from papers.study_record import check_scale, facts_of, finish

NAME = "development"
TITLE = "How mechanisms form inside agents"
QUESTION = (
    "What an agent pursues, what it looks ahead at and what it is directed at are measured at "
    "every checkpoint. When does each mechanism form, in which order, and does behavior show it?"
)


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
    plan = SCALES[scale]
    seeds = plan.seeds(seed)
    agents = grow(plan.organisms, seeds, out, seed=seed, progress=progress)
    controls = [agent for agent in agents if agent.organism.name == plan.interventions.organism]
    intervened = intervene(
        plan.interventions,
        controls[0].organism.experiment,
        [agent.run for agent in controls],
        seeds,
        out,
        progress=progress,
    )
    rules = fit_rules(agents, seed=seed, progress=progress)
    facts = facts_of(
        NAME,
        command=command,
        scale=scale,
        seed=seed,
        out=out,
        began=began,
        seeds=list(seeds),
        data=_data(agents, out),
    )
    return finish(
        out, document(agents, rules, intervened, plan, facts, seed=seed), progress=progress
    )


def _data(agents: Sequence[Grown], out: Path) -> dict[str, str]:
    """Return the hashes of the files that hold the curves of these agents."""
    store = Store(out / "store")
    files = [store.append_curves(list(agent.curves.values())) for agent in agents]
    return {file.relative_to(out).as_posix(): sha256_of(file) for file in files if file is not None}


def document(
    agents: Sequence[Grown],
    rules: Sequence[CueFits],
    intervened: Intervened,
    plan: Scale,
    facts: Mapping[str, Any],
    *,
    seed: int,
) -> dict[str, Any]:
    """Return the results document of the study."""
    orders, order_sentences, unordered = ordering_table(agents, seed=seed)
    pairs, pair_sentences = pair_table(agents)
    hidden, hiding_sentences = hiding_table(agents)
    pages = [
        {
            "title": "What forms, when and how far",
            "paragraphs": [EXPLAINED, finals.EXPLAINED],
            "tables": [formed_table(agents), finals.finals_table(agents)],
        },
        {
            "title": "In which order",
            "paragraphs": [*pair_sentences, *order_sentences, *unordered],
            "tables": [pairs, orders],
        },
        {
            "title": "What behavior hides",
            "paragraphs": hiding_sentences,
            "tables": [hidden],
        },
        *([rules_page(rules)] if rules else []),
        windows_page(intervened),
    ]
    study = {
        "name": NAME,
        "title": TITLE,
        "question": QUESTION,
        "verdict": " ".join([*pair_sentences, *order_sentences, *hiding_sentences]),
        "paragraphs": [f"{one.name}: {one.about}." for one in plan.organisms],
        "pages": pages,
        "settings": {"organisms": [one.name for one in plan.organisms]},
    }
    comparisons = [one for agent in agents for one in agent.comparisons.values()]
    return to_json(
        "study", comparisons, None, facts, study=study, developments=developments(agents)
    )


def developments(agents: Sequence[Grown]) -> list[dict[str, Any]]:
    """Return what to draw together: an organism's curves of one unit, one panel a seed."""
    found: dict[tuple[str, str], list[str]] = {}
    about = {agent.organism.name: agent.organism.about for agent in agents}
    for agent in agents:
        for name, comparison in agent.comparisons.items():
            names = found.setdefault((agent.organism.name, comparison.curve.unit), [])
            if name not in names:
                names.append(name)
    return [
        {
            "title": f"What was fitted: {organism}{f' ({unit})' if unit else ''}",
            "condition": "seed",
            "where": {"experiment": organism},
            "observables": names,
            "takeaway": f"{about[organism]}; one panel a seed.",
        }
        for (organism, unit), names in found.items()
    ]
