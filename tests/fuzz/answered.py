"""What came back, whoever asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemathesis import Response


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: header names in small letters, time in seconds."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float = 0.0

    @property
    def kind(self) -> str:
        """The content type without its parameters; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def start(self) -> str:
        return self.content[:400].decode(errors="replace")


def of_schemathesis(response: Response) -> Answered:
    headers = {name.lower(): values[0] for name, values in response.headers.items()}
    return Answered(response.status_code, headers, response.content or b"", response.elapsed)
