"""Moving a resting exit for its stop: what rests goes only where what replaces it could go at once.

While it is away the position stands bare. So a halt, a silent feed, a crossed book, or whatever
else would hold the new child leaves the old one where it is.
"""

from dataclasses import replace

from app.domain.actions import Cancel, Decision
from app.domain.execution import Child, Execution
from app.domain.fact import ChildCanceled, ChildCancelRequested, Purpose
from app.domain.fold_children import apply_to_child
from app.domain.guards import guarded
from app.domain.native_stop import misplaced_stops
from app.domain.quantity import ZERO
from app.domain.wish import Hold, Scene, Wish

STOP_PRICE = "stop_price"
"""Why such a child is canceled."""


def stops_moved(scene: Scene, waits: Decision) -> Decision:
    """`waits`, or the cancels of children with another stop than theirs; where nothing can be sent
    in their place, what has to change first is waited for as well."""
    wrong = misplaced_stops(scene.execution, scene.desk)
    if not wrong:
        return waits
    qty = sum((child.leaves for child in wrong), start=ZERO)
    gone = replace(scene, execution=_without(scene, wrong))
    verdict = guarded(gone, Wish(Purpose.REST, qty))
    if not isinstance(verdict, Hold):
        cancels = tuple(Cancel(child.id, STOP_PRICE) for child in wrong)
        return replace(waits, actions=cancels, triggers=())
    moments = [at for at in (waits.look_at, verdict.until) if at is not None]
    triggers = (*waits.triggers, *verdict.triggers)
    return replace(waits, look_at=min(moments, default=None), triggers=triggers)


def _without(scene: Scene, wrong: list[Child]) -> Execution:
    """The order once these children are canceled."""
    execution, now = scene.execution, scene.now
    for child in wrong:
        asked = ChildCancelRequested(now, child.id, STOP_PRICE)
        execution, canceled = apply_to_child(execution, asked)
        execution, _ = apply_to_child(execution, ChildCanceled(now, child.id), canceled)
    return execution
