"""What `propose` and `compare` share: read the curves, judge each, write the results, say them."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.backends import add_backend_arguments, on_backend
from ontogeny.command import check_names
from ontogeny.curves import add_column_arguments, add_where_argument, read, say_what_was_left_out
from ontogeny.delivering import deliver
from ontogeny.progress import show_progress
from ontogeny.together import check_runs_to_pool, pooled_form, said_together

if TYPE_CHECKING:
    from fitting.comparison import Comparison
    from fitting.search.proposal import Proposal

ROWS_SHOWN = 3
SMALLEST_SHOWN = 0.005
EVERY = "all"
"""Stands for every registered form."""


def add_judging_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves, and which forms and noises compete."""
    add_backend_arguments(parser)
    parser.add_argument(
        "curves", type=Path, metavar="CURVES", help="a CSV or Parquet table, or a store"
    )
    parser.add_argument(
        "--forms",
        nargs="+",
        metavar="FORM",
        help="only these forms (default: the common ones), or all; see 'ontogeny show forms'",
    )
    parser.add_argument(
        "--noise", nargs="+", metavar="NOISE", help="only these noises (default: what suits)"
    )
    parser.add_argument(
        "--cross-check",
        action="store_true",
        help="sample candidates again by Hamiltonian chains and bridge sampling where importance "
        "sampling failed, 5 to 100 s each",
    )
    add_column_arguments(parser)
    add_where_argument(parser)


def judge(
    args: argparse.Namespace, *, simulated: int | None = None, pool: str | None = None
) -> int:
    """Compare hypotheses for every curve, write results and report, print the report's path.

    The verdicts are licensed by so many simulated curves, where a number is given; runs are pooled
    under a form, where one is named.
    """
    from theory.forms import FORMS
    from theory.noise import NOISES

    began = time.monotonic()
    forms = list(FORMS) if args.forms == [EVERY] else args.forms
    check_names(forms or (), FORMS, "form")
    check_names(args.noise or (), NOISES, "noise")
    form_of_pool = pooled_form(pool)
    curve_set = read(args.curves, args)
    say_what_was_left_out(curve_set, args.quiet)
    if form_of_pool is not None:
        check_runs_to_pool(curve_set.curves, args.curves)

    from papers.found_forms import with_searches
    from papers.orders import orders_json
    from papers.populations import populations
    from papers.proposals import propose_all, search_and_propose_all
    from papers.results import to_json
    from papers.sections.order import order_sentences

    wanted: dict[str, Any] = {
        "seed": args.seed,
        "forms": forms,
        "noises": args.noise,
        "cross_check": args.cross_check,
    }
    proposals: tuple[Proposal, ...] = ()
    with show_progress(args.quiet) as progress, on_backend(args):
        if getattr(args, "search", False):
            proposals = search_and_propose_all(
                curve_set.curves, seconds=args.search_seconds, progress=progress, **wanted
            )
            comparisons = tuple(proposal.comparison for proposal in proposals)
        else:
            comparisons = propose_all(curve_set.curves, progress=progress, **wanted)
    out = args.out or default_out(args.command, args.curves)
    if simulated is not None:
        comparisons = _licensed(comparisons, args, out, simulated, time.monotonic() - began)
    with show_progress(args.quiet) as progress:
        together = populations(comparisons, form=form_of_pool, seed=args.seed, progress=progress)
    provenance = provenance_of(args, time.monotonic() - began)
    orders = orders_json(comparisons)
    more: dict[str, Any] = {} if orders is None else {"orders": orders}
    if together:
        more["populations"] = together
    document = to_json(args.command, comparisons, curve_set, provenance, **more)
    if proposals:
        document = with_searches(document, proposals)
    said = [
        line
        for i, comparison in enumerate(comparisons)
        for line in (_summary(comparison), *([_found(proposals[i])] if proposals else []))
    ]
    said += [said_together(entry) for entry in together]
    return deliver(args, out, document, [*said, *order_sentences(orders)])


def _licensed(
    comparisons: tuple[Comparison, ...],
    args: argparse.Namespace,
    out: Path,
    simulated: int,
    seconds: float,
) -> tuple[Comparison, ...]:
    """Test the verdicts on simulated curves; records lie under the results."""
    from papers.licenses import license_all

    with show_progress(args.quiet) as progress, on_backend(args):
        return license_all(
            comparisons,
            number=simulated,
            seed=args.seed,
            folder=out / "license",
            progress=progress,
            noises=args.noise,
            seconds_each=seconds / max(1, len(comparisons)),
        )


def default_out(command: str, curves: Path) -> Path:
    """Return the folder of results for these curves, which no other input's results hold.

    It is named after the input; where the results of another input of that name lie there,
    after the folder of this one too, and where that is taken, by a hash of its path.
    """
    path = curves.resolve()
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    for name in (path.stem, f"{path.parent.name}-{path.stem}", f"{path.stem}-{digest}"):
        out = Path("results", f"{command}-{name}")
        if _input_of(out) in (None, str(path)):
            return out
    return out


def _input_of(out: Path) -> str | None:
    """Return what the results in a folder were made from; None if there are none to lose."""
    try:
        document = json.loads((out / "results.json").read_text(encoding="utf-8"))
        return str(document["provenance"]["input"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        return ""  # something else lies there


def provenance_of(args: argparse.Namespace, wall_seconds: float) -> dict[str, Any]:
    """Return what made the results: command, input, seed, hashes of the data, versions."""
    from empirics.provenance import data_hashes, provenance

    return {
        "command": args.command_line,
        "input": str(args.curves.resolve()),
        "seed": args.seed,
        "data": data_hashes(args.curves),
        "wall_seconds": wall_seconds,
        **provenance().content(),
    }


def _found(proposal: Proposal) -> str:
    """Say what the search found in a few lines: what it came to, and each expression."""
    lines = [f"  search: {proposal.conclusion}"]
    lines += [
        f"  {one.form.name}: {one.form.python}  ({one.match})" for one in proposal.search.found
    ]
    return "\n".join([*lines, *(f"  {note}" for note in proposal.search.notes)])


def _summary(comparison: Comparison) -> str:
    """Say a comparison in a few lines: the verdict, the families, the best rows."""
    from papers.wording import family_words, reason_of

    curve = comparison.curve
    name = " of ".join(part for part in (curve.observable, curve.run) if part)
    verdict = comparison.verdict
    reason = reason_of({"reason": verdict.reason})
    lines = [f"{name} ({curve.n_obs} points): {verdict.kind}. {reason}"]
    families = sorted(comparison.family_probabilities.items(), key=lambda item: -item[1])
    shown = [f"{family_words(family)} {p:.2f}" for family, p in families if p >= SMALLEST_SHOWN]
    if shown:
        lines.append(f"  families: {', '.join(shown)}")
    for score in comparison.scores[:ROWS_SHOWN]:
        status = f"  ({score.status})" if score.status else ""
        lines.append(f"  {score.weight:.2f}  {score.name}{status}")
    return "\n".join(lines)
