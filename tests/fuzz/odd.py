"""What clients send that nobody would make up from a page: headers and spoiled bodies."""

import json
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from tests.fuzz.shots import Shot

_ACCEPTS = ("text/csv", "text/html", "application/json", "application/xml", "*/*;q=0", "x", "a/b;")
_CONTENT_TYPES = (
    "text/plain",
    "application/xml",
    "application/json; charset=utf-16",
    "application/problem+json",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "x",
)
_MATCHES = ('"v0"', '"v1"', "v2", 'W/"v1"', "*", "", '"x"', '"v1", "v2"', "v" + "9" * 30)
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "X-Request-ID": ("abc", "a" * 64, "a" * 65, "é?", "a b"),
    "X-Forwarded-For": ("1.2.3.4", "x", "::1, 1.2.3.4"),
    "Content-Encoding": ("gzip", "identity"),
    "Range": ("bytes=0-1",),
    "If-None-Match": ('"v1"', "*", "x", 'W/"v2", "v3"'),
    "X-HTTP-Method-Override": ("DELETE",),
    "Last-Event-ID": ("x",),
    "Cookie": ("a=b; key=c",),
}
_STRAY = "zz_unknown"


def headers_for(shot: Shot, chance: Random, version: int | None) -> dict[str, str]:
    """Odd headers for a request; `version` is that of the order it is about."""
    told: dict[str, str] = {}
    if shot.label.startswith("PATCH") and chance.random() < 0.9:
        told["If-Match"] = f'"v{version or chance.randint(1, 4)}"'
        if chance.random() < 0.2:
            told["If-Match"] = chance.choice(_MATCHES)
    if shot.label == "POST /orders" and chance.random() < 0.15:
        told["Idempotency-Key"] = chance.choice(
            (f"k{chance.randint(1, 60)}", '"q"', "é", "k" * 256)
        )
    elif chance.random() < 0.02:
        told["Idempotency-Key"] = "k1"
    if chance.random() < 0.05:
        told["Accept"] = chance.choice(_ACCEPTS)
    if chance.random() < 0.03:
        told["Content-Type"] = chance.choice(_CONTENT_TYPES)
    if chance.random() < 0.05:
        name = chance.choice(list(_OTHERS))
        told[name] = chance.choice(_OTHERS[name])
    return told


def spoiled(shot: Shot, chance: Random) -> Shot:
    """The same request with a body that must be refused, or that is only odd."""
    whole = json.dumps(shot.body)
    kinds = ["cut", "twice", "deep", "bom", "nan", "huge"]
    strict = not shot.label.partition(" ")[2].startswith(("/webhooks", "/alpaca"))
    match chance.choice([*kinds, "unknown"] if strict else kinds):
        case "cut":
            return replace(shot, raw=whole[: len(whole) // 2].encode(), refused=True)
        case "twice" if shot.body:
            name = chance.choice(list(shot.body))
            member = f"{json.dumps(name)}: {json.dumps(shot.body[name])}"
            return replace(shot, raw=f"{{{member}, {whole[1:]}".encode(), refused=True)
        case "deep":
            return replace(shot, raw=b"[" * 20_000, refused=True)
        case "bom":
            return replace(shot, raw=whole.encode("utf-16"), refused=True)
        case "nan":
            return replace(shot, raw=whole.replace('"', "", 1).encode() + b"NaN", refused=True)
        case "huge":
            return replace(shot, raw=whole.encode() + b" " * 1_100_000, refused=True)
        case _ if strict:
            return replace(shot, body={**shot.body, _STRAY: 1}, refused=True)
        case _:
            return shot
