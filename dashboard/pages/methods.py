"""How every figure is made: the methods page, in two languages, from the texts in the package."""

from __future__ import annotations

import functools
import importlib.resources
from typing import TYPE_CHECKING, Final, NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboard import audited
from dashboard.pages import render

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext

SECTIONS: Final = (
    "counts", "hours", "expected", "rates", "index", "hotspots", "signals", "forecast", "clocks",
    "effects", "origin", "protected",
)  # fmt: skip
"""Parts of the page in their order; each is a text per language and an anchor."""


class Section(NamedTuple):
    """One method: its anchor, its title and its text as HTML."""

    name: str
    title: str
    text: Markup


@functools.cache
def sections(language: str) -> tuple[Section, ...]:
    """Every method in a language; the first line of each text is its title."""
    # HTML in the texts stays text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    found = []
    for name in SECTIONS:
        title, _, text = source(name, language).partition("\n")
        drawn = markdown.render(text)
        shown = Markup(drawn)  # noqa: S704  # nosec B704  # our own text - no HTML in it
        found.append(Section(name, title.lstrip("# "), shown))
    return tuple(found)


def source(name: str, language: str) -> str:
    """Markdown of one part."""
    folder = importlib.resources.files("dashboard") / "methods"
    return (folder / f"{name}.{language}.md").read_text(encoding="utf-8")


def show(context: PageContext) -> Response:
    """Show all of it; the address may name a part."""
    audited.describe("view", "/methods")
    return render.page(
        context,
        "methods.html",
        title=render.words()("methods_title"),
        sections=sections(render.language()),
    )
