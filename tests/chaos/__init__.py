"""Processes killed and frozen at random moments mid-order, and then the books.

`python -m tests.chaos --kills N [--seed S] [--round R] [--minutes M] [--lease L] [--keep DIR]`

A campaign is a row of rounds. Each round has a house of its own under fire: a database, a
misbehaving venue with four accounts (one a class of client ids), two workers and two APIs as
processes, a client that keeps orders open, and a subscriber. The killer picks a victim and a
moment, mostly right after something happened; whoever was killed is started again. Then the round
comes to rest, and every account is compared with the venue's ledger and audited.

Everything that is drawn comes from the seed and the number of the round; what the machine does
with it is its own. A round with a violation ends the campaign and leaves its folder.
"""
