"""An answer that is not as the page says is found, each kind of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fuzz import alpaca
from tests.fuzz.answered import Answered
from tests.fuzz.page import Page

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id"],
                "properties": {"id": {"type": "string", "format": "uuid"}},
            }
        }
    },
    "paths": {
        "/orders": {
            "get": {
                "responses": {
                    "200": {
                        "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Order"}},
                            "text/csv": {"schema": {"type": "string"}},
                        },
                    },
                    "204": {"headers": {"X-Request-ID": {"schema": {"type": "string"}}}},
                }
            }
        }
    },
}
GOOD = Answered(
    200,
    {"content-type": "application/json", "x-request-id": "a"},
    b'{"id": "01a1fda6-32f0-7104-a88b-a4ed1c86d077"}',
)


def kinds(answered: Answered) -> list[str]:
    return [kind for kind, _ in Page(DOCUMENT).faults("GET /orders", answered)]


def test_an_answer_as_told_has_no_faults() -> None:
    assert kinds(GOOD) == []
    table = {**GOOD.headers, "content-type": "text/csv; charset=utf-8"}
    assert kinds(replace(GOOD, headers=table, content=b"a,b\n1,2\n")) == []


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (replace(GOOD, status=418), "undeclared status 418"),
        (replace(GOOD, status=500), "server error"),
        (replace(GOOD, status=503), "server error"),
        (replace(GOOD, content=GOOD.content[:-1] + b', "x": 1}'), "undeclared shape of 200"),
        (replace(GOOD, content=b'{"id": "no uuid"}'), "undeclared shape of 200"),
        (replace(GOOD, content=b"{}"), "undeclared shape of 200"),
        (replace(GOOD, content=b'{"id": NaN}'), "unreadable body"),
        (replace(GOOD, content=b"{"), "unreadable body"),
        (replace(GOOD, headers={**GOOD.headers, "x-more": "1"}), "undeclared header x-more"),
        (replace(GOOD, headers={"content-type": "application/json"}), "no request id"),
        (
            replace(GOOD, headers={**GOOD.headers, "content-type": "text/html"}),
            "undeclared content type text/html",
        ),
        (
            replace(
                GOOD, headers={**GOOD.headers, "content-type": "text/csv"}, content=b"a,b\n1\n"
            ),
            "unreadable body",
        ),
        (replace(GOOD, status=204), "undeclared body"),
    ],
)
def test_what_differs_is_found(answered: Answered, found: str) -> None:
    assert found in kinds(answered)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b'{"code": "x", "message": "m", "reason": "r"}'),
        (422, b'{"code": 40310000, "message": "m", "reason": "r"}'),
        (422, b'{"code": 42210000, "message": "", "reason": "r"}'),
        (422, b'{"code": 42210000, "message": "m"}'),
        (504, b'{"code": 50410000, "message": "m", "reason": "r"}'),
        (429, b'{"code": 42910000, "message": "m", "reason": "slow_down"}'),
        (422, b"[]"),
        (200, b'{"is_open": true}'),
    ],
)
def test_what_a_client_of_alpacas_cannot_read_is_found(status: int, body: bytes) -> None:
    found = list(alpaca.faults("GET /alpaca/v2/clock", replace(GOOD, status=status, content=body)))
    assert [kind for kind, _ in found] == ["not Alpaca's shape"]


def test_what_a_client_of_alpacas_can_read_is_no_fault() -> None:
    body = b'{"code": 42210000, "message": "m", "reason": "r"}'
    refused = replace(GOOD, status=422, content=body)
    assert list(alpaca.faults("GET /alpaca/v2/clock", refused)) == []
