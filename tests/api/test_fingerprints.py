"""A retry is known as one by every process: a fingerprint hangs on nothing but the body."""

import os
import subprocess
import sys

import pytest

from app.api.bodies import checked, json_object
from app.api.order_bodies import OrderBody, given
from app.engine.given import Given

SCRIPT = """
from app.api.bodies import checked, json_object
from app.api.order_bodies import OrderBody, given
from app.engine.given import Given
body = '{"symbol": "ACME", "side": "buy", "qty": "10", "algo": "limit", "limit_price": "10",'
body += '"take_profit": {"price": "12", "offset": null, "percent": null},'
body += '"stop_loss": {"price": "9", "offset": null, "percent": null}}'
print(Given.of(given(checked(json_object(body), OrderBody))).sha256)
"""


def test_the_order_of_a_set_is_not_in_it() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in range(6)
    }
    assert len(told) == 1
    assert all(len(one.strip()) == 66 for one in told)


PLAIN = (
    '{"symbol": "ACME", "side": "buy", "qty": 1200.50, "algo": "twap", "params": {"slices": 12},'
    ' "tags": ["a"], "limit_price": "101.25"}'
)
NESTED = (
    '{"symbol": "ACME", "side": "buy", "qty": "10", "algo": "limit", "limit_price": "10",'
    ' "strategy": "über", "take_profit": {"price": "12"},'
    ' "stop_loss": {"price": "9", "offset": null}}'
)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (PLAIN, "5f1fa7f663bff09f4e4dc0c17f2f52b839f0ffddbb6249462d72557aef466998"),
        (NESTED, "dab14d50bce4212a71f73b694d43a225fb71b901b13a5fa4bd2ed2f9f593f5e2"),
    ],
)
def test_they_never_change_between_releases(body: str, digest: str) -> None:
    """A retry after an upgrade is answered with its order."""
    said = given(checked(json_object(body), OrderBody))
    assert Given.of(said).sha256 == "\\x" + digest
