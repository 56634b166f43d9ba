"""Keeping activations as a network computes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

from torch import Tensor, nn

from empirics.activations.calls import Watch, watching
from empirics.activations.site import Site


@final
class Activations:
    """What a network computed at some sites in its last forward pass.

    Parameters
    ----------
    sites : sequence of Site
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._recorders = {site: _Recorder(site) for site in sites}

    @property
    def watches(self) -> list[Watch]:
        """What has to be watched for this."""
        return [recorder.watch for recorder in self._recorders.values()]

    def __getitem__(self, site: Site) -> Tensor:
        """Return the activations at a site, (rows, channels, ...).

        Raises
        ------
        ValueError
            If the site was not asked for, nothing is there yet, or its module was called more
            than once and the site names no tick.
        """
        found = self.every(site)
        if len(found) > 1:
            raise ValueError(
                f"{site} was called {len(found)} times; name a tick in the site, or take them "
                "all by `every`."
            )
        return found[0]

    def every(self, site: Site) -> tuple[Tensor, ...]:
        """Return the activations of every call, in order, of a site without a tick.

        Raises
        ------
        ValueError
            If the site was not asked for, or nothing is there yet.
        """
        if site not in self._recorders:
            known = ", ".join(sorted(map(str, self._recorders))) or "none"
            raise ValueError(f"{site} was not cached; cached are {known}.")
        found = self._recorders[site].found
        if not found:
            raise ValueError(f"nothing is cached at {site} yet; call the network in the block.")
        return tuple(found)


@final
class _Recorder:
    def __init__(self, site: Site) -> None:
        self.found: list[Tensor] = []
        self.watch = Watch(site, self._record)

    def _record(self, output: Any) -> None:
        if self.watch.calls == 1 or self.watch.site.tick is not None:
            self.found = []  # of the forward pass before
        # A copy, since a layer behind it may work in place.
        self.found.append(self.watch.site.read(output).clone())


@contextmanager
def cached(network: nn.Module, sites: Sequence[Site]) -> Iterator[Activations]:
    """Keep the activations at some sites while the block lasts; they stay after it.

    In a block inside `edited` they are the edited ones. They carry gradients where the network
    computes them.

    Parameters
    ----------
    network : torch.nn.Module
    sites : sequence of Site

    Raises
    ------
    ValueError
        If the network has no such module (the nearest names are listed) or a site was never
        come upon.
    """
    activations = Activations(sites)
    with watching(network, activations.watches):
        yield activations
