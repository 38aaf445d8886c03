"""Accepting many parent orders at once: each for itself, on one way in."""

import asyncio
from collections.abc import Sequence

from app.domain.request import Request
from app.engine.accept import check, settled
from app.engine.given import Given
from app.engine.service import Caller, Service
from app.store.arrival import Accepted, Arrival, Verdict

_AT_A_TIME = 25
"""Checked without a pause; then others have their turn."""

Outcome = Accepted | Exception


async def accept_many(
    service: Service, caller: Caller, asked: Sequence[tuple[Request, Given]]
) -> list[Outcome]:
    """The outcome of each, in order: the order, or the Refusal (or failure) that kept it out.

    They travel in groups, and each outcome is of its own commit: a failure later on does not
    touch what was entered. A name that comes twice among them is decided as if the two had come
    one after the other.
    """
    outcomes: list[Outcome | Arrival] = []
    for number, (request, given) in enumerate(asked):
        if number % _AT_A_TIME == _AT_A_TIME - 1:
            await asyncio.sleep(0)
        outcomes.append(await _checked(service, caller, request, given))
    # Added in one go; a caller that hangs up from here on changes nothing.
    added = iter(service.intake.add_all([one for one in outcomes if isinstance(one, Arrival)]))
    answers = [next(added) if isinstance(one, Arrival) else one for one in outcomes]
    return [
        await _settled(service, request, answer)
        for (request, _), answer in zip(asked, answers, strict=True)
    ]


async def _checked(
    service: Service, caller: Caller, request: Request, given: Given
) -> Arrival | Outcome:
    try:
        return await check(service, caller, request, given)
    except Exception as failure:
        return failure


async def _settled(
    service: Service, request: Request, answer: "asyncio.Future[Verdict] | Outcome"
) -> Outcome:
    if not isinstance(answer, asyncio.Future):
        return answer
    try:
        return settled(service, request, await answer)
    except Exception as failure:
        return failure
