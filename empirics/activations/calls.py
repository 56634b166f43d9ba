"""Hooks that count the calls of modules, and are always removed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, final

from torch import nn

from empirics.activations.site import Site


@final
class Watch:
    """One site under watch: what is done with the output of each call that belongs to it.

    Parameters
    ----------
    site : Site
    act : callable
        Takes a module's output; what it returns, unless None, takes the output's place.
    """

    def __init__(self, site: Site, act: Callable[[Any], Any]) -> None:
        self.site, self._act = site, act
        self.calls = 0
        self.was_ever_met = False

    def begin(self) -> None:
        """Begin a new forward pass of the network."""
        self.calls = 0

    @property
    def was_met(self) -> bool:
        """Whether the site was come upon in this forward pass."""
        return self.calls > (self.site.tick or 0)

    def visit(self, output: Any) -> Any:
        """Count one call of the module, and act if it is the site's."""
        tick, self.calls = self.calls, self.calls + 1
        if self.site.tick not in (None, tick):
            return None
        self.was_ever_met = True
        return self._act(output)


@final
class _Pass:
    """Where the network is: within a forward pass of its own, or not.

    A copy that somebody made of the network within the block still has the hooks behind it;
    they then do nothing.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.watches = watches
        self.is_on = self.is_over = False

    def begin(self) -> None:
        self.is_on = True
        for watch in self.watches:
            watch.begin()

    def end(self) -> None:
        self.is_on = False

    def check(self) -> None:
        if self.is_over:
            return
        _check(watch for watch in self.watches if not watch.was_met)

    def close(self) -> None:
        self.is_over = True

    def visit(self, watch: Watch, output: Any) -> Any:
        if self.is_over:
            return None
        if not self.is_on:  # a method of the network called the module, or somebody else
            if watch.site.tick is not None:
                raise ValueError(
                    f"{watch.site} was called outside a forward pass of the network, where "
                    "ticks cannot be counted; call the network itself, or name no tick."
                )
            watch.begin()
        return watch.visit(output)


@contextmanager
def watching(network: nn.Module, watches: Sequence[Watch]) -> Iterator[None]:
    """Watch sites of a network while the block lasts.

    Watches of one module act in the order given, after those of blocks around this one.

    Raises
    ------
    ValueError
        If the network has no such module (the nearest names are listed); at the end of a
        forward pass, or of the block, if a site was never come upon.
    """
    modules = [_module(network, watch.site.module) for watch in watches]
    now = _Pass(watches)
    # Functions, since a deep copy of the network would copy what a method belongs to.
    with ExitStack() as hooks:
        hooks.callback(now.close)
        hooks.enter_context(network.register_forward_pre_hook(lambda *_: now.begin()))
        for watch, module in zip(watches, modules, strict=True):
            hooks.enter_context(module.register_forward_hook(_hook(now, watch)))
        hooks.enter_context(network.register_forward_hook(lambda *_: now.check()))
        hooks.enter_context(network.register_forward_hook(lambda *_: now.end(), always_call=True))
        yield
    _check(watch for watch in watches if not watch.was_ever_met)


def _hook(now: _Pass, watch: Watch) -> Callable[[nn.Module, Any, Any], Any]:
    return lambda _module, _arguments, output: now.visit(watch, output)


def _module(network: nn.Module, name: str) -> nn.Module:
    modules: dict[str, nn.Module] = dict(network.named_modules(remove_duplicate=False))
    if name not in modules:
        names = [known for known in modules if known]
        near = sorted(difflib.get_close_matches(name, names, n=5, cutoff=0.4))
        known = f"the nearest are {', '.join(near)}" if near else f"it has {_some(names)}"
        raise ValueError(f"the network has no module {name!r}; {known}.")
    return modules[name]


def _some(names: Sequence[str], most: int = 10) -> str:
    listed = ", ".join(sorted(names)[:most]) or "none"
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed


def _check(not_met: Iterable[Watch]) -> None:
    for watch in not_met:
        called = "not called"
        if watch.calls:
            called = f"called {watch.calls} times, ticks 0 to {watch.calls - 1}"
        raise ValueError(f"{watch.site} was never come upon: the module was {called}.")
