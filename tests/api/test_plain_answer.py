"""An answer under a head of our own making is the one that Starlette would have made."""

from starlette.responses import Response

from app.api.plain_answer import Plain


def test_it_is_starlettes_own() -> None:
    body, headers = b'{"id":"1"}', {"Location": "/orders/1", "ETag": '"v1"'}
    ours = Plain(body, 202, [(b"location", b"/orders/1"), (b"etag", b'"v1"')])
    theirs = Response(body, 202, headers, "application/json")
    assert ours.raw_headers == theirs.raw_headers
    assert (ours.body, ours.status_code) == (theirs.body, theirs.status_code)
    assert ours.headers["etag"] == '"v1"'
