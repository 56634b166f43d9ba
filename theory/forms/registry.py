"""The registry of known forms, from simple to complicated."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.form import Form
from theory.forms import (
    approach,
    bend,
    flat,
    from_zero,
    logarithm,
    multistage,
    power_law,
    sigmoid,
    transient,
)

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.name: form
        for form in (
            flat.constant,
            flat.linear,
            bend.step,
            bend.hockey_stick,
            approach.exponential_approach,
            approach.hyperbolic,
            logarithm.logarithmic,
            logarithm.inverse_log,
            power_law.power_law_approach,
            power_law.power_growth,
            bend.soft_hockey_stick,
            approach.delayed_exponential,
            sigmoid.logistic,
            sigmoid.probit,
            sigmoid.normalized_policy_gradient,
            sigmoid.softmax_policy_gradient,
            sigmoid.gompertz,
            sigmoid.reversed_gompertz,
            from_zero.hill,
            from_zero.lognormal,
            from_zero.weibull,
            from_zero.bertalanffy,
            from_zero.erlang,
            transient.bump,
            transient.gamma_bump,
            transient.logistic_pulse,
            transient.overshoot,
            approach.biexponential,
            power_law.apex,
            sigmoid.richards,
            sigmoid.logistic_with_drift,
            power_law.broken_power_law,
            multistage.double_logistic,
            transient.signed_double_logistic,
            power_law.doubly_broken_power_law,
            multistage.triple_logistic,
        )
    }
)
"""Every known form by name; read-only."""

COMMON: tuple[str, ...] = (
    "constant",
    "linear",
    "exponential_approach",
    "power_law_approach",
    "hyperbolic",
    "logistic",
    "gompertz",
    "richards",
    "hill",
    "weibull",
    "double_logistic",
    "bump",
    "signed_double_logistic",
    "delayed_exponential",
    "broken_power_law",
)
"""The forms that are compared where none are named: every family of shapes, few near-copies."""
