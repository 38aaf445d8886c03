"""What Alpaca answers about accounts, hours and assets, and how it tells an error."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.venue.alpaca import said
from tests.venue.behaviour import Behaviour
from tests.venue.wire import Reply


def error(status: int, code: int, message: str, **more: Any) -> Reply:
    return Reply(status, {"code": code, "message": message, **more})


def reference(account: str, behaviour: Behaviour, path: Sequence[str]) -> Reply:
    match list(path):
        case ["account"]:
            money = {name: "1000000" for name in ("cash", "buying_power", "equity")}
            flags = {"trading_blocked": False, "account_blocked": False}
            about = {"id": said.asset_id(account), "account_number": account}
            return Reply(200, about | {"status": "ACTIVE", "currency": "USD"} | money | flags)
        case ["clock"]:
            return Reply(200, _clock(behaviour))
        case ["calendar"]:
            today = datetime.now(UTC).date().isoformat()
            return Reply(200, [{"date": today, "open": "09:30", "close": "16:00"}])
        case ["assets", *parts]:
            symbols = behaviour.symbols or ("ACME",)
            if not parts:
                return Reply(200, [said.asset(symbol, behaviour) for symbol in symbols])
            for symbol in symbols:
                if "/".join(parts) in (symbol, said.asset_id(symbol)):
                    return Reply(200, said.asset(symbol, behaviour))
            return error(404, 40410000, f"asset not found for {'/'.join(parts)}")
    return error(404, 40410000, "endpoint not found")


def _clock(behaviour: Behaviour) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "timestamp": now.isoformat(),
        "is_open": not behaviour.closed,
        "next_open": (now + timedelta(hours=12)).isoformat(),
        "next_close": (now + timedelta(hours=6)).isoformat(),
    }
