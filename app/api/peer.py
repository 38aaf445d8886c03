"""The address that a request came from. Headers say what their sender likes: only those of a proxy
that a setting names are believed."""

from fastapi import Request


def peer_of(request: Request) -> str | None:
    """The peer; behind a named proxy the last address that is none."""
    client = request.scope.get("client")
    peer: str | None = client[0] if client else None
    proxies = request.app.state.proxies
    if peer not in proxies:
        return peer
    told = [
        part.strip()
        for name, value in request.scope["headers"]
        if name == b"x-forwarded-for"
        for part in value.decode("latin-1").split(",")
    ]
    return next((address for address in reversed(told) if address not in proxies), peer)
