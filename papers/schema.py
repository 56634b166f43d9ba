"""The results file, schema 1: what it holds, and the check that it does.

A results document is one JSON object; a number that could not be computed is null, never NaN::

    schema        1
    command       "propose", "compare", "study", "reproduce", …
    curves        list, one entry a curve: what was observed, the candidates by log evidence,
                  probabilities of the families, stages, forecast, verdict, and, so that a
                  report needs no more,
                  license    {wrong, decided, number, upper_bound, lower_bound, recognized: {family:
                             {count, number}}, confusion: {truth: {outcome: count}}, sentence,
                             explained, failed} of simulated curves; null where not asked for
                  fitted     {t, average: {median, lower, upper} (95 % band of the average over
                             the candidates by weight), forms: list of {form, noise, weight,
                             median}, heaviest first}
                  prior      {form, t, lower, upper (95 % of the prior's curves), draws: a few of
                             them} of the heaviest form, without noise
                  residuals  {form, noise, values, autocorrelation, ljung_box} of the heaviest
                             candidate, before: {autocorrelation, ljung_box} of what its curve
                             leaves before the noise explains any of it
                  search     with `propose --search`: {looked, total, conclusion, notes, found: list
                             of {form, competes_as, origin, expression, latex,
                             description_length, log_evidence, match (in words), matches, values,
                             units, meanings, python (source of the form)}}
                  peak       {kind: "peak" or "trough", family, time, height, prominence,
                             probability_given_family, probability (times the family's own)}
    orders        in which order observables form, where two curves have one progress axis
                  (optional): formations: list of {observable, run, progress, quantity, time,
                  never, reason}, observables: list of {a, b, progress, quantity, orders: list of
                  {run, ORDER}, frequency, reason}, runs: list of {observable, progress, quantity,
                  ranks, orders: list of {a, b, ORDER}, sentence, doubts}, left_out: sentences.
                  ORDER is a_first, b_first, neither (they sum to 1), se (of the largest), lowest
                  (null: a doubt says why), first (null: not decided), difference (null: they
                  never both form), sentence, doubts
    rejected      list of {run, observable, reason}
    notes         list of sentences
    provenance    command, seed, versions, git_commit, git_dirty, platform, data (sha256 by file),
                  wall_seconds, input (what was read)

and, from `propose` and `compare`, if two or more runs of an observable were judged ::

    populations   list, one entry an observable: {observable, unit, progress, number (of runs), runs
                  (those that count), undecided (those of them whose verdict is not decided),
                  left_out: list of {run, reason}, families and forms: {models: list of {name,
                  frequency, lower, upper (95 %), exceedance, protected, assigned (runs)},
                  assignments: list of {run, probabilities}, omnibus_risk, status, sentence, doubts}
                  or null, reason (of null), doubts,
                  pooled     with `compare --pool`: {form, expression, noise, status, rhat, ess,
                             divergent, reason (why there is nothing), left_out, parameters: list of
                             {name, log (whether the spread is that of ln), median, spread},
                             runs: list of {run, pooled, single (the run by itself), status},
                             doubts}}

From `aggregate` ::

    aggregates    {observable, unit, progress, by, task (conditions; empty: none), score (words),
                  groups: list of {name, differ (whether the mean curve is none of the runs),
                  runs: list of {task, run, score}, measures: list of {name, value, lower, upper,
                  why_not}, profile: {thresholds, share, lower, upper (null: a single run)},
                  curve: {t, runs (one list a run), iqm, lower, upper} or null,
                  likenesses: list of {task, kinds, spread, rise, differ (null: cannot tell),
                  sentence}, onsets: list of {task, level, t, share, lower, upper, n_runs,
                  n_censored, median}, doubts},
                  improvements: list of {a, b, tasks, value, lower, upper, why_not}, doubts}

A study adds ::

    study         {name, title, question, verdict, paragraphs: list of sentences,
                  runs: list (`papers.goal_switch.run_json`), readings: list of {run, observable,
                  env_steps, value, se, n_levels, baselines, strongest, above_strongest},
                  pages: list of {title, paragraphs, tables: list of {caption, columns, rows}},
                  arms, error_rate: {wrong, decided, number, upper_bound}, settings,
                  outcomes: with `reproduce`, list of {name, statement, kind, locator, source,
                  published: {name: number}, tolerance, asked, here: {name: number}, agrees (null:
                  cannot tell), why}}
    ladders       list of {title, condition, quantity, unit, log_condition, log_quantity, text,
                  truth (a mechanism's name, or null),
                  onsets: list of {condition, conditions, facet, run, lower, upper (null: not
                  reached)},
                  predictions: list of {mechanism, facet, condition: list, median: list, anchor
                  (the condition at which it passes through the data by construction)},
                  scores: list of {mechanism, log_evidence, log_evidence_se, weight, clock, cv,
                  doubts}, verdict: {kind, mechanisms, reason}}
    developments  list of {title, condition, observables: list, takeaway}: curves of the document
                  to be drawn together, one panel a value of the condition
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.aggregate_schema import AGGREGATES, check_aggregates
from papers.curve_schema import CURVE, CURVE_MORE, check_curve, same_length
from papers.json_checks import (
    Check,
    anything,
    fail,
    list_of,
    mapping_of,
    maybe,
    number,
    record,
    text,
)
from papers.order_schema import ORDERS, check_orders
from papers.population_schema import POPULATION
from papers.study_schema import DEVELOPMENT, LADDER, STUDY

SCHEMA = 1
TEXTS = list_of(text)

PROVENANCE = record(
    {},
    {
        "command": maybe(text),
        "wall_seconds": maybe(number),
        "versions": maybe(mapping_of(text)),
        "data": maybe(mapping_of(text)),
    },
)
DOCUMENT = record(
    {
        "schema": anything,
        "command": text,
        "curves": list_of(record(CURVE, CURVE_MORE)),
        "rejected": list_of(record({"run": text, "observable": text, "reason": text})),
        "notes": TEXTS,
        "provenance": PROVENANCE,
    },
    {
        "aggregates": AGGREGATES,
        "populations": list_of(POPULATION),
        "orders": ORDERS,
        "study": STUDY,
        "ladders": list_of(LADDER),
        "developments": list_of(DEVELOPMENT),
    },
)


def validate(document: Any, place: str) -> None:
    """Check that a document is schema 1 and holds what a report needs.

    Raises
    ------
    ValueError
        In one sentence: what is missing or wrong, and where.
    """
    if not isinstance(document, Mapping) or "schema" not in document:
        raise ValueError(f"{place} holds no results of Ontogeny: it has no schema version.")
    if document["schema"] != SCHEMA:
        raise ValueError(
            f"{place} has results of schema {document['schema']!r}; this Ontogeny reads schema "
            f"{SCHEMA}. Use the version that wrote them, or run the command again."
        )
    check: Check = DOCUMENT
    try:
        check(document, "it")
        for i, curve in enumerate(document["curves"]):
            check_curve(curve, f"curves[{i}]")
        if "aggregates" in document:
            check_aggregates(document["aggregates"], "aggregates")
        if "orders" in document:
            check_orders(document["orders"], "orders")
        for i, ladder in enumerate(document.get("ladders", [])):
            for j, line in enumerate(ladder["predictions"]):
                same_length(line, ("condition", "median"), f"ladders[{i}].predictions[{j}]")
        for i, reading in enumerate((document.get("study") or {}).get("readings") or []):
            if reading["strongest"] not in (None, *reading["baselines"]):
                fail(f"study.readings[{i}].strongest", "one of its baselines", reading["strongest"])
    except ValueError as error:
        raise ValueError(f"{place} is damaged: {str(error).removeprefix('it.')}") from None
