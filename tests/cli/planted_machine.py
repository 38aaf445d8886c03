"""Faults at a venue in machine time; see `planted`."""

from tests.cli.planted import Planted

BUSTED = "(SELECT execution_id FROM busts)"
LAST = "(SELECT max(seq) FROM orders WHERE seq < 99)"
REPEATED = (
    "INSERT INTO orders SELECT 500 + seq, account, client_id, 'V-twice', symbol, side, qty,"
    f" limit_price, tif, received_at, send_by, %s FROM orders WHERE seq = {LAST}"
)
COUNTS_AGAIN = f"UPDATE fills SET busted_at = NULL WHERE execution_id = {BUSTED}"

ALL = (
    Planted("no child exists twice at the venue", ledger=(REPEATED % "code",)),
    Planted("every child was sent at most once", ledger=(REPEATED % "'duplicate_id'",)),
    Planted(
        "nothing was taken after its send-by",
        ledger=(f"UPDATE orders SET received_at = send_by + 1 WHERE seq = {LAST}",),
    ),
    Planted(
        "the intent was recorded before the venue had the order",
        ledger=(f"UPDATE orders SET received_at = received_at - 501 WHERE seq = {LAST}",),
    ),
    Planted(
        "every order at the venue is a child of ours",
        ledger=(
            "INSERT INTO orders SELECT 600, account, 'sl00000000000-1', 'V-x', symbol, side, qty,"
            f" limit_price, tif, received_at, send_by, code FROM orders WHERE seq = {LAST}",
        ),
    ),
    Planted(
        "every order at the venue is a child of ours",
        ledger=(
            "CREATE TABLE twins (order_seq INTEGER, head_seq INTEGER, stop_price TEXT,"
            " stop_limit_price TEXT)",
            f"INSERT INTO twins VALUES ({LAST}, {LAST}, '9', '8')",
        ),
    ),
    Planted(
        "what is open at the venue is open in our books",
        ledger=("DELETE FROM ends WHERE status = 'filled'",),
    ),
    Planted(
        "children end as they ended at the venue",
        ledger=(f"UPDATE orders SET code = 'insufficient_funds' WHERE seq = {LAST}",),
    ),
    Planted(
        "children end as they ended at the venue",
        ledger=("UPDATE ends SET status = 'expired' WHERE status = 'canceled'",),
    ),
    Planted(
        "no execution at the venue is missing in the fills",
        ledger=(
            "INSERT INTO executions SELECT 9500, account, 'X-lost', order_seq, venue_id, client_id,"
            " symbol, side, qty, price, fee, liquidity, at, NULL FROM executions WHERE seq = 9001",
        ),
    ),
    Planted(
        "every fill is an execution at the venue, the same in all",
        ledger=("UPDATE executions SET corrects = NULL WHERE corrects IS NOT NULL",),
    ),
    Planted(
        "what is void at the venue is void in the fills, and nothing else",
        ledger=("DELETE FROM busts",),
    ),
    Planted(
        "what is void at the venue is void in the fills, and nothing else",
        ledger=(
            "INSERT INTO busts SELECT 900, account, execution_id, symbol, client_id, at, 'x'"
            " FROM executions WHERE seq = 9001",
        ),
    ),
    Planted(
        "what the broker declared void is void in the fills, and nothing else", (COUNTS_AGAIN,)
    ),
    Planted(
        "what the broker declared void is void in the fills, and nothing else",
        ("DELETE FROM busts",),
    ),
    Planted("a child's fills sum to what it says is filled", (COUNTS_AGAIN,)),
    Planted("an order's money and fees are those of its fills", (COUNTS_AGAIN,)),
    Planted("a position is the sum of its fills", (COUNTS_AGAIN,)),
    Planted("the fills told are the fills booked", (COUNTS_AGAIN,)),
    Planted(
        "a correction replaces an execution that is void",
        ("UPDATE fills SET corrects = 'nobody' WHERE corrects IS NOT NULL",),
    ),
    Planted(
        "a correction replaces an execution that is void",
        ("UPDATE fills SET busted_at = NULL WHERE execution_id NOT IN (SELECT execution_id FROM"
         " busts) AND busted_at IS NOT NULL",),
    ),
    Planted(
        "only legal moves, and nothing booked twice",
        ("UPDATE events SET data = jsonb_set(data, '{execution_id}', '\"other\"')"
         " WHERE type = 'fill.busted'",),
    ),
    Planted(
        "every event's sums follow from the events before it",
        ("UPDATE events SET data = jsonb_set(data, '{order,canceled}', '\"0\"')"
         " WHERE type = 'fill.busted'",),
    ),
    Planted(
        "a child leaves unknown by evidence only",
        # A resting child: its acknowledgement was lost, and what then found it names nobody.
        (
            "UPDATE events SET type = 'child.unknown' WHERE type = 'child.sent' AND"
            " data ->> 'child_id' = (SELECT min(data ->> 'child_id') FROM events"
            " WHERE type = 'child.working')",
            "UPDATE events SET type = 'child.sent' WHERE type = 'child.working' AND"
            " data ->> 'child_id' = (SELECT min(data ->> 'child_id') FROM events"
            " WHERE type = 'child.unknown')",
        ),
    ),
)  # fmt: skip
