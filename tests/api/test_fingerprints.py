"""A retry is known as one by every process: a fingerprint hangs on nothing but the body."""

import os
import subprocess
import sys

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
