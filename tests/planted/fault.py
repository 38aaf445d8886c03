"""A wrong version of the product: a patch, and the tests that have to catch it."""

from dataclasses import dataclass
from pathlib import Path


class Rotten(Exception):
    """A patch that does not fit the tree any more: it proves nothing."""


@dataclass(frozen=True, slots=True)
class Patch:
    """In one file, `old` stands exactly once and becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """`name` says what is wrong; `tests` are the fewest that are expected to fail."""

    name: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...]


def fault(name: str, *patches: tuple[str, str, str], tests: str) -> Fault:
    """`tests` are separated by spaces."""
    return Fault(name, tuple(Patch(*patch) for patch in patches), tuple(tests.split()))


def plant(wrong: Fault, tree: Path) -> None:
    """Patch the tree. Raises Rotten."""
    for patch in wrong.patches:
        path = tree / patch.file
        source = path.read_text() if path.is_file() else ""
        if source.count(patch.old) != 1:
            times = source.count(patch.old)
            raise Rotten(f"{wrong.name}: {patch.file} has {patch.old!r} {times} times, not once")
        path.write_text(source.replace(patch.old, patch.new))
