"""What only schemathesis knows of a case, beside what every answer is held against."""

from collections.abc import Iterator
from typing import Any

from schemathesis import Case, Response
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

_DRIFT = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def drifts(case: Case, response: Response) -> Iterator[tuple[str, str]]:
    """Kind and detail of where an answer and the document disagree, by schemathesis' own lights.

    A batch is read although an order in it is wrong: that one's result says so.
    """
    each_for_itself = case.operation.label == "POST /orders/batch"
    checks = [one for one in _DRIFT if not (each_for_itself and one is negative_data_rejection)]
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as group:
        for found in group.exceptions:
            yield _told(found, response)
    except Failure as found:
        yield _told(found, response)


def _told(found: Any, response: Response) -> tuple[str, str]:
    start = response.content[:400].decode(errors="replace")
    return found.title, f"{response.status_code}: {found.message[:600]}\n    {start}"
