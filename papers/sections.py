"""The tables and sentences of a report, from a results document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from papers.figures.curve import name_of
from papers.figures.drawing import PROGRESS, short
from papers.mathematics import meanings
from papers.tables import Cell, Table, shown

Entry = Mapping[str, Any]
SHOWN_CANDIDATES = 8
SHOWN_PARAMETERS = 3


def words(name: str) -> str:
    """Write an identifier as words."""
    return name.replace("_", " ")


def headline(document: Entry) -> str:
    """Return the verdict of the whole document in a sentence or two."""
    if "study" in document:
        return str(document["study"]["verdict"])
    curves = document["curves"]
    if not curves:
        return "No curve could be judged."
    if len(curves) == 1:
        return sentence(curves[0]["verdict"])
    if len(curves) <= FEW:
        return upper_first("; ".join(_said(curve) for curve in curves) + ".")
    kinds = Counter(curve["verdict"]["kind"] for curve in curves)
    decided = Counter(
        curve["verdict"]["families"][0] for curve in curves if curve["verdict"]["kind"] == "decided"
    )
    which = ", ".join(f"{n} {family}" for family, n in decided.most_common())
    parts = [f"{kinds['decided']} have a decided shape{f' ({which})' if which else ''}"]
    for kind, said in (
        ("tied", "tied between two shapes"),
        ("inconclusive", "inconclusive"),
    ):
        if kinds[kind]:
            parts.append(f"{kinds[kind]} {'is' if kinds[kind] == 1 else 'are'} {said}")
    return f"Of {len(curves)} curves, {', '.join(parts)}."


FEW = 3


def _said(curve: Entry) -> str:
    verdict = curve["verdict"]
    if verdict["kind"] == "inconclusive":
        return f"{name_of(curve)} is inconclusive"
    return f"{name_of(curve)} is {' or '.join(verdict['families'])} ({verdict['kind']})"


def sentence(verdict: Entry) -> str:
    """Return a verdict as a sentence that says its kind."""
    kind = str(verdict["kind"])
    return f"{kind[0].upper()}{kind[1:]}. {upper_first(verdict['reason'])}"


def upper_first(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with a name such as ``p_goal``."""
    first = text.split(" ", 1)[0]
    is_name = any(letter in first for letter in "_/=") or any(c.isdigit() for c in first)
    return text if is_name else text[:1].upper() + text[1:]


def title_of(document: Entry) -> str:
    """Return the title of the report."""
    if "study" in document:
        return str(document["study"]["title"])
    curves = document["curves"]
    what = name_of(curves[0]) if len(curves) == 1 else f"{len(curves)} curves"
    begin = {"propose": "Forms proposed for", "compare": "Hypotheses compared on"}
    return f"{begin.get(document['command'], 'Results for')} {what}"


def overview(curves: Sequence[Entry]) -> Table:
    """Return one row a curve: verdict, families, forms, and when it happens."""
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        family, probability = leading_family(curve)
        verdict = curve["verdict"]
        rows.append(
            (
                curve["observable"],
                curve["run"] or curve["run_id"],
                curve["n_obs"],
                verdict["kind"],
                family,
                probability,
                ", ".join(words(form) for form in leading_forms(curve)),
                when(curve),
            )
        )
    columns = ("observable", "run", "points", "verdict", "shape", "probability", "forms", "when")
    return Table("All curves", columns, tuple(rows), decimals={"probability": 2})


def leading_family(curve: Entry) -> tuple[str, float | None]:
    """Return the most probable family and its probability."""
    known = {k: v for k, v in curve["family_probabilities"].items() if v is not None}
    if not known:
        return "–", None
    family = max(known, key=lambda name: known[name])
    return family, known[family]


def leading_forms(curve: Entry) -> list[str]:
    """Return the forms the verdict names, or else the best candidate's."""
    forms = list(curve["verdict"]["forms"])
    return forms or [candidate["form"] for candidate in curve["candidates"][:1]]


