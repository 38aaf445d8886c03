"""Plug-ins are found by looking into their room; a mistake in one is told in a sentence."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from app.plugins import PluginError, choose, find
from app.settings import Settings
from app.wiring import check_plugins

Furnish = Callable[[dict[str, str]], str]

WHOLE = "FEED = {name!r}\ndef open_feed(): return {name!r}\n"
_rooms = itertools.count()


@pytest.fixture
def furnish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Furnish:
    """Makes a room, a package of a name never used before, that holds these files."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(files: dict[str, str]) -> str:
        room = f"room_{next(_rooms)}"
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / room / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return room

    return made


def looked_into(room: str) -> dict[str, Callable[[], object]]:
    return find(room, "FEED", "open_feed")


def test_a_plugin_is_one_file_or_one_folder(furnish: Furnish) -> None:
    room = furnish(
        {
            "one": WHOLE.format(name="first"),
            "two/__init__": WHOLE.format(name="second"),
            "two/inner": "FEED = 'hidden'",
            "shared": "def read(): ...",
        }
    )
    found = looked_into(room)
    assert sorted(found) == ["first", "second"]
    assert [found[name]() for name in ("first", "second")] == ["first", "second"]


def test_an_empty_room_has_none(furnish: Furnish) -> None:
    assert looked_into(furnish({})) == {}


@pytest.mark.parametrize(
    "text",
    [
        "FEED = 'half'",
        "def open_feed(): ...",
        "FEED = 'half'\ndef open_fed(): ...",
        "FEEDS = 'half'\ndef open_feed(): ...",
        "FEED = 7\ndef open_feed(): ...",
        "FEED = 'half'\nopen_feed = 'not a function'",
    ],
)
def test_half_a_plugin_stops_the_start(furnish: Furnish, text: str) -> None:
    room = furnish({"half": text, "whole": WHOLE.format(name="whole")})
    with pytest.raises(PluginError) as told:
        looked_into(room)
    assert str(told.value) == (f"{room}.half needs both: FEED (its name) and a function open_feed")


def test_two_of_one_name_stop_the_start(furnish: Furnish) -> None:
    room = furnish({"one": WHOLE.format(name="same"), "two": WHOLE.format(name="same")})
    with pytest.raises(PluginError) as told:
        looked_into(room)
    assert str(told.value) == f"two plug-ins in {room} are called 'same'"


def test_a_name_nobody_has_is_answered_with_those_there_are() -> None:
    found = {"synthetic": dict, "replay": list}
    assert choose(found, "replay", "feed") is list
    with pytest.raises(PluginError) as told:
        choose(found, "reply", "feed")
    assert str(told.value) == "there is no feed 'reply'; there are: replay, synthetic"
    assert isinstance(told.value, ValueError), "what `serve` turns into one line"


@pytest.mark.parametrize(
    ("room", "constant", "opener", "names"),
    [
        ("app.brokers", "BROKER", "open_broker", {"paper"}),
        ("app.feeds", "FEED", "open_feed", {"synthetic", "replay"}),
    ],
)
def test_the_houses_own_rooms(room: str, constant: str, opener: str, names: set[str]) -> None:
    assert names <= set(find(room, constant, opener))


def test_an_algorithm_that_works_no_plain_order_stops_the_start() -> None:
    for algo in ("limit", "magic"):
        with pytest.raises(PluginError, match=f"is '{algo}', which works no order"):
            check_plugins(Settings(_env_file=None, alpaca_api_default_algo=algo))
    check_plugins(Settings(_env_file=None, alpaca_api_default_algo="vwap"))
