"""All generating mechanisms by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.mechanism import Mechanism
from theory.mechanisms.cue_competition import CUE_COMPETITION

MECHANISMS: Mapping[str, Mechanism] = MappingProxyType({**CUE_COMPETITION})
