"""The registry of known forms, from simple to complicated."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.form import Form
from theory.forms import approach, flat, multistage, power_law, sigmoid, transient

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.name: form
        for form in (
            flat.constant,
            flat.linear,
            approach.exponential_approach,
            power_law.power_law_approach,
            approach.hyperbolic,
            sigmoid.logistic,
            sigmoid.gompertz,
            sigmoid.richards,
            sigmoid.hill,
            sigmoid.weibull,
            multistage.double_logistic,
            transient.bump,
            transient.signed_double_logistic,
            approach.delayed_exponential,
            power_law.broken_power_law,
        )
    }
)
"""Every known form by name; read-only."""
