"""A body's fingerprint: the bytes that were hashed before, so that what was accepted by an older
release is known again."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.quantity import Side
from app.engine.given import canonical
from app.store.database import to_json

_TEXTS = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["\x7f", "é", "\u2028", "\ud800", '"\\/\b\f\n\r\t', "\x00\x1f"]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(Side)
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
    | st.sampled_from([Decimal("1E+3"), Decimal("1E-9"), Decimal("-0.0"), Decimal("100.00")])
    | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=6))
def test_a_body_is_written_as_it_always_was(body: dict[str, object]) -> None:
    assert canonical(body) == to_json(dict(sorted(body.items()))).encode()
