"""How the API listens: one set of options for the server, its tests and its figures."""

import socket
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from app.api.frames import PreparedFrames
from app.api.whole_requests import WholeProtocol

SEND_BUFFER = 48 * 1024
"""Bytes the kernel keeps for a reader that is slow. Its own choice, megabytes each, would let a
thousand sockets that never read take more than a gigabyte."""

USER_TIMEOUT_MS = 10_000
"""A peer that takes nothing in for so long is cut off by the kernel: a close frame of ours
could not reach it."""

OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "http": WholeProtocol,
        "ws": PreparedFrames,
        "ws_per_message_deflate": False,
        "ws_max_size": 64 * 1024,
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        # Whom a request came from: app/api/peer.py believes the proxies that a setting names.
        "proxy_headers": False,
        "timeout_graceful_shutdown": 3,
    }
)
"""For `uvicorn.Config`."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections inherit the limits above. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        if sys.platform != "win32":  # There it would allow to take a port from somebody.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if sys.platform == "linux":
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        listening.bind((host, port))
        listening.listen(2048)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
