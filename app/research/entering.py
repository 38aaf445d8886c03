"""From a request to a task, as the house would accept it, at a moment of a tape."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain import admission
from app.domain.chance import digest
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.request import Request
from app.domain.scene import Rules
from app.domain.scene import Scene as Met
from app.domain.task import Task
from app.domain.volume import VolumeCurve
from app.research.run import Scene


@dataclass(frozen=True, slots=True)
class Known:
    """What the house knows of a symbol before the day begins: nothing in it may come later."""

    instrument: Instrument
    curve: VolumeCurve | None = None
    daily_volume: Decimal | None = None


def entered(
    request: Request, order_id: str, scene: Scene, known: Known, rules: Rules, at: Instant
) -> Task:
    """The task of a request that comes at `at`. Raises Refusal, as the house does."""
    last = scene.tape.last(at)
    met = Met(
        instrument=known.instrument,
        sessions=[s for s in scene.sessions if s.closes_at > at],
        curve=known.curve,
        quote=scene.tape.quote(at),
        last=last[0] if last else None,
        last_at=last[1] if last else None,
        daily_volume=known.daily_volume,
        now=at,
    )
    return admission.admit(request, order_id, met, rules).task


def order_id(seed: str, *place: int | str) -> str:
    """A made-up order's id: the same for the same seed and place, a UUID in its form."""
    h = digest(seed, *place)
    return f"{h[:8]}-{h[8:12]}-7{h[13:16]}-a{h[17:20]}-{h[20:32]}"