def when(curve: Entry) -> str:
    """Say when the curve peaks, or its largest stage is half done, with the interval."""
    if curve.get("peak"):
        time = curve["peak"]["time"]
        return f"peak {between(time['value'], (time['lower'], time['upper']))}"
    stages = [stage for stage in curve["stages"] if stage.get("midpoint") is not None]
    if not stages:
        return "–"
    stage = max(stages, key=lambda stage: stage["share"] or 0.0)
    return f"half {between(stage['midpoint'], stage.get('midpoint_interval'))}"


def between(value: float | None, interval: Sequence[float | None] | None) -> str:
    """Write a value with its interval, three digits."""
    if value is None:
        return "–"
    text = _three(value)
    if interval is None or None in interval:
        return text
    lower, upper = (float(edge) for edge in interval if edge is not None)
    return f"{text} [{_three(lower)}, {_three(upper)}]"


def _three(value: float) -> str:
    return short(float(f"{value:.3g}"))


def families(curve: Entry) -> Table:
    """Return family probabilities with error and the band over prior widths."""
    scales = list(curve.get("sensitivity", {}))
    errors = curve.get("family_se", {})
    rows = tuple(
        (family, value, errors.get(family), *(curve["sensitivity"][s].get(family) for s in scales))
        for family, value in curve["family_probabilities"].items()
    )
    columns = ("shape", "probability", "se", *(f"priors × {scale}" for scale in scales))
    places = {column: 3 for column in columns[1:]}
    return Table("Probability of each shape", columns, rows, decimals=places)


def candidates(curve: Entry) -> tuple[Table, list[tuple[str, str]]]:
    """Return the comparison table, and the doubts its letters stand for."""
    letters: dict[str, str] = {}
    rows: list[tuple[Cell, ...]] = []
    best = _best_evidence(curve)
    for candidate in curve["candidates"]:
        marks = []
        for doubt in _doubts(candidate):
            marks.append(letters.setdefault(doubt, _letter(len(letters))))
        evidence = candidate["log_evidence"]
        rows.append(
            (
                f"{words(candidate['form'])} × {words(candidate['noise'])}",
                candidate["family"],
                candidate["weight"],
                evidence,
                candidate["log_evidence_se"],
                None if evidence is None or best is None else evidence - best,
                candidate["aicc"],
                candidate["bic"],
                candidate["elpd_forecast"],
                candidate["n_free"],
                " ".join(sorted(marks, key=lambda letter: (len(letter), letter))),
            )
        )
    columns = (
        "hypothesis",
        "shape",
        "weight",
        "ln Z",
        "se",
        "Δ ln Z",
        "AICc",
        "BIC",
        "forecast elpd",
        "free",
        "doubts",
    )
    places = {"weight": 3, "se": 2} | {c: 1 for c in ("ln Z", "Δ ln Z", "AICc", "BIC")}
    places["forecast elpd"] = 1
    table = Table(f"Candidates for {name_of(curve)}", columns, tuple(rows), decimals=places)
    return table, [(letter, doubt) for doubt, letter in letters.items()]


def _doubts(candidate: Entry) -> list[str]:
    status = [candidate["status"]] if candidate["status"] else []
    return list(dict.fromkeys([*status, *candidate["doubts"]]))


def _letter(n: int) -> str:
    return chr(ord("a") + n) if n < 26 else f"{chr(ord('a') + n // 26 - 1)}{chr(ord('a') + n % 26)}"


def _best_evidence(curve: Entry) -> float | None:
    values = [c["log_evidence"] for c in curve["candidates"] if c["log_evidence"] is not None]
    return max(values, default=None)


def parameters(curve: Entry) -> list[tuple[Entry, Table]]:
    """Return the parameter table of each leading form (its best candidate)."""
    forms, tables = leading_forms(curve)[:SHOWN_PARAMETERS], []
    for form in forms:
        candidate = next(c for c in curve["candidates"] if c["form"] == form)
        meaning = meanings(form)
        rows = tuple(
            (name.replace("_", " "), *_four(estimate), meaning.get(name, "of the noise"))
            for name, estimate in candidate["parameters"].items()
        )
        columns = ("parameter", "value", "se", "2.5 %", "97.5 %", "meaning")
        caption = f"Parameters of {words(form)} × {words(candidate['noise'])}"
        tables.append((candidate, Table(caption, columns, rows)))
    return tables


