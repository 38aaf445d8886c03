"""The head of an answer and its body leave in one write: each is a call into the kernel, and a
packet that wakes the client."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview[int]  # generic in its stubs only


class OneWrite(asyncio.Transport):
    """A transport that holds what is written until more follows, or the loop's turn is over.

    Only what an HTTP protocol asks of a transport; who takes the connection over takes `raw`.
    """

    __slots__ = ("_held", "_soon", "raw")

    def __init__(self, raw: asyncio.Transport, soon: Callable[[Callable[[], None]], Any]) -> None:
        self.raw, self._soon = raw, soon
        self._held: Bytes = b""

    def write(self, data: "Bytes") -> None:
        if self._held:
            held, self._held = self._held, b""
            self.raw.writelines((held, data))
        elif data:
            self._held = data
            self._soon(self._flush)

    def write_whole(self, data: bytes) -> None:
        """Write at once what is complete by itself, after what is held."""
        self._flush()
        self.raw.write(data)

    def close(self) -> None:
        self._flush()
        self.raw.close()

    def abort(self) -> None:
        self._held = b""
        self.raw.abort()

    def is_closing(self) -> bool:
        return self.raw.is_closing()

    def pause_reading(self) -> None:
        self.raw.pause_reading()

    def resume_reading(self) -> None:
        self.raw.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.raw.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            # A client that went away meanwhile has no use for it.
            if not self.raw.is_closing():
                self.raw.write(held)
