"""What a study adds to a results document: ladders, developments, runs and readings."""

from __future__ import annotations

from papers.json_checks import (
    anything,
    list_of,
    mapping_of,
    maybe,
    number,
    one_of,
    one_type,
    record,
    text,
    truth,
)

TEXTS, NUMBERS, GAPPED = list_of(text), list_of(number), list_of(maybe(number))
ESTIMATE = record({name: maybe(number) for name in ("value", "se", "lower", "upper")})
PEAK = record(
    {"time": ESTIMATE, "height": ESTIMATE, "probability": maybe(number)},
    {"kind": one_of("peak", "trough"), "prominence": maybe(ESTIMATE), "family": maybe(text)},
)
INTERVAL = record({name: number for name in ("value", "lower", "upper")})
LADDER = record(
    {
        "title": text,
        "condition": text,
        "quantity": text,
        "onsets": list_of(
            record(
                {"condition": number, "run": text, "lower": number, "upper": maybe(number)},
                {"facet": text, "conditions": mapping_of(anything)},
            )
        ),
        "predictions": list_of(
            record(
                {"mechanism": text, "condition": NUMBERS, "median": GAPPED},
                {"facet": text, "anchor": maybe(number)},
            )
        ),
        "scores": list_of(
            record(
                {"mechanism": text},
                {
                    "doubts": TEXTS,
                    **{
                        name: maybe(number)
                        for name in (
                            "weight",
                            "log_evidence",
                            "log_evidence_se",
                            "clock",
                            "cv",
                            "held_out",
                        )
                    },
                    "parameters": mapping_of(INTERVAL),
                },
            )
        ),
        "verdict": record({"kind": text, "reason": text}),
    },
    {
        "text": text,
        "truth": maybe(text),
        "unit": maybe(text),
        "level": number,
        "signatures": list_of(
            record(
                {
                    "quantity": text,
                    "at": mapping_of(anything),
                    "seen": maybe(INTERVAL),
                    "why_not": text,
                    "foretold": mapping_of(maybe(INTERVAL)),
                }
            )
        ),
        "held_out": maybe(anything),
        "next_rungs": list_of(
            record({name: number for name in ("value", "information", "se", "length")})
        ),
    },
)
DEVELOPMENT = record(
    {"title": text, "condition": text, "observables": TEXTS, "takeaway": text},
    {"where": mapping_of(anything)},
)
READING = record(
    {
        "run": text,
        "observable": text,
        "env_steps": number,
        "value": number,
        "se": maybe(number),
        "baselines": mapping_of(number),
        "strongest": maybe(text),
        "above_strongest": maybe(number),
    }
)
RUN = record(
    {
        "run": text,
        "run_id": text,
        "alpha": number,
        "seed": number,
        "onset": record({"lower": number, "upper": maybe(number), "led_by_proxy": truth}),
        "flip": record(
            {
                "time": maybe(ESTIMATE),
                "ends_above": maybe(number),
                "crosses": maybe(number),
                "never_led_by_proxy": maybe(number),
                "reason": text,
            }
        ),
        "proxy": record(
            {
                "family": maybe(text),
                "transient_probability": maybe(number),
                "peak": maybe(PEAK),
                "largest_measured": record({"t": number, "value": number}),
            }
        ),
        "success": record({name: maybe(number) for name in ("before", "after", "last")}),
        "last": mapping_of(record({"value": number, "se": maybe(number)})),
    }
)
CELL = one_type(str, int, float, type(None))
PAGE = record(
    {
        "title": text,
        "paragraphs": TEXTS,
        "tables": list_of(
            record({"caption": text, "columns": TEXTS, "rows": list_of(list_of(CELL))})
        ),
    }
)
OUTCOME = record(
    {
        "name": text,
        "statement": text,
        "kind": text,
        "locator": text,
        "published": mapping_of(number),
        "here": mapping_of(number),
        "agrees": maybe(truth),
        "why": text,
    }
)
STUDY = record(
    {"name": text, "title": text, "question": text, "verdict": text, "paragraphs": TEXTS},
    {
        "runs": maybe(list_of(RUN)),
        "readings": maybe(list_of(READING)),
        "pages": list_of(PAGE),
        "outcomes": list_of(OUTCOME),
        "settings": maybe(mapping_of(anything)),
    },
)