def _four(estimate: Entry | None) -> tuple[float | None, ...]:
    names = ("value", "se", "lower", "upper")
    return tuple(None if estimate is None else estimate[name] for name in names)


def stages(curve: Entry) -> Table | None:
    """Return the stages, and the peak, in the units of the progress axis."""
    rows: list[tuple[Cell, ...]] = [
        (f"stage {i + 1}", *(_with_interval(stage, name) for name in STAGE))
        for i, stage in enumerate(curve["stages"])
    ]
    if curve.get("peak"):
        time, height = curve["peak"]["time"], curve["peak"]["height"]
        at = between(time["value"], (time["lower"], time["upper"]))
        high = between(height["value"], (height["lower"], height["upper"]))
        rows.append(("peak", "–", at, "–", "–", f"height {high}"))
    if not rows:
        return None
    axis = PROGRESS.get(curve["progress"], "training progress")
    columns = ("", "onset (10 %)", "midpoint", "width (10–90 %)", "share", "rise")
    return Table(f"Stages, in {axis}, with 95 % intervals", columns, tuple(rows))


STAGE = ("onset", "midpoint", "width", "share", "rise")


def _with_interval(stage: Entry, name: str) -> str:
    return between(stage.get(name), stage.get(f"{name}_interval"))


def forecast(curve: Entry) -> str:
    """Say how well the candidates foretold the last quarter."""
    result = curve["forecast"]
    if result is None or result.get("rmse_ratio") is None:
        reason = (result or {}).get("reason", "")
        return f"No forecast: {reason[:1].lower()}{reason[1:]}" if reason else ""
    ratio = result["rmse_ratio"]
    better = "better than" if ratio < 0.995 else "no better than"
    return (
        f"Fitted to the first part of the curve, the candidates foretell the rest {better} the "
        f"naive forecast ({result['baseline']}): {shown(float(ratio), 3)} times its error."
    )


def scores(ladder: Entry) -> Table:
    """Return how each mechanism did on a ladder."""
    rows = tuple(
        (
            words(score["mechanism"]),
            score.get("weight"),
            score.get("log_evidence"),
            score.get("log_evidence_se"),
            score.get("clock"),
            score.get("cv"),
            " ".join(score.get("doubts", [])),
        )
        for score in ladder["scores"]
    )
    columns = ("mechanism", "weight", "ln Z", "se", "clock factor", "spread (cv)", "doubts")
    places = {"weight": 3, "ln Z": 1, "se": 2, "clock factor": 2, "spread (cv)": 2}
    return Table(f"Mechanisms on {ladder['title']}", columns, rows, decimals=places)


def provenance(document: Entry) -> list[tuple[str, str]]:
    """Return the facts that let somebody repeat the work."""
    found = document["provenance"]
    rows = [("Command", found.get("command")), ("Seed", found.get("seed"))]
    commit = found.get("git_commit")
    if commit:
        changed = {True: ", with uncommitted changes", False: ", clean", None: ""}
        rows.append(("Git commit", f"{commit}{changed[found.get('git_dirty')]}"))
    else:
        rows.append(("Git commit", "not run from a git tree"))
    rows.append(("Platform", found.get("platform")))
    rows.append(("Processors", found.get("processor_count")))
    if found.get("wall_seconds") is not None:
        rows.append(("Wall time", duration(float(found["wall_seconds"]))))
    known = {"command", "seed", "git_commit", "git_dirty", "platform", "processor_count"}
    known |= {"wall_seconds", "versions", "data"}
    rows += [
        (upper_first(words(name)), _plain(value))
        for name, value in found.items()
        if name not in known
    ]
    return [(name, str(value)) for name, value in rows if value is not None]


def _plain(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return ", ".join(f"{words(str(k))} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return None if value is None else str(value)


def duration(seconds: float) -> str:
    """Write a wall time as a reader would."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
