"""What `propose` and `compare` share: read the curves, judge each, write the results, say them."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontogeny.command import check_names, write_json
from ontogeny.curves import add_column_arguments, read, say_what_was_left_out
from ontogeny.progress import show_progress

if TYPE_CHECKING:
    from fitting.comparison import Comparison

ROWS_SHOWN = 3
SMALLEST_SHOWN = 0.005


def add_judging_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the curves, and which forms and noises compete."""
    parser.add_argument(
        "curves", type=Path, metavar="CURVES", help="a CSV or Parquet table, or a store"
    )
    parser.add_argument("--forms", nargs="+", metavar="FORM", help="only these forms")
    parser.add_argument(
        "--noise", nargs="+", metavar="NOISE", help="only these noises (default: what suits)"
    )
    add_column_arguments(parser)


def judge(args: argparse.Namespace) -> int:
    """Compare hypotheses for every curve, write results and report, print the report's path."""
    from theory.forms import FORMS
    from theory.noise import NOISES

    began = time.monotonic()
    check_names(args.forms or (), FORMS, "form")
    check_names(args.noise or (), NOISES, "noise")
    curve_set = read(args.curves, args)
    say_what_was_left_out(curve_set, args.quiet)

    from papers.proposals import propose_all
    from papers.report import render
    from papers.results import to_json, write

    with show_progress(args.quiet) as progress:
        comparisons = propose_all(
            curve_set.curves,
            seed=args.seed,
            progress=progress,
            forms=args.forms,
            noises=args.noise,
        )
    provenance = _provenance(args, time.monotonic() - began)
    document = to_json(args.command, comparisons, curve_set, provenance)
    out = args.out or Path("results", f"{args.command}-{args.curves.stem}")
    write(out, document)
    if args.json:
        write_json(args.json, document)
    report = render(out)
    if not args.quiet:
        for comparison in comparisons:
            print(_summary(comparison))
    print(report)
    return 0


def _provenance(args: argparse.Namespace, wall_seconds: float) -> dict[str, Any]:
    from empirics.provenance import data_hashes, provenance

    return {
        "command": args.command_line,
        "seed": args.seed,
        "data": data_hashes(args.curves),
        "wall_seconds": wall_seconds,
        **provenance().content(),
    }


def _summary(comparison: Comparison) -> str:
    """Say a comparison in a few lines: the verdict, the families, the best rows."""
    curve = comparison.curve
    name = " of ".join(part for part in (curve.observable, curve.run) if part)
    verdict = comparison.verdict
    lines = [f"{name} ({curve.n_obs} points): {verdict.kind}. {verdict.reason}"]
    families = sorted(comparison.family_probabilities.items(), key=lambda item: -item[1])
    shown = [f"{family} {p:.2f}" for family, p in families if p >= SMALLEST_SHOWN]
    if shown:
        lines.append(f"  families: {', '.join(shown)}")
    for score in comparison.scores[:ROWS_SHOWN]:
        status = f"  ({score.status})" if score.status else ""
        lines.append(f"  {score.weight:.2f}  {score.name}{status}")
    return "\n".join(lines)
