"""Who is asking: a key in the Authorization header, and the scope every route declares."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.api.errors import Problem
from app.domain.refusal import Forbidden, Refusal
from app.engine.access import Key
from app.engine.service import Caller, Service


@dataclass(frozen=True, slots=True)
class Visit:
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
class Needs:
    """Lets in whoever holds a key with `scope`. Every route of the API depends on one."""

    scope: str

    async def __call__(self, request: Request) -> Visit:
        text = bearer(request.headers.get("authorization"))
        key = await request.app.state.keyring.find(text) if text is not None else None
        if key is None:
            raise Problem(401, "not_authenticated", "this needs a living API key", _CHALLENGE)
        if not key.may(self.scope):
            raise Forbidden("scope_missing", f"this key has no scope {self.scope!r}")
        return Visit(request.app.state.service, caller_of(key), key)


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="slipstream"'}


def bearer(header: str | None) -> str | None:
    """What an Authorization header bears."""
    kind, _, text = (header or "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None


def caller_of(key: Key) -> Caller:
    return Caller(key.id, tuple(sorted(key.accounts)) if key.accounts is not None else None)


Reader = Annotated[Visit, Depends(Needs("read"))]
Trader = Annotated[Visit, Depends(Needs("trade"))]
Canceler = Annotated[Visit, Depends(Needs("cancel"))]
Risk = Annotated[Visit, Depends(Needs("risk"))]
Admin = Annotated[Visit, Depends(Needs("admin"))]
