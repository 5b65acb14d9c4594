"""Write docs/reference/cli.md from the command line itself; a test fails when the file lags behind.

python docs/generate_cli_reference.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.core import TyperCommand, TyperGroup

from pickem.cli.main import app

TARGET = Path(__file__).parent / "reference" / "cli.md"
HEAD = """# Command line

Made from the commands' own help by `docs/generate_cli_reference.py`; do not edit.

Exit codes: 0 done, 1 a defect of pickem (please report it), 2 bad input (the message says what to do),
130 interrupted with Ctrl-C.
"""


def reference() -> str:
    """The page, as Markdown."""
    command = typer.main.get_command(app)
    return "\n".join([HEAD, *_sections(command, "pickem")])


def _sections(command: TyperCommand | TyperGroup, path: str) -> Iterator[str]:
    yield f"## `{path}`\n\n{(command.help or '').strip()}\n"
    rows = list(_rows(command, path))
    if rows:
        yield "| | default | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    for name, subcommand in sorted(getattr(command, "commands", {}).items()):
        yield from _sections(subcommand, f"{path} {name}")


def _rows(command: TyperCommand | TyperGroup, path: str) -> Iterator[str]:
    context = command.make_context(path, [], resilient_parsing=True)
    for parameter in command.get_params(context):
        names = " ".join((*parameter.opts, *parameter.secondary_opts))
        if parameter.param_type_name == "argument":
            names = parameter.metavar or (parameter.name or "").upper()
        default = "required" if parameter.required else parameter.default
        shown = "" if default in (None, False, "") or callable(default) else f"{default}"
        text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
        yield f"| `{names}` | {shown} | {text} |"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"written: {TARGET}")
