"""The head of an answer, as it goes out."""

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState


class Heads:
    """Writes heads for one server, with what it tells everybody: the date, made anew by the
    second."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._made: list[tuple[bytes, bytes]] = []
        self._written = b""

    def head(self, answer: Response, *, keeps_alive: bool) -> bytes:
        """Status line and headers, named in small letters, to the empty line. `keeps_alive`:
        whether it may say nothing of the connection.

        Raises ValueError for a header that would be more than one.
        """
        written = [STATUS_LINE[answer.status_code], self._of_every_answer()]
        for name, value in answer.raw_headers:
            written += (name, b": ", value, b"\r\n")
        written.append(b"\r\n" if keeps_alive else b"connection: close\r\n\r\n")
        head = b"".join(written)
        lines = len(self._made) + len(answer.raw_headers) + (2 if keeps_alive else 3)
        if head.count(b"\r\n") != lines or head.count(b"\n") != lines or head.count(b"\r") != lines:
            raise ValueError("a header that has a line's end within it")
        return head

    def _of_every_answer(self) -> bytes:
        made = self._state.default_headers
        if made is not self._made:
            self._made = made
            self._written = b"".join(b"%b: %b\r\n" % header for header in made)
        return self._written
