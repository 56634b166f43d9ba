"""Generating mechanisms, one file a theory; the registry ``MECHANISMS`` loads on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.mechanisms.registry import MECHANISMS as MECHANISMS


def __getattr__(name: str) -> Any:
    """Load the registry when it is asked for, so that importing the package stays light."""
    if name == "MECHANISMS":
        from theory.mechanisms.registry import MECHANISMS

        return MECHANISMS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
