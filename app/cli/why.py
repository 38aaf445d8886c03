"""`slipstream why`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson, Key, Url
from app.cli.output import amount, clock_time, console, price, print_json, tick

Answer = dict[str, Any]

_INDENT = " " * 10
_DIFFERENCES_SHOWN = 20


def why(
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")],
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Make every stored decision again; exit 1 on a difference."),
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Say of each child of an order why it was sent, and what came of it."""
    with Client(place.find(url, key)) as client:
        order = client.get(f"/orders/{order_id}")
        told = client.get(f"/orders/{order_id}/why", verify="true" if verify else None)
        fills = [] if as_json else client.get(f"/orders/{order_id}/fills")["items"]
    if as_json:
        print_json(told)
    else:
        for line in story(order, told, fills):
            console().print(line, markup=False, soft_wrap=True)
    if verify and told["verified"]["different"]:
        raise Failure(
            Exit.FAILED, f"decisions that come out differently: {told['verified']['different']}"
        )


def story(order: Answer, told: Answer, fills: list[Answer]) -> Iterator[str]:
    """The order, each of its decisions in their order, and what verifying them says."""
    yield (
        f"{order['side']} {amount(order['qty'])} {order['symbol']} by {order['algo']}:"
        f" {order['status']}, {_filled(order['filled'], order['average_price'])}"
    )
    traded = _by_child(fills)
    steps = [(item["seq"] or 0, _child(item, traded)) for item in told["items"]]
    steps += [(decision["seq"], _decision(decision)) for decision in told["decisions"]]
    for _, lines in sorted(steps, key=lambda step: step[0]):
        yield from lines
    if "verified" in told:
        yield from _verified(told)


def _child(item: Answer, traded: dict[str, tuple[float, float]]) -> list[str]:
    at = clock_time(item["intended_at"])
    head = (
        f"{at}  child {item['number']}: {item['side']} {amount(item['qty'])} at"
        f" {tick(item['price'])}, {_PURPOSE[item['purpose']]}{_stop(item)}"
    )
    lines = [head, *_saw(item["why"])]
    if not item["why"]:
        lines.append("what the decision saw is not stored")
    qty, money = traded.get(item["id"], (0.0, 0.0))
    reason = f" ({item['reason']})" if item["reason"] else ""
    average = str(money / qty) if qty else None
    lines.append(f"became    {item['status']}{reason}, {_filled(item['filled'], average)}")
    return [lines[0], *(_INDENT + line for line in lines[1:])]


def _stop(item: Answer) -> str:
    stop = item.get("stop_price")
    return f" with its stop at {tick(stop)}" if stop is not None else ""


_PURPOSE = {"cross": "crosses", "rest": "rests"}


def _decision(decision: Answer) -> list[str]:
    at = clock_time(decision["at"])
    heads = [f"{at}  {_action(action)}" for action in decision["actions"]]
    return [*heads, *(_INDENT + line for line in _saw(decision["why"]))]


def _action(action: Answer) -> str:
    reason = f" ({action['reason']})" if action.get("reason") else ""
    match action["type"]:
        case "child.cancel_requested":
            return f"cancels {action['child_id']}{reason}"
        case "order.replanned":
            return f"plans the rest anew{reason}"
        case "order.stop_hit":
            return "notes that its stop is hit: everything crosses"
        case "order.exit_forced":
            return f"notes that everything crosses{reason}"
        case _:
            return f"goes to {action['type'].removeprefix('order.')}{reason}"


def _saw(saw: Answer) -> Iterator[str]:
    """What a decision saw, in lines."""
    quote = saw.get("quote")
    if quote is not None:
        last = f", last {tick(saw['last'])}" if saw.get("last") else ""
        yield (
            f"saw       {amount(quote['bid_size'])} at {tick(quote['bid'])} |"
            f" {tick(quote['ask'])} for {amount(quote['ask_size'])}{last},"
            f" {amount(saw['market_volume'])} traded by others"
        )
    envelope = saw.get("envelope")
    if envelope is not None:
        unknown = f", {amount(saw['unknown'])} unknown" if saw["unknown"] != "0" else ""
        yield (
            f"envelope  must {amount(envelope['must'])}, may {amount(envelope['may'])}; had"
            f" {amount(saw['filled'])} filled, {amount(saw['working'])} working{unknown}"
        )
    if saw.get("bound"):
        yield f"bound by  {saw['bound']}"


def _verified(told: Answer) -> Iterator[str]:
    found = told["verified"]
    yield (
        f"made again: {found['equal']} equal, {found['different']} different,"
        f" {found['not_stored']} not stored"
    )
    odd = [verdict for verdict in told["verdicts"] if not verdict["equal"]]
    for verdict in odd[:_DIFFERENCES_SHOWN]:
        yield f"  event {verdict['seq']}: {verdict['reason'] or 'another decision comes out'}"
        if verdict["stored"] is not None:
            for part, then in verdict["stored"].items():
                now = verdict["again"][part]
                if then != now:
                    yield f"    {part}: stored {then}"
                    yield f"    {' ' * len(part)}  now    {now}"
    if len(odd) > _DIFFERENCES_SHOWN:
        yield f"  and {len(odd) - _DIFFERENCES_SHOWN} more"


def _by_child(fills: list[Answer]) -> dict[str, tuple[float, float]]:
    """Quantity and money of the fills of each child."""
    found: dict[str, tuple[float, float]] = {}
    for fill in fills:
        qty, money = found.get(fill["child_id"], (0.0, 0.0))
        traded = float(fill["qty"])
        found[fill["child_id"]] = (qty + traded, money + traded * float(fill["price"]))
    return found


def _filled(qty: str, average: str | None) -> str:
    return f"{amount(qty)} filled at {price(average)}" if average else f"{amount(qty)} filled"
