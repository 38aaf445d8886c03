"""The adversarial venue: a broker's other end that misbehaves on purpose, and keeps honest books.

`python -m tests.venue --port P --ledger FILE [--seed S]` serves any number of accounts in machine
time. Each account behaves as it was told (`behaviour.Behaviour`): how long client ids are unique,
what can be looked up and how late, how often each fault happens. An order brings its price: it
fills at its limit, or up to two ticks better when it crosses.

The ledger is an SQLite file. Everything is committed there before it is answered or told, so a
`kill -9` of the venue loses nothing that anybody could have heard of. All times are microseconds
since 1970 UTC, read from the machine's clock, and never twice the same: `at` and `received_at`
order everything that happened. Quantities and prices are decimal text. Rows are only ever added,
except in `accounts` and `agenda`. The tables, for auditors (columns: `schema.py`):

- `accounts` (account, behaviour, execution_ids, changed_at): the behaviour in force, as JSON.
  `execution_ids` is 'account' where execution ids are unique in the account, 'symbol' where the
  venue uses them again for another symbol: the adapter then calls them `<symbol>:<id>`.
- `orders` (seq, account, client_id, venue_id, symbol, side, qty, limit_price, tif, received_at,
  send_by, code): every order that reached the venue, refused ones too. `code` is 'accepted' or
  why it was refused, and final. A client id in two accepted rows of an account was sent twice.
- `executions` (seq, account, execution_id, order_seq, venue_id, client_id, symbol, side, qty,
  price, fee, liquidity, at, corrects): `corrects` names the execution of the same account and
  symbol that this one replaces.
- `busts` (seq, account, execution_id, symbol, client_id, at, reason).
  What counts is every execution that is neither corrected nor busted; positions are the sum of it.
- `ends` (seq, account, order_seq, venue_id, client_id, status, reason, filled, at): how an order
  ended: filled, canceled, expired, or rejected after it was accepted. Fills may follow an end
  (late and over-fills), and a bust may take back what filled it; an order that was refused on
  arrival has no end.
- `cancels` (seq, account, client_id, received_at, code): every cancel that was heard; 'taken',
  'not_open', or 'ignored' (a fault).
- `stream` (seq, account, at, report): what subscribers could read, duplicates and all.
- `faults` (seq, account, kind, subject, at): each fault that was drawn.
- `agenda` (seq, account, due, kind, subject): what is still to happen.
"""
