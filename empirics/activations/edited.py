"""Editing activations while a network computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from empirics.activations.calls import Watch, watching
from empirics.activations.edit import Edit


@contextmanager
def edited(network: nn.Module, edits: Sequence[Edit]) -> Iterator[None]:
    """Edit the activations of a network in every forward pass while the block lasts.

    Several edits of one site act in the order given, and blocks inside one another from the
    outermost inwards. The network's own tensors are never changed in place; afterwards, also
    after an exception, it computes what it computed before.

    Parameters
    ----------
    network : torch.nn.Module
    edits : sequence of Edit

    Raises
    ------
    ValueError
        If the network has no such module (the nearest names are listed), a value does not fit
        the activations, or an edit was never applied.
    """
    with watching(network, [_watch(edit) for edit in edits]):
        yield


def _watch(edit: Edit) -> Watch:
    def act(output: Any) -> Any:
        return edit.site.write(output, edit.apply(edit.site.read(output)))

    return Watch(edit.site, act)
