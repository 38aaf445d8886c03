"""Subscribes on many WebSockets and counts what comes; driven by lines of JSON.

A process of its own. Frames are not parsed, only stepped over, except to take times: an event
whose data has `sent` (monotonic seconds, the same clock in every process) is dated on arrival; a
fill is held against the moment at which the database wrote it.

`{"wait": n, "seconds": s}` answers when n messages came in, or s seconds passed, and forgets them.
"""

import argparse
import asyncio
import gc
import json
import re
import sys
import time
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import uvloop

_HANDSHAKE = (
    "GET /stream HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer {key}\r\n\r\n"
)
_PING = 0x89
_SENT = re.compile(rb'"sent":([0-9.]+)')
CHANNELS = ["orders", "children", "fills", "alerts", "signals"]
_RECORDED = re.compile(rb'"recorded_at":"([^"]+)"')
_FILL = b'"type":"fill.booked"'
_EVENT = b'{"cursor"'


def handshake(key: str) -> bytes:
    return _HANDSHAKE.format(key=key).encode()


def masked(message: dict[str, Any]) -> bytes:
    """A client's text frame; the mask is all zeros, which leaves the payload readable."""
    payload = json.dumps(message).encode()
    length = len(payload)
    head = bytes((0x81, 0x80 | length)) if length < 126 else b"\x81\xfe" + length.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


def frames(data: bytes) -> tuple[list[bytes], bytes]:
    """Payloads of the whole frames in `data`, and what is left of it."""
    found, i, n = [], 0, len(data)
    while n - i >= 2:
        length, head = data[i + 1], 2
        if length == 126:
            if n - i < 4:
                break
            length, head = data[i + 2] << 8 | data[i + 3], 4
        elif length == 127:
            if n - i < 10:
                break
            length, head = int.from_bytes(data[i + 2 : i + 10], "big"), 10
        if i + head + length > n:
            break
        # A ping keeps its first byte, so that it can be told from what is said.
        found.append(data[i if data[i] == _PING else i + head : i + head + length])
        i += head + length
    return found, data[i:]


def recorded(event: bytes) -> float:
    """When the database wrote an event, in seconds since 1970."""
    found = _RECORDED.search(event)
    assert found is not None, "every event says when it was recorded"
    return datetime.fromisoformat(found[1].decode()).timestamp()


class Count:
    """What came in on all sockets since somebody last asked."""

    def __init__(self, *, dated: bool) -> None:
        self.dated = dated
        self.changed = asyncio.Event()
        self.wanted = 0
        self.sample = b""
        self.forget()

    def forget(self) -> None:
        self.messages = 0
        self.first = self.last = 0.0
        self.delays: list[float] = []
        self.booked: list[float] = []

    def take(self, payloads: list[bytes]) -> None:
        events = [p for p in payloads if p.startswith(_EVENT)]
        if not events:
            return
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.sample = events[-1]
        self.messages += len(events)
        if self.dated:
            self.delays += [
                self.last - float(sent[1]) for sent in map(_SENT.search, events) if sent
            ]
            self.booked += [time.time() - recorded(e) for e in events if _FILL in e]
        if self.messages >= self.wanted:
            self.changed.set()


class Listener(asyncio.Protocol):
    def __init__(self, count: Count, key: str, subscribed: "asyncio.Future[None]") -> None:
        self._count, self._key, self._subscribed = count, key, subscribed
        self._rest = b""
        self._open = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(handshake(self._key))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._open = True
            self._transport.write(masked({"action": "subscribe", "channels": CHANNELS}))
        payloads, self._rest = frames(data)
        if not self._subscribed.done() and any(b'"subscribed"' in p for p in payloads):
            self._subscribed.set_result(None)
        for ping in payloads:
            if ping[:1] == b"\x89":
                self._transport.write(b"\x8a" + bytes((0x80 | ping[1],)) + b"\0\0\0\0" + ping[2:])
        self._count.take(payloads)


async def listened(asked: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    count = Count(dated=asked.dated)
    for _ in range(asked.sockets):
        subscribed = loop.create_future()
        await loop.create_connection(
            partial(Listener, count, asked.key, subscribed), "127.0.0.1", asked.port
        )
        await asyncio.wait_for(subscribed, 10)
    _say({"subscribed": asked.sockets})
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await _obey(json.loads(line), count)


async def _obey(command: dict[str, Any], count: Count) -> None:
    count.wanted = command["wait"]
    count.changed.clear()
    busy = time.process_time()
    if count.messages < count.wanted:
        with suppress(TimeoutError):  # What came is what is told.
            await asyncio.wait_for(count.changed.wait(), command["seconds"])
    _say(
        {
            "messages": count.messages,
            "first": count.first,
            "last": count.last,
            "delays": count.delays,
            "booked": count.booked,
            "sample": count.sample.decode(),
            "busy_seconds": time.process_time() - busy,
        }
    )
    count.forget()


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.listen")
    parser.add_argument("port", type=int)
    parser.add_argument("sockets", type=int)
    parser.add_argument("--key", default="none")
    parser.add_argument("--dated", action="store_true")
    asked = parser.parse_args()
    gc.disable()
    uvloop.run(listened(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
