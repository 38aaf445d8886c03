"""The house rules that no linter knows (DESIGN §7). A tolerated breach may shrink, never grow."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "app").rglob("*.py"))

FILE_LINES = 300
FUNCTION_LINES = 60

# Named with the size they may have: whoever adds one explains it.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {
    "app/cli/order.py::order": 102,  # One option of the command line a line.
}

SHAPELESS = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def over(found: dict[str, int], tolerated: dict[str, int], limit: int) -> list[str]:
    """What is longer than it may be, and what is tolerated without need."""
    wrong = [
        f"{name}: {lines} lines, {tolerated.get(name, limit)} allowed"
        for name, lines in found.items()
        if lines > tolerated.get(name, limit)
    ]
    needless = [name for name in tolerated if found.get(name, 0) <= limit]
    return wrong + [f"{name}: is short enough, strike it from the list" for name in needless]


def test_no_file_is_long() -> None:
    found = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert over(found, LONG_FILES, FILE_LINES) == []


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name_of(path)}::{node.name}", node.end_lineno - node.lineno + 1


def test_no_function_is_long() -> None:
    found: dict[str, int] = {}
    for path in SOURCES:
        for name, lines in functions(path):
            found[name] = max(lines, found.get(name, 0))
    assert over(found, LONG_FUNCTIONS, FUNCTION_LINES) == []


def test_every_module_is_named_for_what_it_does() -> None:
    parts = {name_of(p): {p.stem, *p.relative_to(ROOT).parent.parts} for p in SOURCES}
    assert [name for name, words in parts.items() if words & SHAPELESS] == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    assert [name_of(path) for path in SOURCES if later.search(path.read_text())] == []


MUTABLE_DISPLAYS = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
MUTABLE_CALLS = {"dict", "list", "set", "defaultdict", "deque", "OrderedDict", "Counter"}


def mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        called = value.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
        return name in MUTABLE_CALLS
    return isinstance(value, MUTABLE_DISPLAYS)


def state(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of what a module means to change.

    A table in capitals is a constant by agreement; a collection under a lower-case name, or a
    `global` statement anywhere, is state. `__all__` is what Python wants it to be.
    """
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and mutable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            yield from ((node.lineno, n) for n in names if n != "__all__" and not n.isupper())
    for inner in ast.walk(module):
        if isinstance(inner, ast.Global):
            yield inner.lineno, f"global {', '.join(inner.names)}"


def test_no_module_keeps_state() -> None:
    found = [f"{name_of(p)}:{line} {what}" for p in SOURCES for line, what in state(tree(p))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("cache = {}", True),
        ("_seen: set[str] = set()", True),
        ("import collections\nlast = collections.deque()", True),
        ("def f():\n    global x\n    x = 1", True),
        ("TABLE = {'a': 1}", False),
        ("_TABLE: dict[str, int] = {}", False),
        ("__all__ = ['a']", False),
        ("log = get_logger()", False),
        ("names = ('a', 'b')", False),
        ("def f():\n    seen = set()", False),
    ],
)
def test_the_rule_on_state_sees_what_it_should(source: str, caught: bool) -> None:
    assert bool(list(state(ast.parse(source)))) is caught


# Settings.


def variables() -> Iterator[tuple[str, str, Any]]:
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = alias if isinstance(alias, str) else f"SLIPSTREAM_{name.upper()}"
        yield variable, field.description or "", field.default


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def env_example() -> str:
    """The rule of `.env.example`: every variable of the settings, in their order, under its
    description, commented out, with its default; nothing behind the `=` means: none."""
    head = (
        "# Copy to .env and take the # from what you change. Each line shows its default.\n"
        "# Made from app/settings: python -m tests.test_house > .env.example\n"
    )
    entries = (f"\n# {doc}\n# {name}={as_text(value)}\n" for name, doc, value in variables())
    return head + "".join(entries)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, doc, _ in variables() if not doc] == []


def test_the_example_names_every_setting_with_its_default() -> None:
    written = (ROOT / ".env.example").read_text()
    assert written == env_example(), "run: python -m tests.test_house > .env.example"


def test_the_example_can_be_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in variables():
        monkeypatch.delenv(name, raising=False)
    lines = re.findall(r"^# ([A-Z_]+=.+)$", env_example(), re.MULTILINE)
    assert len(lines) > 10
    env = tmp_path / ".env"
    env.write_text("\n".join(lines))
    assert Settings(_env_file=env) == Settings(_env_file=None)


# What is in the repository.


@cache
def repository() -> list[Path]:
    """Every text file that is tracked, or will be."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs the git repository")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


MACHINE = re.compile(r"(?<![\w.$}~-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+)/")
INDEX = re.compile(
    r"(?<!no-emit)-(?:-extra)?-?index-ur" + r"l|trusted-ho" + r"st|/simp" + r"le/?(?:\s|\"|'|$)"
    r"|python" + r"hosted\.org|py" + r"pi\.org"
)


@pytest.mark.parametrize("pattern", [MACHINE, INDEX], ids=["machine", "index"])
def test_the_repository_knows_no_machine_and_no_package_index(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name_of(path)}:{number} {line.strip()[:80]}"
        for path in repository()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_patterns_see_what_they_should() -> None:
    slash = "/"
    for text in ("wo" + "rk/main", "ro" + "ot/.cache", "ho" + "me/ann/x"):
        assert MACHINE.search(f'"{slash}{text}"')
        assert MACHINE.search(f"cd {slash}{text}")
    for text in ("https://example.com/wo" + "rk/", "$HO" + "ME/x", "app/wo" + "rk/"):
        assert not MACHINE.search(text)
    assert INDEX.search("--index-ur" + "l https://mirror")
    assert INDEX.search("https://mirror.local/simp" + "le/")
    assert not INDEX.search("uv pip compile --no-emit-index-ur" + "l")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", line), line[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line[:60]


def test_the_development_lock_holds_the_runtime_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[A-Za-z0-9._-]+==[^\s;\\]+", (ROOT / name).read_text(), re.M))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


if __name__ == "__main__":
    sys.stdout.write(env_example())
