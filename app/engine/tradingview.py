"""An alert that came through a hook becomes a signal, once, however often it is sent."""

import asyncio
import ipaddress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog

from app.domain.hook import Hook
from app.domain.instant import MINUTE, SECOND, rfc3339, seconds
from app.domain.refusal import Missing, Refusal, Unavailable
from app.domain.scene import Scene, reference_now
from app.domain.tradingview.decode import BYTES_MAX, said_by
from app.domain.tradingview.message import Message, fingerprint
from app.domain.tradingview.reading import read, secret_in
from app.engine.hook_signal import signal_of
from app.engine.ids import new_id
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service
from app.engine.signal import Signal
from app.engine.signals import receive
from app.engine.sizing import Closed, Meant
from app.store import hooks, signals

__all__ = ["BYTES_MAX", "Delivery", "TooMany", "dry_run", "take_in"]

log = structlog.get_logger()

ANSWER_SECONDS = 2.5
"""TradingView hangs up after 3 s; what is not decided by then it should send again."""

_AHEAD = MINUTE


class TooMany(Refusal):
    """More than may come in a minute (HTTP 429); nothing is stored. After `seconds` one may."""

    def __init__(self, per_minute: int, seconds: int) -> None:
        super().__init__("hook.rate", f"this hook takes {per_minute} signals a minute")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert as it arrived. `peer` is the address that sent it, `token` names the hook."""

    token: str
    peer: str | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Read:
    hook: Hook
    message: Message


async def take_in(service: Service, delivery: Delivery) -> Any:
    """The signal's row with its decision; a resend gets that of the first.

    Raises Refusal for what is no usable alert, Missing for whatever may not come in (which of its
    reasons it was, only the hook's owner is told), Unavailable where nothing is decided yet.
    """
    found = await _opened(service, delivery)
    deciding = asyncio.create_task(_noting(service, found))
    done, _ = await asyncio.wait({deciding}, timeout=ANSWER_SECONDS)
    if not done:
        # It goes on: the next send finds what came of it.
        deciding.add_done_callback(_tell_late)
        raise Unavailable("still_deciding", "not decided yet; send it again")
    return deciding.result()


async def dry_run(service: Service, delivery: Delivery) -> tuple[Message, Signal]:
    """What an alert is understood as. Nothing is entered, counted or remembered. Raises as
    `take_in`."""
    found = await _opened(service, delivery)
    signal = signal_of(found.message, found.hook, None)
    await _check_time(service, found, signal.symbol)
    return found.message, signal


def _tell_late(deciding: "asyncio.Task[Any]") -> None:
    failure = None if deciding.cancelled() else deciding.exception()
    if failure is not None:
        log.warning("an alert was decided late", error=str(failure))


# Who may come in.


async def _opened(service: Service, delivery: Delivery) -> _Read:
    """The hook, and what the alert says. Raises Missing, or Refusal for what cannot be read."""
    async with service.database.connection() as connection:
        hook = await hooks.living(connection, delivery.token)
    if hook is None:
        raise _closed()
    if hook.account not in service.broker_of:
        await _note(service, hook, "account")
        raise _closed()
    if not _may_send(hook, delivery.peer):
        await _note(service, hook, "source")
        raise _closed()
    try:
        said = said_by(delivery.raw)
    except Refusal as refusal:
        await _note(service, hook, refusal.code)
        if hook.has_passphrase:
            raise _closed() from None
        raise
    if not hooks.opens(hook, secret_in(said)):
        await _note(service, hook, "passphrase")
        raise _closed()
    try:
        return _Read(hook, read(said))
    except Refusal as refusal:
        await _note(service, hook, refusal.code)
        raise


def _closed() -> Missing:
    return Missing("unknown_hook", "no living hook here, or not for you")


def _may_send(hook: Hook, peer: str | None) -> bool:
    if hook.sources is None:
        return True
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(source) for source in hook.sources)


# What comes of it.


async def _noting(service: Service, found: _Read) -> Any:
    try:
        return await _decided(service, found)
    except Unavailable:
        raise
    except Refusal as refusal:
        await _note(service, found.hook, refusal.code)
        raise


async def _decided(service: Service, found: _Read) -> Any:
    hook, message = found.hook, found.message
    # First: an alert that can be no signal takes nobody's place.
    symbol = signal_of(message, hook, None).symbol
    signal_id = await _known(service, found)
    if signal_id is None or await _undecided(service, hook, signal_id):
        await _check_time(service, found, symbol)
        signal_id = await _admitted(service, found)
    caller = Caller(f"hook:{hook.id}", (hook.account,))
    signal = signal_of(message, hook, signal_id)
    body = {"hook": hook.id, **message.shown()}
    return await receive(service, caller, signal, body, ceiling=_Ceiling(service, hook))


async def _known(service: Service, found: _Read) -> str | None:
    mark, timed = _mark(found)
    async with service.database.connection() as connection:
        return await hooks.claimed(connection, found.hook, mark, timed=timed)


def _mark(found: _Read) -> tuple[str, bool]:
    message = found.message
    timed = message.own_id is not None or message.made_at is not None
    return fingerprint(found.hook.id, message), timed


async def _undecided(service: Service, hook: Hook, signal_id: str) -> bool:
    async with service.database.connection() as connection:
        row = await signals.find(
            connection, account=hook.account, source=hook.source, signal_id=signal_id
        )
    return row is None


async def _admitted(service: Service, found: _Read) -> str:
    """The id of the alert's signal, this minute's count taken. Raises TooMany, Missing."""
    hook, message = found.hook, found.message
    mark, timed = _mark(found)
    async with service.database.transaction() as connection:
        if await hooks.hold(connection, hook.id, (hook.account,)) is None:
            raise _closed()
        known = await hooks.claimed(connection, hook, mark, timed=timed)
        if known is not None:
            return known
        signal_id = message.own_id or (mark if timed else f"{mark}.{new_id()}")
        if not await hooks.claim(connection, hook, mark, signal_id):
            raise TooMany(hook.per_minute, await hooks.seconds_until_room(connection, hook))
    return signal_id


async def _check_time(service: Service, found: _Read, symbol: str) -> None:
    """Raises Refusal for an alert that is too old, from the future, or without a time it needs."""
    hook, message = found.hook, found.message
    told = message.max_lag
    bounds = [hook.max_lag] if hook.max_lag is not None else []
    bounds += [int(told * SECOND)] if told is not None else []
    if message.made_at is None:
        if hook.max_lag is not None:
            raise Refusal("hook.no_time", "this hook needs {{timenow}} as `time`", field="time")
        return
    lag = (await scene_for(service, symbol)).now - message.made_at
    if lag < -_AHEAD:
        raise Refusal(
            "hook.ahead", f"the alert is from {rfc3339(message.made_at)}, the future", field="time"
        )
    if bounds and lag > min(bounds):
        raise Refusal(
            "hook.late",
            f"the alert is {seconds(lag):.3f} s old, {seconds(min(bounds)):g} s are allowed",
            field="time",
        )


@dataclass(frozen=True, slots=True)
class _Ceiling:
    """What one signal of a hook may open. What only takes a position back counts for nothing."""

    service: Service
    hook: Hook

    def __call__(self, meant: Meant, scene: Scene) -> Closed | None:
        most = self.hook.max_qty
        if most is not None and meant.qty > most:
            return _over("hook.max_qty", meant.qty, most)
        most = self.hook.max_notional
        if most is not None:
            value = meant.qty * reference_now(scene, self.service.rules.policy)
            if value > most:
                return _over("hook.max_notional", value, most)
        return None


def _over(reason: str, value: Decimal, most: Decimal) -> Closed:
    return Closed(reason, f"{value.normalize():f} are asked for, {most:f} allowed", "hook")


async def _note(service: Service, hook: Hook, why: str) -> None:
    async with service.database.connection() as connection:
        await hooks.note_refusal(connection, hook, why)
