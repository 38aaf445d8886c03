"""Follows orders on the stream until they end, or for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from app.cli.board import Board
from app.cli.client import Client
from app.cli.exits import Exit, Failure
from app.cli.orders import fetch
from app.cli.screen import Screen
from app.cli.stream import Frame, Stream

_OPEN_SHOWN = 500

Answer = dict[str, Any]


def follow_to_end(client: Client, order_id: str, screen: Screen) -> Board:
    """Show an order from now on, until it ends."""
    stream = Stream(client.place, orders=[order_id])

    def load(board: Board) -> None:
        board.put(client.get(f"/orders/{order_id}"))

    return asyncio.run(_follow(stream, client, load, screen, for_ever=False))


def follow_entered(
    client: Client,
    entered: Sequence[Answer],
    after: str,
    screen: Screen,
    *,
    begun: Callable[[], object] = lambda: None,
) -> Board:
    """Show orders from their acceptance, until all have ended.

    `after` is a cursor from before they were entered, so no event is missed, however quick.
    """
    stream = Stream(client.place, orders=[order["id"] for order in entered], cursor=after)

    def load(board: Board) -> None:
        for order in entered:
            board.put(order)
        begun()

    return asyncio.run(_follow(stream, client, load, screen, for_ever=False))


def follow_open(client: Client, screen: Screen) -> Board:
    """Show all open orders, and those that come, until interrupted."""

    def load(board: Board) -> None:
        for answer in reversed(fetch(client, limit=_OPEN_SHOWN, status="open")):
            board.put(answer)

    return asyncio.run(_follow(Stream(client.place), client, load, screen, for_ever=True))


async def _follow(
    stream: Stream,
    client: Client,
    load: Callable[[Board], object],
    screen: Screen,
    *,
    for_ever: bool,
) -> Board:
    board = Board()
    with screen:
        async with aclosing(_begun(stream)) as frames:
            async for frame in frames:
                if frame is None:
                    # Looked up only now, with the stream open: nothing falls between.
                    load(board)
                    for order in board.orders.values():
                        screen.order(order)
                else:
                    _show(frame, board, client, screen, adopt=for_ever)
                if not for_ever and board.all_ended:
                    return board
    return board


async def _begun(stream: Stream) -> AsyncGenerator[Frame | None, None]:
    """None when the subscription stands, then its frames."""
    waiting: asyncio.Queue[Frame] = asyncio.Queue()

    async def read() -> None:
        async for frame in stream.frames():
            await waiting.put(frame)

    reading = asyncio.create_task(read())
    begun = asyncio.create_task(stream.begun.wait())
    try:
        await asyncio.wait({reading, begun}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
        yield None
        while True:
            next_frame = asyncio.create_task(waiting.get())
            await asyncio.wait({reading, next_frame}, return_when=asyncio.FIRST_COMPLETED)
            if not next_frame.done():
                next_frame.cancel()
                reading.result()
            yield next_frame.result()
    finally:
        begun.cancel()
        reading.cancel()


def _show(frame: Frame, board: Board, client: Client, screen: Screen, *, adopt: bool) -> None:
    order_id = frame["order_id"]
    if adopt and frame["type"] == "order.accepted" and order_id not in board.orders:
        screen.order(board.put(client.get(f"/orders/{order_id}")))
    moved = board.move(frame)
    screen.frame(frame, moved or board.orders.get(order_id or ""))
    if moved is not None:
        screen.order(moved)


def exit_of(board: Board) -> Exit:
    """Filled, or not. Raises Failure with the reason."""
    left = [order for order in board.orders.values() if order.status != "filled"]
    if not left:
        return Exit.OK
    order = left[0]
    reason = f" ({order.reason})" if order.reason else ""
    raise Failure(
        Exit.UNFILLED,
        f"order {order.id} is {order.status}{reason} with {order.filled} of {order.qty} filled",
    )
