"""The shape of the code: import directions, file sizes, the error tree, what packages export."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import pickem
from pickem import errors

SOURCE = Path(pickem.__file__).parent
LONGEST = 400  # lines: where to look for a second file hiding in the first


def test_imports_run_one_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(SOURCE.parents[1])
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_answer_one_question(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert text.startswith('"""'), "a file says in its first lines what it answers"


@pytest.mark.parametrize("module", ["pickem.cli.main", "pickem.web.server"])
def test_only_what_computes_loads_the_heavy_libraries(module: str) -> None:
    """Nobody waits for them who asks for help, and a server does not carry them about."""
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "matplotlib"} & set(done.stdout.split())


def test_the_drawn_error_tree_is_the_real_one() -> None:
    drawn: dict[str, tuple[str, str | None]] = {}
    stack: list[str] = ["PickemError"]
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│├└─ ]+)(\w+)\s*(?:\((\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            del stack[depth:]
            drawn[match[2]] = (stack[-1], match[3])
            stack.append(match[2])
    classes = {
        n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, errors.PickemError)
    }
    real = {
        n: (c.__bases__[0].__name__, c.__bases__[1].__name__ if len(c.__bases__) > 1 else None)
        for n, c in classes.items()
        if c is not errors.PickemError
    }
    assert drawn == real


def test_an_error_says_all_four_things() -> None:
    error = errors.ConfigError("Wrong.", got=1, expected=2, todo="do")
    assert isinstance(error, ValueError)
    assert str(error).splitlines() == ["Wrong.", "  got:      1", "  expected: 2", "  to do:    do"]
    assert str(errors.ConfigError("Wrong.")) == "Wrong."


@pytest.mark.parametrize(
    ("typed", "answer"), [("vcn", "vnc"), ("Entropy", "entropy"), ("xyz", "choose one of: entropy, vnc")]
)
def test_the_nearest_names_are_suggested(typed: str, answer: str) -> None:
    assert answer in errors.nearest_names(typed, ["vnc", "entropy"])


def test_what_packages_export_is_there_and_sorted() -> None:
    for module in pkgutil.walk_packages(pickem.__path__, "pickem."):
        if not module.ispkg:
            continue
        exported = getattr(importlib.import_module(module.name), "__all__", [])
        loaded = importlib.import_module(module.name)
        assert len(set(exported)) == len(exported)
        assert all(hasattr(loaded, name) for name in exported), module.name
