"""Tables for machines: one number a cell, all digits, headers that are names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.aggregate_records import aggregate_records
from papers.figures.ladder_table import other_conditions, predicted
from papers.sections.candidates import doubts_of
from papers.sections.overview import forms_of_family, kind_of, largest_stage, leading_family
from papers.sections.parameters import four, leading_candidates, unit_of
from papers.sections.stages import STAGE
from papers.sections.study import pages
from papers.tables import Cell, Table

Entry = Mapping[str, Any]
Row = dict[str, Cell]
EDGES = ("value", "lower", "upper")


def records(document: Entry) -> dict[str, Table]:
    """Return the tables of a results document by name; those without rows are left out."""
    curves = document["curves"]
    found = {
        "curves": [_curve(curve) for curve in curves],
        "candidates": [row for curve in curves for row in _candidates(curve)],
        "parameters": [row for curve in curves for row in _parameters(curve)],
        "stages": [row for curve in curves for row in _stages(curve)],
        "extrema": [_extremum(curve) for curve in curves if curve.get("peak")],
    }
    populations = document.get("populations", [])
    found["frequencies"] = [row for entry in populations for row in _shares(entry)]
    found["populations"] = [row for entry in populations for row in _population(entry)]
    found["pooled"] = [row for entry in populations for row in _pooled(entry)]
    if "aggregates" in document:
        found |= aggregate_records(document["aggregates"])
    if "orders" in document:
        found["orders"] = _orders(document["orders"])
        found["order_frequencies"] = _frequencies(document["orders"])
        found["ranks"] = _ranks(document["orders"])
    for i, ladder in enumerate(document.get("ladders", []), start=1):
        found[f"ladder_{i}"] = [
            _flat({k: v for k, v in score.items() if k != "parameters"}, "doubts")
            for score in ladder["scores"]
        ]
        found[f"ladder_{i}_unknowns"] = [
            {"mechanism": score["mechanism"], "unknown": name, **found_there}
            for score in ladder["scores"]
            for name, found_there in score.get("parameters", {}).items()
        ]
        found[f"ladder_{i}_signatures"] = [
            row for one in ladder.get("signatures") or [] for row in _signature(one)
        ]
        found[f"ladder_{i}_onsets"] = [_onset(ladder, onset) for onset in ladder["onsets"]]
    study = document.get("study") or {}
    found["runs"] = [_run(run) for run in study.get("runs") or []]
    found["readings"] = [_reading(reading) for reading in study.get("readings") or []]
    tables = {name: table_of(name, rows) for name, rows in found.items() if rows}
    for i, page in enumerate(pages(study), start=1):
        tables |= {f"page_{i}_{j}": table for j, table in enumerate(page.tables, start=1)}
    return tables


def _signature(one: Mapping[str, Any]) -> list[Row]:
    """Return what was seen, and what each hypothesis foretells, a row each."""
    at = {"quantity": one["quantity"], **one["at"]}
    seen = {**at, "by": "runs", **(one["seen"] or {}), "why_not": one["why_not"]}
    return [seen, *({**at, "by": name, **(told or {})} for name, told in one["foretold"].items())]


def table_of(name: str, rows: Sequence[Row]) -> Table:
    """Return rows as a table with every column that any of them has."""
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return Table(name, columns, tuple(tuple(row.get(column) for column in columns) for row in rows))


def _of(curve: Entry) -> Row:
    return {"observable": curve["observable"], "run": curve["run"], "run_id": curve["run_id"]}


def _curve(curve: Entry) -> Row:
    family, probability = leading_family(curve)
    stage = largest_stage(curve) or {}
    lower, upper = stage.get("midpoint_interval") or (None, None)
    forecast = curve["forecast"] or {}
    return {
        **_of(curve),
        "n_obs": curve["n_obs"],
        "verdict": curve["verdict"]["kind"],
        "family": family,
        "probability": probability,
        **{f"p_{name}": value for name, value in curve["family_probabilities"].items()},
        "forms_of_family": " ".join(forms_of_family(curve)),
        "half_time": stage.get("midpoint"),
        "half_time_lower": lower,
        "half_time_upper": upper,
        "stage_agreement": curve.get("stage_agreement"),
        "forecast_rmse_ratio": forecast.get("rmse_ratio"),
    }


def _candidates(curve: Entry) -> list[Row]:
    names = (
        "form", "noise", "family", "weight", "log_evidence", "log_evidence_se", "sampler",
        "log_likelihood", "n_free", "aic", "aicc", "bic", "elpd_loo", "elpd_forecast", "status",
        "expression",
    )  # fmt: skip
    return [
        {**_of(curve), **{n: c.get(n) for n in names}, "doubts": " ".join(doubts_of(c))}
        for c in curve["candidates"]
    ]


def _parameters(curve: Entry) -> list[Row]:
    rows = []
    for candidate in leading_candidates(curve):
        for name, estimate in candidate["parameters"].items():
            value, sd, lower, upper = four(estimate)
            rows.append(
                {
                    **_of(curve),
                    "form": candidate["form"],
                    "noise": candidate["noise"],
                    "parameter": name,
                    "median": value,
                    "posterior_sd": sd,
                    "lower": lower,
                    "upper": upper,
                    "unit": unit_of(candidate["form"], name, curve),
                }
            )
    return rows


def _stages(curve: Entry) -> list[Row]:
    rows: list[Row] = []
    for i, stage in enumerate(curve["stages"], start=1):
        row: Row = {**_of(curve), "stage": i}
        for name in STAGE:
            lower, upper = stage.get(f"{name}_interval") or (None, None)
            row |= {name: stage.get(name), f"{name}_lower": lower, f"{name}_upper": upper}
        rows.append(row)
    return rows


def _extremum(curve: Entry) -> Row:
    peak = curve["peak"]
    return {
        **_of(curve),
        "kind": kind_of(peak),
        "family": peak.get("family"),
        "probability": peak["probability"],
        "probability_given_family": peak.get("probability_given_family"),
        **_edges("time", peak["time"]),
        **_edges("height", peak["height"]),
        **_edges("prominence", peak.get("prominence")),
    }


def _orders(orders: Entry) -> list[Row]:
    """Return a row an order: of two observables in a run, or of one observable in two."""
    rows = []
    for entry in (*orders["observables"], *orders["runs"]):
        for one in entry["orders"]:
            names = ("a_first", "b_first", "neither", "se", "lowest", "first")
            row = {
                "observable": entry.get("observable"),
                "run": one.get("run"),
                "a": one.get("a", entry.get("a")),
                "b": one.get("b", entry.get("b")),
                "progress": entry["progress"],
                "quantity": entry["quantity"],
                **{name: one[name] for name in names},
                **_edges("difference", one["difference"]),
                "doubts": " ".join(one["doubts"]),
            }
            rows.append(row)
    return rows


def _frequencies(orders: Entry) -> list[Row]:
    return [
        {name: entry[name] for name in ("a", "b", "quantity")}
        | _flat({**entry["frequency"]}, "doubts")
        for entry in orders["observables"]
        if entry["frequency"] is not None
    ]


def _ranks(orders: Entry) -> list[Row]:
    return [
        {"observable": entry["observable"], "quantity": entry["quantity"], **rank}
        for entry in orders["runs"]
        for rank in entry["ranks"]
    ]


def _edges(name: str, estimate: Entry | None) -> Row:
    values = [None if estimate is None else estimate[edge] for edge in EDGES]
    return dict(zip((name, f"{name}_lower", f"{name}_upper"), values, strict=True))


def _shares(entry: Entry) -> list[Row]:
    return [
        {
            "observable": entry["observable"],
            "of": noun,
            **model,
            "omnibus_risk": entry[key]["omnibus_risk"],
            "doubts": " ".join([*entry["doubts"], *entry[key]["doubts"]]),
        }
        for key, noun in (("families", "family"), ("forms", "form"))
        for model in (entry[key] or {"models": ()})["models"]
    ]


def _population(entry: Entry) -> list[Row]:
    pooled = entry.get("pooled") or {"parameters": ()}
    return [
        {
            "observable": entry["observable"],
            "form": pooled["form"],
            "parameter": parameter["name"],
            **_edges("median", parameter["median"]),
            **_edges("spread", parameter["spread"]),
            "spread_of_ln": int(parameter["log"]),
        }
        for parameter in pooled["parameters"]
    ]


def _pooled(entry: Entry) -> list[Row]:
    pooled = entry.get("pooled") or {"runs": ()}
    return [
        {
            "observable": entry["observable"],
            "run": run["run"],
            "form": pooled["form"],
            "parameter": name,
            **_edges("pooled", estimate),
            **_edges("by_itself", run["single"].get(name)),
        }
        for run in pooled["runs"]
        for name, estimate in run["pooled"].items()
    ]


def _flat(entry: Entry, sentences: str) -> Row:
    plain = {name: value for name, value in entry.items() if name != sentences}
    return {**plain, sentences: " ".join(entry.get(sentences) or [])}


def _onset(ladder: Entry, onset: Entry) -> Row:
    others = {
        name: onset.get("facet") if name == "panel" else onset.get("conditions", {}).get(name)
        for name in other_conditions(ladder)
    }
    mechanisms = dict.fromkeys(p["mechanism"] for p in ladder["predictions"])
    return {
        ladder["condition"]: onset["condition"],
        **others,
        "run": onset["run"],
        "lower": onset["lower"],
        "upper": onset["upper"],
        **{f"median {name}": predicted(ladder, name, onset)[1] for name in mechanisms},
    }


def _run(run: Entry) -> Row:
    flip, proxy, success = run["flip"], run["proxy"], run["success"]
    peak = proxy["peak"] or {}
    return {
        "run": run["run"],
        "run_id": run["run_id"],
        "alpha": run["alpha"],
        "seed": run["seed"],
        "onset_lower": run["onset"]["lower"],
        "onset_upper": run["onset"]["upper"],
        "led_by_proxy": int(run["onset"]["led_by_proxy"]),
        "flip_ends_above": flip["ends_above"],
        "flip_crosses": flip["crosses"],
        "flip_never_led_by_proxy": flip["never_led_by_proxy"],
        **_edges("flip_time", flip["time"]),
        "proxy_transient_probability": proxy["transient_probability"],
        "proxy_turn": peak.get("kind"),
        "proxy_turn_probability": peak.get("probability"),
        **_edges("proxy_turn_time", peak.get("time")),
        **_edges("proxy_turn_height", peak.get("height")),
        "proxy_largest": proxy["largest_measured"]["value"],
        "proxy_largest_t": proxy["largest_measured"]["t"],
        **{f"success_{name}": success[name] for name in ("before", "after", "last")},
        **{f"last_{name}": value["value"] for name, value in run["last"].items()},
        **{f"last_{name}_se": value["se"] for name, value in run["last"].items()},
    }


def _reading(reading: Entry) -> Row:
    plain = {name: value for name, value in reading.items() if name != "baselines"}
    return {**plain, **{f"baseline {k}": v for k, v in reading["baselines"].items()}}
