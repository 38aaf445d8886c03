"""A request that cannot be, in words a user can act on."""


class Refusal(Exception):
    """What was asked cannot be done, and nothing was changed.

    `code` is stable and for machines, `field` names the input at fault ("params.slices"),
    `detail` carries the numbers of a refusal by risk (limit, value).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        detail: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.detail = detail or {}


class Conflict(Refusal):
    """The request contradicts what is already there (HTTP 409)."""


class Missing(Refusal):
    """There is no such thing, or not for this caller (HTTP 404)."""


class Stale(Refusal):
    """The caller's version is not the current one (HTTP 412)."""


class Forbidden(Refusal):
    """The key may not do this (HTTP 403)."""


class Unavailable(Refusal):
    """Not now: something the answer depends on is not there (HTTP 503)."""
