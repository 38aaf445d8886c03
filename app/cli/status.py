"""`slipstream status`."""

from typing import Any

from app.cli import place
from app.cli.client import Client
from app.cli.options import AsJson, Key, Url
from app.cli.output import console, print_json, print_table


def status(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """The whole system at a glance: market time, orders, streams, owners."""
    with Client(place.find(url, key)) as client:
        told = client.get("/status")
    if as_json:
        print_json(told)
        return
    out = console()
    out.print(f"Slipstream {told['version']} at {client.place.url}")
    out.print(_clock(told["clock"]))
    counts = told["counts"]
    for name in ("signals", "orders", "children"):
        out.print(f"{name}: {_counted(counts[name])}")
    out.print(f"fills: {counts['fills']}")
    out.print(f"subscribers: {told['streams']['subscribers']}, head of the log {told['cursor']}")
    for switch in told["kill_switches"]:
        scope, name = switch["scope"], switch["name"]
        out.print(f"kill switch {scope}:{name}, {switch['level']}: {switch['reason']}")
    leases = told.get("leases") or []
    if leases:
        columns = list(leases[0])
        print_table(columns, [list(lease.values()) for lease in leases], to=out)


def _clock(clock: dict[str, Any] | None) -> str:
    if clock is None:
        return "market time: not told yet"
    pace = f"{clock['speed']} market seconds a second" if clock["stepped"] else "live"
    held = ", held" if clock["held"] else ""
    return f"market time: {clock['now']} ({clock['feed']}, {pace}{held})"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none"
