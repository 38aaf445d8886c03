"""What a serving process carries: heavy libraries only where they are worked with."""

import subprocess
import sys

import pytest

SERVING = "import app.main, app.api.app, app.wiring; from app import plugins"
PLUGINS = (
    "plugins.find('app.feeds', 'FEED', 'open_feed');"
    "plugins.find('app.brokers', 'BROKER', 'open_broker')"
)


@pytest.mark.parametrize("heavy", ["polars", "exchange_calendars", "pandas", "matplotlib"])
def test_a_serving_process_does_without(heavy: str) -> None:
    code = f"{SERVING}; {PLUGINS}; import sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
