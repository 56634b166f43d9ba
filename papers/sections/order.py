"""In which order observables form, within runs and between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fitting.runs.order import said
from fitting.verdict import THRESHOLD
from papers.tables import Cell, Table
from papers.wording import PROGRESS, between, short_names, upper_first

Entry = Mapping[str, Any]

EXPLAINED = (
    "An observable forms with its stages: the onset is the time at which 10 % of the change of its "
    "first stage is done, the midpoint that at which half of the change of its largest stage is. "
    "Times are averaged over all shapes and forms by their probability; where the shape is no "
    "change or steady drift it never forms. Curves are fitted separately and count as independent. "
    "An order is decided when it keeps 95 % of the probability over Monte-Carlo error and over "
    "priors half and twice as wide. The frequency over runs has a uniform prior, and a run in "
    "which neither forms says nothing about it."
)
_PLACES = {"se": 2, "expected rank": 2}


def order_sentences(orders: Entry | None) -> list[str]:
    """Return what may be quoted by onset, of pairs over runs or in one, and between runs."""
    if orders is None:
        return []
    found = []
    for entry in _by_onset(orders["observables"]):
        if len(entry["orders"]) == 1:
            found.append(entry["orders"][0]["sentence"])
        else:
            frequency = entry["frequency"]
            said_of_runs = entry["reason"] if frequency is None else frequency["sentence"]
            found.append(f"{_in_these(entry)} {said_of_runs}")
    return found + [entry["sentence"] for entry in _by_onset(orders["runs"])]


def _in_these(entry: Entry) -> str:
    """Say in how many of the runs at hand the order is decided, and which way."""
    a, b, firsts = entry["a"], entry["b"], [one["first"] for one in entry["orders"]]
    before, after = firsts.count(a), firsts.count(b)
    text = f"{a} forms before {b} in {before} of these {len(firsts)} runs and after it in {after}"
    return f"{text}; the others do not decide it." if firsts.count(None) else f"{text}."


def _by_onset(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry["quantity"] == "onset"]


def frequency_table(orders: Entry) -> Table | None:
    """Return how often each order comes over runs; None where no frequency is known."""
    rows = tuple(
        (
            f"{entry['a']} before {entry['b']}",
            entry["quantity"],
            found["runs"],
            f"{found['expected']:.2f} [{found['lower']:.2f}, {found['upper']:.2f}]",
            said(found["above_half"]),
        )
        for entry in orders["observables"]
        if (found := entry["frequency"]) is not None
    )
    columns = ("order", "by", "runs", "frequency", "P(in most runs)")
    caption = "How often an order comes, over the runs that these stand for"
    return Table(caption, columns, rows) if rows else None


def order_tables(orders: Entry) -> list[tuple[Table, list[str]]]:
    """Return a table with its doubts for each pair of observables: a row a run and time."""
    pairs: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in orders["observables"]:
        pairs.setdefault((entry["progress"], entry["a"], entry["b"]), []).append(entry)
    return [(_pair(key, entries), _doubts(entries)) for key, entries in pairs.items()]


def _pair(key: tuple[str, str, str], entries: Sequence[Entry]) -> Table:
    progress, a, b = key
    names = short_names([one["run"] for entry in entries for one in entry["orders"]])
    rows = tuple(
        (names[one["run"]], entry["quantity"], _first(one), *_numbers(one))
        for entry in entries
        for one in entry["orders"]
    )
    return Table(
        f"{a} and {b}: which forms first, and how much later the other if both form, in "
        f"{_axis(progress)}",
        ("run", "by", "first", f"P({a} first)", f"P({b} first)", "neither", "se", f"{b} − {a}"),
        rows,
        decimals=_PLACES,
    )


def _numbers(one: Entry) -> tuple[Cell, ...]:
    gap = one["difference"]
    gap_said = "–" if gap is None else between(gap["value"], (gap["lower"], gap["upper"]))
    probabilities = (said(one[name]) for name in ("a_first", "b_first", "neither"))
    return (*probabilities, one["se"], gap_said)


def _first(one: Entry) -> str:
    if one["first"] is not None:
        return str(one["first"])
    return "neither forms" if one["lowest"] is not None and _is_neither(one) else "not decided"


def _is_neither(one: Entry) -> bool:
    return bool(one["neither"] >= THRESHOLD and one["lowest"] >= THRESHOLD)


def _axis(progress: str) -> str:
    return PROGRESS.get(progress, "training progress")


def _doubts(entries: Sequence[Entry]) -> list[str]:
    """Return the doubts of all runs, each once, with the runs that they are about."""
    runs: dict[str, list[str]] = {}
    for entry in entries:
        for one in entry["orders"]:
            for doubt in one["doubts"]:
                runs.setdefault(doubt, []).append(one["run"])
    names = short_names([one["run"] for entry in entries for one in entry["orders"]])
    found = []
    for doubt, of in runs.items():
        where = ", ".join(names[run] for run in dict.fromkeys(of))
        found.append(f"{where}: {doubt}" if where and len(names) > 1 else upper_first(doubt))
    for entry in entries:
        found += (entry["frequency"] or {}).get("doubts", [])
    return list(dict.fromkeys(found))


def rank_tables(orders: Entry) -> list[tuple[Table, list[str]]]:
    """Return a table with its doubts for each observable: the rank of every run by either time."""
    tables: dict[tuple[str, str], list[Entry]] = {}
    for entry in orders["runs"]:
        tables.setdefault((entry["progress"], entry["observable"]), []).append(entry)
    times = {
        (f["progress"], f["observable"], f["run"], f["quantity"]): f for f in orders["formations"]
    }
    return [
        (_ranks(key, entries, times), list(dict.fromkeys(d for e in entries for d in e["doubts"])))
        for key, entries in tables.items()
    ]


def _ranks(key: tuple[str, str], entries: Sequence[Entry], times: Mapping[Any, Entry]) -> Table:
    names = short_names([rank["run"] for entry in entries for rank in entry["ranks"]])
    rows = []
    for entry in entries:
        for rank in sorted(entry["ranks"], key=lambda rank: float(rank["expected"])):
            formed = times[(*key, rank["run"], entry["quantity"])]
            time = formed["time"]
            rows.append(
                (
                    names[rank["run"]],
                    entry["quantity"],
                    rank["expected"],
                    f"{rank['lower']} to {rank['upper']}",
                    said(rank["first"]),
                    "–" if time is None else between(time["value"], (time["lower"], time["upper"])),
                    said(formed["never"]),
                )
            )
    columns = ("run", "by", "expected rank", "95 %", "P(first)", "time, if it forms", "never")
    caption = f"{key[1]}: in which run it forms first, in {_axis(key[0])}"
    return Table(caption, columns, tuple(rows), decimals=_PLACES)


def run_pairs(orders: Entry) -> Table | None:
    """Return every two runs of every observable; None where none are listed."""
    rows = tuple(
        (entry["observable"], f"{one['a']}, {one['b']}", entry["quantity"], _first(one),
         *_numbers(one))
        for entry in orders["runs"]
        for one in entry["orders"]
    )  # fmt: skip
    columns = (
        "observable", "runs", "by", "first", "P(former first)", "P(latter first)", "neither", "se",
        "latter − former",
    )  # fmt: skip
    return Table("Every two runs", columns, rows, decimals=_PLACES) if rows else None
