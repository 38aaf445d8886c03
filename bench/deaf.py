"""Subscribers that never read, and what became of them."""

import json
import socket
from contextlib import suppress
from pathlib import Path

from bench.listen import CHANNELS, frames, handshake, masked
from bench.servers import Server

RECEIVE_BUFFER = 4 * 1024
"""Small, so that the kernel's memory is the server's: what a peer's own kernel holds is not ours
to bound, and lies on another machine."""

PAGE = 4096


def deafened(server: Server, count: int) -> list[socket.socket]:
    """So many subscribers that will not read a byte after this."""
    return [_subscribed(server, None, deaf=True) for _ in range(count)]


def heard(connection: socket.socket, seconds: float, enough: int) -> list[str]:
    """The cursors of the events that are still to be read: until there are enough, until the
    line ends, or until nothing has come for so long."""
    connection.settimeout(seconds)
    data, cursors = b"", list[str]()
    with suppress(TimeoutError, ConnectionError):
        while len(cursors) < enough and (piece := connection.recv(1 << 20)):
            payloads, data = frames(data + piece)
            cursors += [json.loads(p)["cursor"] for p in payloads if p.startswith(b'{"cursor"')]
    return cursors


def resumed(server: Server, after: str, seconds: float, enough: int) -> list[str]:
    """What a subscriber is told after a cursor."""
    with _subscribed(server, after, deaf=False) as connection:
        return heard(connection, seconds, enough)


def _subscribed(server: Server, after: str | None, *, deaf: bool) -> socket.socket:
    connection = socket.socket()
    if deaf:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.connect(("127.0.0.1", server.port))
    wish = {"action": "subscribe", "channels": CHANNELS, **({"after": after} if after else {})}
    connection.sendall(handshake(server.key))
    # Byte by byte: what comes after the answer's head is for whoever reads, or for nobody.
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    connection.sendall(masked(wish))
    return connection


def connections(port: int) -> int:
    """Established connections of a server's port, seen from its side."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    parts = (line.split() for line in lines)
    return sum(p[1].endswith(f":{port:04X}") and p[3] == "01" for p in parts)


def in_use() -> int:
    """Open TCP sockets of the machine, both ends of each line."""
    return _of_sockets("inuse")


def megabytes(pid: int) -> tuple[float, float]:
    """Resident memory of a process, and the kernel's memory for all TCP sockets, both ends."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)
    return resident / 1024, _of_sockets("mem") * PAGE / 1e6


def _of_sockets(name: str) -> int:
    lines = Path("/proc/net/sockstat").read_text().splitlines()
    tcp = next(line.split() for line in lines if line.startswith("TCP"))
    return int(tcp[tcp.index(name) + 1])
