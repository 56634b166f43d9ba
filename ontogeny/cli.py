"""The command line: finds the command, runs it, and turns its errors into sentences.

Exit codes: 0 done (also when the answer is INCONCLUSIVE), 1 the work failed, 2 wrong usage,
130 interrupted. The last line of standard output is the path of what was made; with `--json -`
standard output is the JSON and nothing else, and the rest goes to standard error. With
ONTOGENY_TRACEBACK=1 in the environment errors keep their traceback.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import ontogeny
from ontogeny.command import (
    STANDARD_OUTPUT,
    Command,
    UsageError,
    add_common_arguments,
    check_targets,
)
from ontogeny.commands import (
    aggregate,
    compare,
    doctor,
    export,
    import_logs,
    llc,
    propose,
    report,
    reproduce,
    run,
    show,
    study,
    test,
)
from ontogeny.rooms import check_rooms

COMMANDS: Mapping[str, Command] = {
    "study": study,
    "run": run,
    "import": import_logs,
    "export": export,
    "llc": llc,
    "propose": propose,
    "test": test,
    "compare": compare,
    "aggregate": aggregate,
    "report": report,
    "reproduce": reproduce,
    "show": show,
    "doctor": doctor,
}

FAILED, USAGE, INTERRUPTED = 1, 2, 130
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

KEPT: Mapping[str, str] = {
    "study": "agents trained to their end or to a checkpoint stay so",
    "run": "agents trained to their end or to a checkpoint stay so",
    "import": "what is imported stays so",
    "llc": "readings that were made stay so",
    "reproduce": "agents trained to their end or to a checkpoint stay so",
}
"""What an interrupted command leaves that its next start need not do again."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="ontogeny",
        description="From training runs of agents to theories of why they become what they are.",
        epilog="ontogeny COMMAND --help says what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"ontogeny {ontogeny.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        command.add_arguments(subparser)
        add_common_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal that cannot show × still gets the rest
    args = build_parser().parse_args(words)
    args.command_line = shlex.join(["ontogeny", *words])
    try:
        check_targets(args)
        if args.command != "doctor":  # whose task is to say what is shadowed
            check_rooms()
        with _json_on_standard_output(args):
            return COMMANDS[args.command].run(args)
    except KeyboardInterrupt:
        print(_interrupted(args), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, say) has seen enough; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get("ONTOGENY_TRACEBACK"):
            raise
        print(f"ontogeny {args.command}: {_sentence(error)}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED


def _resumes(study: str) -> bool:
    from papers.studies import STUDIES

    return STUDIES[study].resumes


def _interrupted(args: argparse.Namespace) -> str:
    """Say what an interrupted command leaves, and how to go on."""
    kept = KEPT.get(args.command)
    if kept is None or (args.command == "study" and not _resumes(args.name)):
        return f"Interrupted; nothing is kept, and the command begins anew: {args.command_line}"
    return f"Interrupted; {kept}, and the same command goes on: {args.command_line}"


@contextmanager
def _json_on_standard_output(args: argparse.Namespace) -> Iterator[None]:
    """Where `--json -` is given, print the JSON there, and everything else to standard error."""
    if args.json != STANDARD_OUTPUT:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        args.json = Path(folder, "standard output")
        with redirect_stdout(sys.stderr):
            yield
        if args.json.is_file():
            print(args.json.read_text(encoding="utf-8"), end="")


def _sentence(error: Exception) -> str:
    """Return what an error says, on one line."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}there is no room left to write ({os.strerror(error.errno)}); what is done "
            "stays, so make room and give the same command again."
        )
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}."
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        text = f"{text}; 'ontogeny doctor' says what is installed"
    return text if text.endswith((".", "!", "?")) else f"{text}."
