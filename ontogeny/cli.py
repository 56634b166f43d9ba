"""The command line: finds the command, runs it, and turns its errors into sentences.

Exit codes: 0 done (also when the answer is INCONCLUSIVE), 1 the work failed, 2 wrong usage,
130 interrupted. The last line of standard output is the path of what was made. With
ONTOGENY_TRACEBACK=1 in the environment errors keep their traceback.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

import ontogeny
from ontogeny.command import Command, UsageError, add_common_arguments
from ontogeny.commands import compare, doctor, import_logs, propose, report, run, show, study
from ontogeny.rooms import check_rooms

COMMANDS: Mapping[str, Command] = {
    "study": study,
    "run": run,
    "import": import_logs,
    "propose": propose,
    "compare": compare,
    "report": report,
    "show": show,
    "doctor": doctor,
}

FAILED, USAGE, INTERRUPTED = 1, 2, 130


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
        if args.command != "doctor":  # whose task is to say what is shadowed
            check_rooms()
        return COMMANDS[args.command].run(args)
    except KeyboardInterrupt:
        print(
            "Interrupted; what is done stays done, and the same command goes on: "
            + args.command_line,
            file=sys.stderr,
        )
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


def _sentence(error: Exception) -> str:
    """Return what an error says, on one line."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}."
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        text = f"{text}; 'ontogeny doctor' says what is installed"
    return text if text.endswith((".", "!", "?")) else f"{text}."
