"""Straight to the database, for when nothing else of ours answers."""

import asyncio
import getpass
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from app.cli.database import opened
from app.cli.exits import Exit, Failure

Result = TypeVar("Result")


def directly(given: str | None, work: Callable[[str], Coroutine[Any, Any, Result]]) -> Result:
    """Do something on the database that is given, else on that of the data directory.

    The embedded one is started for it where it lies still. Raises Failure.
    """
    from app.domain.refusal import Refusal
    from app.store.database import unreachable

    with opened(given) as url:
        try:
            return asyncio.run(work(url))
        except Refusal as refusal:
            raise Failure(Exit.REFUSED, f"{refusal.message} ({refusal.code})") from None
        except Exception as failure:
            if not unreachable(failure):
                raise
            raise Failure(Exit.UNREACHABLE, f"cannot reach the database: {failure}") from None


def who() -> str:
    """Who is at the keyboard, as far as the machine knows."""
    # A container may know no name for its user.
    with suppress(OSError, KeyError, ImportError):
        return f"direct:{getpass.getuser()}"
    return "direct"
