"""`slipstream backtest`: what executions would have cost, in virtual time."""

import typer

from app.cli.backtest.execution import execution
from app.cli.backtest.what_if import what_if
from app.cli.backtest.working import replay, work

backtest = typer.Typer(
    name="backtest", help="Executions in virtual time: compare, replay.", no_args_is_help=True
)
backtest.command("execution")(execution)
backtest.command("what-if")(what_if)
# What the server starts: they speak to it, not to people.
backtest.command("work", hidden=True)(work)
backtest.command("replay", hidden=True)(replay)
