"""`slipstream demo`."""

import asyncio
import signal
import time

from app.cli.client import Client
from app.cli.demo import report, script
from app.cli.demo.server import DemoServer, running
from app.cli.exits import Exit, Failure
from app.cli.follow import exit_of
from app.cli.output import console


def demo() -> int:
    """Show the whole thing at work: a server of its own, four orders, a signal, an audit.

    Nothing to set up, nothing left behind; it takes about half a minute.
    """
    # Asked to end, it still stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    out = console()
    out.print("Starting a server with a PostgreSQL of its own, a made-up market, a paper venue …")
    with running(script.SETTINGS) as server, Client(server.place) as client:
        out.print(f"Ready at {server.place.url} after {time.monotonic() - begun:.1f} s.\n")
        entered = script.enter(client)
        decided = entered.signal
        order = entered.orders[-1]
        out.print(
            f"Entered four orders and a signal (buy {order['qty']} {order['symbol']}, decision:"
            f" {decided['decision']}, routed to {order['algo']}: {order['route_reason']}).\n"
            f"Market time stands at the open; now it goes, {script.SETTINGS['SPEED']} times as"
            " fast as real time.\n"
        )
        board = script.work(client, entered)
        exit_of(board)
        out.print()
        report.show_children(client, entered.order_ids[0], out)
        report.show_fills(client, entered.order_ids, out)
        report.show_alerts(client, out)
        report.show_costs(client, entered.order_ids, out)
        _audit(server)
    out.print(f"Done in {time.monotonic() - begun:.0f} s; the server is stopped and gone.")
    out.print("Next: `make run`, and paste the curl line it prints.")
    return Exit.OK


def _audit(server: DemoServer) -> None:
    """The auditor has the last word. Raises Failure when it finds something."""
    from app.audit import audit
    from app.cli.audit import show, verdict

    found = asyncio.run(audit(server.database_url, [server.ledger]))
    if not found.ok:
        show(found)
        raise Failure(Exit.FAILED, f"the audit of the demo found faults: {verdict(found)}")
    console().print(f"Independent audit against the venue's ledger. {verdict(found)}\n")
