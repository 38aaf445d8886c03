"""`slipstream health`: for Docker and other watchers."""

from app.cli import place
from app.cli.client import Client
from app.cli.exits import Exit
from app.cli.options import AsJson, Url
from app.cli.output import print_json


def health(url: Url = None, as_json: AsJson = False) -> int:
    """Whether the server can take orders: exit code 0 if so, 1 with the reason if not."""
    with Client(place.find_open(url)) as client:
        answer = client.raw("GET", "/readyz")
    try:
        told = answer.json()
        checks = {name: check["detail"] for name, check in told["checks"].items()}
        wrong = [f"{name}: {checks[name]}" for name in checks if not told["checks"][name]["ok"]]
    except (ValueError, KeyError, TypeError):
        told, wrong = {"ready": False}, [f"/readyz answered {answer.status_code}"]
    if as_json:
        print_json(told)
    else:
        print("ready" if answer.is_success else f"not ready: {'; '.join(wrong)}")
    return Exit.OK if answer.is_success else Exit.FAILED
