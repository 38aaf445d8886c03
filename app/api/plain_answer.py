"""An answer of JSON that is written already, under a head of our own making."""

from collections.abc import Iterable

from starlette.responses import Response


class Plain(Response):
    """`headers` as they go out, names in small letters. Starlette's own spells, looks through and
    completes a mapping for every answer."""

    def __init__(
        self, body: bytes, status: int, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [
            *headers,
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ]
