"""Where a command does its tasks: the options `--backend` and `--scheduler`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from ontogeny.command import UsageError

BACKENDS = ("dask", "loky", "ray")


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where tasks are done."""
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="loky",
        help="processes of this machine (loky, the default), or the workers of dask or ray",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask scheduler (tcp://…) or a Ray cluster; without it one is begun here",
    )


@contextmanager
def on_backend(args: argparse.Namespace) -> Iterator[None]:
    """Do the tasks of the block where the command line says.

    Raises
    ------
    UsageError
        If a scheduler is named and no backend that has one.
    """
    if args.backend == "loky":
        if args.scheduler:
            raise UsageError("--scheduler needs --backend dask or --backend ray.")
        yield
        return

    from empirics.backends.dask import dask_backend
    from empirics.backends.ray import ray_backend
    from empirics.engine import computed_on
    from empirics.provenance import processors

    jobs = getattr(args, "jobs", 1)
    opened = {"dask": dask_backend, "ray": ray_backend}[args.backend]
    with (
        opened(args.scheduler, jobs if jobs > 1 else processors()) as backend,
        computed_on(backend),
    ):
        yield
