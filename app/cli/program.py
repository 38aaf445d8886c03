"""All commands under one name."""

import sys
from collections.abc import Sequence

import typer

from app.cli.audit import audit
from app.cli.backtest import backtest
from app.cli.backup import backup
from app.cli.cancel import cancel
from app.cli.data import data
from app.cli.demo.command import demo
from app.cli.exits import MEANINGS, Exit, Failure
from app.cli.health import health
from app.cli.hooks import hooks
from app.cli.keys import keys
from app.cli.kill import kill, release
from app.cli.order import order
from app.cli.orders import orders
from app.cli.pause import pause, resume
from app.cli.report import report
from app.cli.resolve import resolve
from app.cli.restore import restore
from app.cli.serve import serve
from app.cli.statistics import statistics
from app.cli.status import status
from app.cli.watch import watch
from app.cli.why import why

_EPILOG = "Exit codes: " + "; ".join(f"{code.value} {says}" for code, says in MEANINGS.items())

program = typer.Typer(
    name="slipstream",
    help="A self-hosted execution server: give it an order, it works it and says what it cost.",
    epilog=_EPILOG + ".",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    serve, demo, order, orders, watch, cancel, pause, resume, kill, release, resolve, why,
    statistics, audit, health, status, backup, restore,
)  # fmt: skip
for command in COMMANDS:
    program.command(epilog=_EPILOG + ".")(command)
program.add_typer(keys)
program.add_typer(hooks)
program.add_typer(data)
program.add_typer(report)
program.add_typer(backtest)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What went wrong is one line on stderr."""
    try:
        result = program(arguments, standalone_mode=False)
    except Failure as failure:
        return _say(str(failure), failure.exit)
    except typer.TyperException as error:
        # No command at all: the help was shown instead of a message.
        words = error.format_message()
        return _say(words, Exit.USAGE) if words else Exit.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:
        return Exit.FAILED
    return result if isinstance(result, int) else Exit.OK


def _say(message: str, exit: Exit) -> int:
    line = " ".join(message.split())
    print(f"slipstream: {line}", file=sys.stderr)
    return exit
