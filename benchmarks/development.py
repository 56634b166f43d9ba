"""The pages of a report of the study of development, without its figures and single curves.

    python -m ontogeny study development --out results/development
    python -m benchmarks.development results/development  # writes benchmarks/development.md

    python -m ontogeny study development --scale full --out results/development-full
    python -m benchmarks.development results/development-full --out benchmarks/development_full.md

What made the report stands at the end of the page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

CURVES, PROVENANCE, FILES = "## All curves", "## Provenance", "- Data: "


def page(report: str) -> str:
    """Return the pages of a report in Markdown, and what made it.

    Raises
    ------
    ValueError
        If it is no report of the study.
    """
    lines = report.splitlines()
    for heading in (CURVES, PROVENANCE):
        if heading not in lines:
            raise ValueError(f"a report of the study has a line {heading!r}; this one has none.")
    title, *told = lines[: lines.index(CURVES)]
    made = [line for line in lines[lines.index(PROVENANCE) :] if not line.startswith(FILES)]
    said = (
        "The pages of the report, without its figures and single curves (`python -m "
        "benchmarks.development`); what made it stands at the end."
    )
    return "\n".join([title, "", said, *told, *made]) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the study put its report")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    try:
        found = page((args.folder / "report.md").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    args.out.write_text(found, encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
