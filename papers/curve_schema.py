"""What a results file holds of one curve (`papers.schema`), and the check that it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.json_checks import (
    anything,
    fail,
    list_of,
    mapping_of,
    maybe,
    number,
    one_of,
    record,
    text,
)
from papers.study_schema import ESTIMATE, PEAK

TEXTS, GAPPED = list_of(text), list_of(maybe(number))

CANDIDATE = record(
    {
        "form": text,
        "noise": text,
        "family": maybe(text),
        "status": maybe(text),
        "expression": text,
        "parameters": mapping_of(maybe(ESTIMATE)),
        "n_free": number,
        "aicc": maybe(number),
        "bic": maybe(number),
        "log_evidence": maybe(number),
        "log_evidence_se": maybe(number),
        "weight": maybe(number),
        "elpd_forecast": maybe(number),
        "doubts": TEXTS,
    }
)
BAND = record({"median": GAPPED, "lower": GAPPED, "upper": GAPPED})
FORM = record({"form": text, "noise": text, "weight": maybe(number), "median": GAPPED})
INTERVAL = maybe(list_of(maybe(number), least=2))
STAGE = record(
    {name: maybe(number) for name in ("onset", "midpoint", "width", "share", "rise")},
    {f"{name}_interval": INTERVAL for name in ("onset", "midpoint", "width", "share", "rise")},
)
LJUNG_BOX = record({"lags": number, "p_value": number})
CURVE = {
    "run": text,
    "run_id": text,
    "observable": text,
    "unit": maybe(text),
    "progress": text,
    "n_obs": number,
    "conditions": mapping_of(anything),
    "t": list_of(number, least=1),
    "y": list_of(number, least=1),
    "family_probabilities": mapping_of(maybe(number)),
    "candidates": list_of(CANDIDATE),
    "stages": list_of(STAGE),
    "forecast": maybe(
        record(
            {"baseline": maybe(text), "rmse_ratio": maybe(number)},
            {
                "reason": maybe(text),
                **dict.fromkeys(
                    ("n_train", "n_test", "average_ratio", "best_ratio", "coverage"), maybe(number)
                ),
            },
        )
    ),
    "verdict": record(
        {
            "kind": one_of("decided", "tied", "inconclusive"),
            "families": TEXTS,
            "forms": TEXTS,
            "reason": text,
        }
    ),
}
FOUND = record(
    {
        **{name: text for name in ("form", "expression", "latex", "match", "python")},
        "description_length": number,
        "log_evidence": maybe(number),
        "units": mapping_of(text),
        "meanings": mapping_of(text),
    }
)
SEARCH = record(
    {
        "looked": number,
        "total": number,
        "conclusion": text,
        "notes": TEXTS,
        "found": list_of(FOUND),
    }
)
LICENSE = record(
    {
        **{name: number for name in ("wrong", "decided", "number", "upper_bound", "lower_bound")},
        "recognized": mapping_of(record({"count": number, "number": number})),
        "confusion": mapping_of(mapping_of(number)),
        "sentence": text,
        "explained": text,
        "failed": text,
    }
)
PRIOR = record(
    {
        "form": text,
        "t": list_of(number, least=1),
        "lower": list_of(number, least=1),
        "upper": list_of(number, least=1),
        "draws": list_of(list_of(number, least=1)),
    }
)
BEFORE = record({"autocorrelation": list_of(number, least=1)}, {"ljung_box": maybe(LJUNG_BOX)})
CURVE_MORE = {
    "search": maybe(SEARCH),
    "y_se": maybe(list_of(number)),
    "family_se": maybe(mapping_of(maybe(number))),
    "sensitivity": maybe(mapping_of(mapping_of(maybe(number)))),
    "fitted": maybe(
        record({"t": list_of(number, least=1), "average": maybe(BAND), "forms": list_of(FORM)})
    ),
    "prior": maybe(PRIOR),
    "residuals": maybe(
        record(
            {
                "form": text,
                "noise": text,
                "values": list_of(number, least=1),
                "autocorrelation": list_of(number, least=1),
            },
            {"ljung_box": maybe(LJUNG_BOX), "before": maybe(BEFORE)},
        )
    ),
    "stage_agreement": maybe(number),
    "peak": maybe(PEAK),
    "notes": maybe(TEXTS),
    "license": maybe(LICENSE),
}


def check_curve(curve: Mapping[str, Any], place: str) -> None:
    """Check what one key of a curve must know of another."""
    same_length(curve, ("t", "y", "y_se"), place)
    fitted, residuals = curve.get("fitted"), curve.get("residuals")
    if fitted:
        same_length({"t": fitted["t"], **(fitted["average"] or {})}, (), f"{place}.fitted")
        for i, form in enumerate(fitted["forms"]):
            pair = {"t": fitted["t"], "median": form["median"]}
            same_length(pair, (), f"{place}.fitted.forms[{i}]")
    if residuals:
        pair = {"t": curve["t"], "values": residuals["values"]}
        same_length(pair, (), f"{place}.residuals")
        lags = {
            "autocorrelation": residuals["autocorrelation"],
            "before": (residuals.get("before") or {}).get("autocorrelation"),
        }
        same_length(lags, tuple(lags), f"{place}.residuals")
    if prior := curve.get("prior"):
        lines = {f"draws[{i}]": values for i, values in enumerate(prior["draws"])}
        lists = {name: prior[name] for name in ("t", "lower", "upper")} | lines
        same_length(lists, (), f"{place}.prior")
    verdict = curve["verdict"]
    known = {candidate["form"] for candidate in curve["candidates"]}
    for form in verdict["forms"]:
        if form not in known:
            fail(f"{place}.verdict.forms", "forms of its candidates", form)
    if verdict["kind"] != "inconclusive" and not verdict["families"]:
        raise ValueError(f"{place}.verdict is {verdict['kind']} and names no family.")


def same_length(entry: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
    """Check that lists under some keys, or all, are of one length, where they are given."""
    found = {key: entry[key] for key in keys or entry if entry.get(key) is not None}
    sizes = {key: len(values) for key, values in found.items() if isinstance(values, list | tuple)}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{key} has {size}" for key, size in sizes.items())
        raise ValueError(f"{place}: lists that go together must be as long; {said}.")
