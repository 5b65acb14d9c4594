"""The pieces of HTML that the page is put together from. Text given to them is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from pickem.benchmark.report.style import RenderedFigure, inline_svg
from pickem.benchmark.report.tables import Row, Table


def paragraph(text: str, css_class: str = "") -> str:
    """A paragraph of text."""
    return f"<p{_class(css_class)}>{escape(text)}</p>"


def section(title: str, *parts: str) -> str:
    """A heading and what follows it; nothing where there is nothing to follow."""
    content = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>" if content else ""


def notice(lines: Iterable[str]) -> str:
    """A box that cannot be overlooked; nothing without lines."""
    content = "".join(paragraph(line) for line in lines)
    return f'<aside class="notice">{content}</aside>' if content else ""


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def folded(title: str, content: str) -> str:
    """What only some readers want to see, closed at first."""
    return f"<details><summary>{escape(title)}</summary>\n{content}\n</details>"


def definitions(pairs: Mapping[str, object]) -> str:
    """Names and values."""
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in pairs.items())
    return f"<dl>{''.join(rows)}</dl>"


def figure(rendered: RenderedFigure | None, label: str, caption: str) -> str:
    """A figure inline, with links to its files; nothing where it was not drawn."""
    if rendered is None:
        return ""
    files = f'<a href="{rendered.name}.png">PNG</a> <a href="{rendered.name}.svg">SVG</a>'
    return (
        f'<figure id="{rendered.name}">\n{inline_svg(rendered, escape(label))}\n'
        f"<figcaption><strong>{escape(label)}.</strong> {escape(caption)} {files}</figcaption>\n</figure>"
    )


def table(content: Table | None) -> str:
    """A table that scrolls in itself where the screen is narrower; nothing for None."""
    if content is None:
        return ""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in content.head)
    body = "\n".join(_row(row) for row in content.rows)
    # The caption stands outside, or it would scroll away with the table.
    return (
        f"{paragraph(content.caption, 'caption')}\n"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(content.caption)}">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _row(row: Row) -> str:
    classes = ["sure" if i in row.bold else "" for i in range(len(row.cells))]
    cells = "".join(
        f"<td{_class(name)}>{escape(cell)}</td>" for name, cell in zip(classes, row.cells, strict=True)
    )
    line = _class("reference" if row.reference else "")
    return f'<tr{line}><th scope="row">{escape(row.name)}</th>{cells}</tr>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
