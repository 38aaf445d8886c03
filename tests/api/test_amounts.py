"""Numbers, moments and durations as clients write them."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.api.amounts import Amount, Duration, Moment, scalar
from app.api.bodies import json_object
from app.api.errors import Problem
from app.domain.instant import MINUTE, SECOND, from_datetime, rfc3339

AMOUNT = TypeAdapter(Amount)
MOMENT = TypeAdapter(Moment)
DURATION = TypeAdapter(Duration)


@given(
    st.decimals(min_value=Decimal("1e-9"), max_value=Decimal("1e12"), places=9),
    st.booleans(),
)
def test_a_number_keeps_every_digit(number: Decimal, quoted: bool) -> None:
    literal = format(number, "f")
    text = f'{{"qty": "{literal}"}}' if quoted else f'{{"qty": {literal}}}'
    parsed = AMOUNT.validate_python(json_object(text)["qty"])
    assert parsed.as_tuple() == number.as_tuple()


@given(st.one_of(st.text(max_size=60), st.floats(), st.booleans(), st.none()))
def test_whatever_is_sent_is_an_amount_or_refused(value: Any) -> None:
    try:
        number = AMOUNT.validate_python(value)
    except ValidationError:
        return
    assert number.is_finite()
    assert abs(number) < Decimal("1e16")


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_an_object_or_refused(raw: bytes) -> None:
    with suppress(Problem):
        assert isinstance(json_object(raw), dict)


@given(st.datetimes(timezones=st.timezones()).filter(lambda d: 1971 < d.year < 2199))
def test_a_moment_is_read_as_it_is_written(moment: Any) -> None:
    instant = from_datetime(moment)
    assert MOMENT.validate_python(rfc3339(instant)) == instant


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("30m", 30 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("90s", 90 * SECOND),
        ("PT1H30M5S", 90 * MINUTE + 5 * SECOND),
        ("5400", 90 * MINUTE),
        (Decimal(5400), 90 * MINUTE),
        ("0.25s", SECOND // 4),
    ],
)
def test_durations(written: Any, length: int) -> None:
    assert DURATION.validate_python(written) == length


@pytest.mark.parametrize(
    "written", ["1h30", "m30", "1d", "-5m", "", "PT", True, None, "0", Decimal("NaN")]
)
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(written)


@pytest.mark.parametrize("text", ["1E+2000000", "1E-2000000", "-1E+41"])
def test_a_parameter_is_no_number_of_a_million_digits(text: str) -> None:
    """Its body's fingerprint writes it out, before anybody asks what the parameter may be."""
    with pytest.raises(ValueError, match="out of range"):
        scalar(Decimal(text))
    assert scalar(Decimal("1E+3")) == 1_000
