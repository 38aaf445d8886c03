"""Asks the server over HTTP; whatever goes wrong becomes one line and an exit code."""

from types import TracebackType
from typing import TYPE_CHECKING, Any

from app.cli.exits import Exit, Failure
from app.cli.place import Place

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0


class Client:
    """One server. Every method raises Failure."""

    def __init__(self, place: Place, *, seconds: float = TIMEOUT_SECONDS) -> None:
        import httpx

        headers = {"Authorization": f"Bearer {place.key}"} if place.key else {}
        self.place = place
        self._http = httpx.Client(base_url=place.url, headers=headers, timeout=seconds)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        known = {name: value for name, value in params.items() if value is not None}
        return self.ask("GET", path, params=known)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, json=body, headers=headers)

    def put(self, path: str, body: Any) -> Any:
        return self.ask("PUT", path, json=body)

    def delete(self, path: str, **params: Any) -> Any:
        return self.ask("DELETE", path, params=params)

    def ask(self, method: str, path: str, **parts: Any) -> Any:
        """The answer's JSON; None where it has none."""
        answer = self.raw(method, path, **parts)
        if answer.is_error:
            raise refusal(answer)
        return answer.json() if answer.content else None

    def raw(self, method: str, path: str, **parts: Any) -> "httpx.Response":
        """The answer, whatever its status."""
        import httpx

        try:
            return self._http.request(method, path, **parts)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Failure(
                Exit.UNREACHABLE, f"cannot reach {self.place.url}: {error or 'no answer'}"
            ) from None
        except httpx.TransportError as error:
            unsure = "" if method == "GET" else "; whether it was done is not known"
            why = str(error) or type(error).__name__
            raise Failure(
                Exit.UNREACHABLE, f"no answer from {self.place.url}: {why}{unsure}"
            ) from None
        except (httpx.InvalidURL, ValueError) as error:
            # A key with a line break in it, a path that is none.
            raise Failure(Exit.USAGE, f"cannot ask {self.place.url}: {error}") from None


def refusal(answer: "httpx.Response") -> Failure:
    """A problem document as a failure: field, message and code."""
    exit = Exit.FAILED if answer.status_code == 500 else Exit.REFUSED
    try:
        told = answer.json()
        message, code = str(told["message"]), str(told["code"])
    except (ValueError, KeyError, TypeError):
        return Failure(exit, f"{answer.request.url} answered {answer.status_code}")
    errors = told.get("errors") or []
    field = ".".join(str(part) for part in errors[0]["loc"]) if errors else ""
    if field and not message.startswith(field):
        message = f"{field}: {message}"
    return Failure(exit, f"{message} ({code})")
