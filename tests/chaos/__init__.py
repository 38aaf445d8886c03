"""Processes killed and frozen at random moments mid-order, and then the books.

`python -m tests.chaos --kills N [--seed S] [--houses H] [--round R] [--minutes M] [--lease L]
[--keep DIR] [--chain]`

A campaign is a row of rounds, `--houses` of them at a time. Each has a house of its own under
fire: a database, a misbehaving venue with four accounts (one a class of client ids), two workers
and two APIs as processes, a client that keeps orders open, and a subscriber. The killer picks a
victim and a moment, mostly right after something happened; whoever was killed is started again.
Then the round comes to rest, an operator decides what no evidence tells, and every account is
compared with the venue's ledger and audited. The result is a table, and `build/chaos-S.json`.

Everything that is drawn comes from the seed and the number of the round; what the machine does
with it is its own. A round with a violation ends the campaign and leaves its folder.

`--chain`: the house's broker is a second house, over real HTTP and WebSocket. Hit are the first
one's workers, the second one in parts or as a whole, and the line between them, which is cut, or
held up without being closed. The first one's books are compared with the second one's.
"""
