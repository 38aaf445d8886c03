"""Answers as tables: CSV with a header line, for spreadsheets and data frames."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from starlette.responses import Response


def wants_csv(request: Request) -> bool:
    """Whether the client asks for text/csv before JSON."""
    accepted = request.headers.get("accept", "")
    kinds = [part.partition(";")[0].strip() for part in accepted.split(",")]
    asked = [kind for kind in kinds if kind in ("text/csv", "application/json")]
    return bool(asked) and asked[0] == "text/csv"


def csv_answer(rows: Sequence[Mapping[str, Any]], name: str) -> Response:
    """Rows of the same columns as a file; None is an empty field."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: _plain(value) for column, value in row.items()} for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def _plain(value: Any) -> Any:
    """A spreadsheet takes what begins like a formula for one; a number may begin so."""
    if not isinstance(value, str):
        return value
    text = value if value[:1] not in _FORMULA or _is_number(value) else f"'{value}"
    # Not quoted by the writer, and the end of a row to many a reader.
    return text.replace("\r", " ")


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
