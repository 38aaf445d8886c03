"""How the account behaves, as the venue says when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from app.brokers.sandbox.options import Options
from app.domain.instant import MILLISECOND
from app.ports import Capabilities, IdScope, Lookup


@dataclass(frozen=True, slots=True)
class Profile:
    """`ids_per_symbol`: the venue uses execution ids again for other symbols. `head` is the place
    in its stream from which on everything is told; what came before is asked for."""

    capabilities: Capabilities
    ids_per_symbol: bool
    head: int


def ask_profile(options: Options, account: str) -> Profile:
    """Ask the venue. Raises ConnectionError when it does not answer, or not in a way that can be
    read."""
    url = f"{options.url}/accounts/{quote(account, safe='')}/capabilities"
    try:
        answer = httpx.get(url, timeout=options.open_timeout_ms / 1_000, trust_env=False)
        answer.raise_for_status()
        return read_profile(answer.json())
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        raise ConnectionError(f"{url} does not say how {account} behaves: {error!r}") from error


def read_profile(said: Mapping[str, Any]) -> Profile:
    """Raises KeyError, TypeError or ValueError for what cannot be read."""
    deadline, cancels = said["deadline_ms"], said["cancels_per_second"]
    if said["execution_ids"] not in ("account", "symbol"):
        raise ValueError(f"execution ids unique per {said['execution_ids']!r}")
    capabilities = Capabilities(
        id_scope=IdScope(said["id_scope"]),
        lookup=Lookup(said["lookup"]),
        lookup_lag=int(said["lookup_lag_ms"]) * MILLISECOND,
        executions_lookback=int(said["executions_lookback_ms"]) * MILLISECOND,
        quarantine=int(said["quarantine_ms"]) * MILLISECOND,
        deadline=None if deadline is None else int(deadline) * MILLISECOND,
        cancels_per_second=None if cancels is None else int(cancels),
    )
    return Profile(capabilities, said["execution_ids"] == "symbol", int(said["head"]))
