"""Hooks as their owners use them: made, shown, rotated, ended; each change is on the trail."""

import ipaddress
from dataclasses import replace

from app.domain.hook import Hook, Sizes
from app.domain.instant import Micros
from app.domain.refusal import Missing, Refusal
from app.engine.service import Caller, Service
from app.store import hooks, trail

__all__ = ["end_hook", "list_hooks", "make_hook", "rotate_hook"]


async def make_hook(
    service: Service, caller: Caller, hook: Hook, passphrase: str | None, reason: str | None
) -> tuple[str, Hook]:
    """A new hook and its token, shown once. Raises Refusal for settings that bound nothing."""
    _check(hook)
    async with service.database.transaction() as connection:
        made = replace(hook, made_by=caller.key_id)
        token, kept = await hooks.make(connection, made, passphrase)
        await trail.add(
            connection,
            actor=caller.key_id,
            action="hook.made",
            target=kept.id,
            account=kept.account,
            after=kept.plain(),
            reason=reason,
        )
    return token, kept


async def list_hooks(service: Service, caller: Caller) -> list[Hook]:
    """The hooks of the caller's accounts, ended ones too."""
    async with service.database.connection() as connection:
        return await hooks.listed(connection, caller.accounts)


async def rotate_hook(service: Service, caller: Caller, hook_id: str, keep: Micros) -> str:
    """Another token; the one before lives on for `keep`. Raises Missing."""
    async with service.database.transaction() as connection:
        hook = await hooks.hold(connection, hook_id, caller.accounts)
        if hook is None:
            raise _missing()
        token = await hooks.rotate(connection, hook, keep)
        await trail.add(
            connection,
            actor=caller.key_id,
            action="hook.rotated",
            target=hook.id,
            account=hook.account,
        )
    return token


async def end_hook(service: Service, caller: Caller, hook_id: str) -> None:
    """No alert comes in through it any more. Raises Missing."""
    async with service.database.transaction() as connection:
        hook = await hooks.hold(connection, hook_id, caller.accounts)
        if hook is None:
            raise _missing()
        await hooks.end(connection, hook)
        await trail.add(
            connection,
            actor=caller.key_id,
            action="hook.ended",
            target=hook.id,
            account=hook.account,
            before=hook.plain(),
        )


def _missing() -> Missing:
    return Missing("unknown_hook", "no living hook of that id")


def _check(hook: Hook) -> None:
    if hook.max_qty is None and hook.max_notional is None:
        raise Refusal(
            "no_cap", "give max_qty or max_notional: alerts are not signed", field="max_qty"
        )
    if (hook.sizes is Sizes.FIXED) != (hook.fixed_qty is not None):
        raise Refusal(
            "fixed_qty", "fixed_qty goes with sizes fixed, and with no other", field="fixed_qty"
        )
    for source in hook.sources or ():
        try:
            ipaddress.ip_network(source)
        except ValueError:
            raise Refusal(
                "bad_source", f"{source!r} is no address or network", field="sources"
            ) from None
