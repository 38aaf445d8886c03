"""Who is asking: a key in the Authorization header, and the scope every route declares."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from app.api.errors import Problem
from app.api.headers import header
from app.api.rates import Rates
from app.domain.refusal import Forbidden, Refusal
from app.engine.access import Key, Keyring
from app.engine.service import Caller, Service


class Visit(NamedTuple):
    """One request's caller, and the house it visits."""

    service: Service
    caller: Caller
    key: Key

    def account(self, asked: str | None) -> str:
        """The account an order goes to: the one asked for, else the default, else the only one.

        Raises Refusal for one that is not there, Forbidden for one that is not the caller's.
        """
        account = asked or self._usual()
        if not self.key.sees(account):
            raise Forbidden(
                "account_not_allowed", f"this key may not use account {account!r}", field="account"
            )
        if account not in self.service.broker_of:
            raise Refusal("unknown_account", f"no account {account!r}", field="account")
        return account

    def check_unbound(self) -> None:
        """Raises Forbidden for a key of some accounts: this concerns all of them."""
        if self.caller.accounts is not None:
            raise Forbidden(
                "account_not_allowed", "this concerns all accounts; your key is bound to some"
            )

    def _usual(self) -> str:
        usual, own = self.service.default_account, self.caller.accounts
        return own[0] if own is not None and len(own) == 1 and usual not in own else usual


@dataclass(frozen=True, slots=True)
class Reception:
    """What receives a request: its keys and rates, and the house behind them."""

    service: Service
    keyring: Keyring
    rates: Rates


@dataclass(frozen=True, slots=True)
class Needs:
    """Lets in whoever holds a key with `scope`. Every route of the API depends on one."""

    scope: str

    async def __call__(self, request: Request) -> Visit:
        return self.at_hand(request) or await self.look_up(request)

    def at_hand(self, request: Request) -> Visit | None:
        """The visit of whoever holds a key that is remembered, as nearly always; a coroutine to
        find that out would take longer than finding it. Raises Forbidden."""
        reception: Reception = request.app.state.reception
        text = _text(request)
        key = reception.keyring.at_hand(text) if text is not None else None
        return None if key is None else _visit(reception, key, self.scope, request)

    async def look_up(self, request: Request) -> Visit:
        """Raises Problem 401, or Forbidden."""
        return await visit_with(_text(request), self.scope, request)


async def visit_with(text: str | None, scope: str, request: Request) -> Visit:
    """The visit of whoever holds the key `text`. Raises Problem 401, or Forbidden."""
    reception: Reception = request.app.state.reception
    key = await known_key(reception.keyring, reception.rates, text, request)
    if key is None:
        raise Problem(401, "not_authenticated", "this needs a living API key", _CHALLENGE)
    return _visit(reception, key, scope, request)


def _visit(reception: Reception, key: Key, scope: str, request: Request) -> Visit:
    if not key.may(scope):
        raise Forbidden("scope_missing", f"this key has no scope {scope!r}")
    route = getattr(request.scope.get("route"), "path", "")
    reception.rates.charge(key.id, scope, request.method, route)
    return Visit(reception.service, caller_of(key), key)


def _text(request: Request) -> str | None:
    return bearer(header(request, "authorization"))


async def known_key(
    keyring: Keyring, rates: Rates, text: str | None, asking: HTTPConnection
) -> Key | None:
    """The living key that `text` is. Raises Problem 429 where too many wrong ones came from the
    address of who is asking; a key that was right before is looked up all the same."""
    if text is None:
        return None
    address = address_of(asking)
    if not keyring.remembers(text):
        rates.check_address(address)
    key = await keyring.find(text)
    if key is None:
        rates.failed(address)
    return key


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from, as the socket has it: no header is believed."""
    return connection.client.host if connection.client is not None else ""


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="slipstream"'}


def bearer(header: str | None) -> str | None:
    """What an Authorization header bears."""
    kind, _, text = (header or "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None


@lru_cache(maxsize=1024)
def caller_of(key: Key) -> Caller:
    accounts = tuple(sorted(key.accounts)) if key.accounts is not None else None
    flattens = key.may("trade") or key.may("risk")
    return Caller(key.id, accounts, key.symbols, may_flatten=flattens, until=key.expires_at)


Reader = Annotated[Visit, Depends(Needs("read"))]
Trader = Annotated[Visit, Depends(Needs("trade"))]
Canceler = Annotated[Visit, Depends(Needs("cancel"))]
Risk = Annotated[Visit, Depends(Needs("risk"))]
Admin = Annotated[Visit, Depends(Needs("admin"))]
