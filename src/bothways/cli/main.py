"""Run the command line: exit 0 answered, 2 the caller's mistake, 3 no design could answer. No traceback leaves here."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from bothways.cli.commands import app
from bothways.terms.errors import BothwaysError

MISTAKE, INSIDE, INTERRUPTED = 2, 1, 130
STOPPED = "Stopped. Nothing was written that is not complete."


def main(argv: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    try:
        app(args=sys.argv[1:] if argv is None else argv, prog_name="bothways")
    except SystemExit as end:  # typer has its own way to leave when interrupted
        if end.code == INTERRUPTED:
            _say(STOPPED)
        raise
    except BothwaysError as error:
        _say(str(error))
        sys.exit(MISTAKE)
    except KeyboardInterrupt:
        _say(STOPPED)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _say("There is not enough memory for this table. Give fewer columns, or a part of the rows.")
        sys.exit(INSIDE)
    except Exception as error:  # noqa: BLE001 - the last door: a user gets a sentence, a developer the traceback
        _say_defect(error)
        sys.exit(INSIDE)


def _say_defect(error: Exception) -> None:
    """A defect of ours: where it happened, without the data that an exception's text might hold."""
    if os.environ.get("BOTHWAYS_DEBUG"):
        traceback.print_exc()
        return
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}, line {last.lineno}"
    _say(
        f"This is a defect in bothways, not in your data ({type(error).__name__} in {place}). "
        "Please report it; BOTHWAYS_DEBUG=1 shows the details."
    )


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
