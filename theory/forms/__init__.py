"""The registry of known forms, ``FORMS``, and its short list, ``COMMON``, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.forms.registry import COMMON as COMMON
    from theory.forms.registry import FORMS as FORMS


def __getattr__(name: str) -> Any:
    """Load the registry when it is asked for, so that importing the package stays light."""
    if name in ("COMMON", "FORMS"):
        from theory.forms import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
