"""What runs of one observable say together: frequencies of shapes and forms, and the pooled fit."""

from __future__ import annotations

from papers.json_checks import list_of, mapping_of, maybe, number, record, text, truth
from papers.study_schema import ESTIMATE

TEXTS = list_of(text)
LEFT_OUT = list_of(record({"run": text, "reason": text}))
SHARES = ("frequency", "lower", "upper", "exceedance", "protected")
EFFECTS = record(
    {
        "models": list_of(
            record({"name": text, "assigned": number, **dict.fromkeys(SHARES, maybe(number))}),
            least=1,
        ),
        "assignments": list_of(record({"run": text, "probabilities": mapping_of(number)})),
        "omnibus_risk": maybe(number),
        "status": text,
        "sentence": text,
        "doubts": TEXTS,
    }
)
POOLED = record(
    {
        **dict.fromkeys(("form", "expression", "noise", "status", "reason"), text),
        **dict.fromkeys(("rhat", "ess", "divergent"), maybe(number)),
        "parameters": list_of(
            record(
                {"name": text, "log": truth, "median": maybe(ESTIMATE), "spread": maybe(ESTIMATE)}
            )
        ),
        "runs": list_of(
            record(
                {
                    "run": text,
                    "pooled": mapping_of(maybe(ESTIMATE)),
                    "single": mapping_of(maybe(ESTIMATE)),
                    "status": text,
                }
            )
        ),
        "left_out": LEFT_OUT,
        "doubts": TEXTS,
    }
)
POPULATION = record(
    {
        "observable": text,
        "unit": maybe(text),
        "progress": text,
        "number": number,
        "runs": TEXTS,
        "undecided": TEXTS,
        "left_out": LEFT_OUT,
        "families": maybe(EFFECTS),
        "forms": maybe(EFFECTS),
        "reason": text,
        "doubts": TEXTS,
    },
    {"pooled": maybe(POOLED)},
)
