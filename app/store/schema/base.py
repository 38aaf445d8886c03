"""What all tables share: names of constraints, moments, amounts."""

from sqlalchemy import (
    Column,
    MetaData,
    Numeric,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import UserDefinedType

from app.domain.lifecycle import ChildStatus, OrderStatus

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def moment(name: str, *, nullable: bool = False, default: bool = False) -> Column[object]:
    server_default = text("clock_timestamp()") if default else None
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable, server_default=server_default)


def amount(name: str, *, nullable: bool = False, zero: bool = False) -> Column[object]:
    server_default = text("0") if zero else None
    return Column(name, Numeric, nullable=nullable, server_default=server_default)


def among(column: str, words: type[OrderStatus] | type[ChildStatus]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"
