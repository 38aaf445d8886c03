"""What the API page says first: how to begin, and each group of routes in a line, in order."""

DESCRIPTION = """\
Orders and signals go in over HTTP, algorithms work them in the background, and the WebSocket
`/stream` (or `GET /events`, server-sent events) tells all that happens.

Press **Authorize** and paste a key: the first start of the server wrote one into `admin.key` in its
data folder. Then open `POST /orders`, choose an example, and execute. Amounts are decimals in
strings, moments are RFC 3339 in UTC, and every refusal is a problem document with a stable `code`.
"""

_GROUPS = {
    "orders": "Enter, preview, watch, amend, cancel; and why each child was sent.",
    "signals": "Wishes to trade, judged by gates before they become orders; strategies; alerts from"
    " TradingView.",
    "costs": "What an execution cost against arrival, the interval's VWAP and its estimate.",
    "risk": "Limits with their versions, kill switches, children that wait for evidence, the audit"
    " trail.",
    "algorithms": "Each algorithm with the schema of its parameters.",
    "accounts": "Accounts, positions, fills, alerts.",
    "stream": "Everything that happens, as it happens.",
    "statistics": "How orders went, counted and averaged.",
    "reports": "The day in one page.",
    "backtests": "The same decisions on recorded days.",
    "market time": "The made-up or recorded market's clock.",
    "keys": "Who may do what, until when.",
    "health": "Is it up, is it ready, how is it doing.",
}

TAGS = [{"name": name, "description": text} for name, text in _GROUPS.items()]
