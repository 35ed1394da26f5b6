"""The weekly report as a page: one edition of one frozen issue, readable in a minute."""

from __future__ import annotations

import functools
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render, weekly_links
from dashboard.pages.weekly_map import drawing
from dashboard.reports import making, reading
from dashboard.reports.differences import differences
from dashboard.reports.document import Heading, Maps, Table
from data import issues
from data.access import NotVisibleError, decide
from data.issues import IssueError
from data.manifest import SnapshotError
from data.periods import label

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.pages.weekly_map import Drawing
    from dashboard.reports.differences import Difference
    from dashboard.reports.document import Block, Document
    from dashboard.reports.facts import Edition
    from data.access import Scope
    from data.issues import Issue

log = logging.getLogger("dashboard")

MOST_DIFFERENCES: Final = 12
"""Figures of a correction that the page lists; the workbooks of both versions have all."""

NARROWEST: Final = 0.9
"""Least share of a column of words."""

MOST_DRAWN: Final = 64
"""Drawings that are kept; each is some tens of kilobytes."""

_Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Opened:
    """
    What an address opens.

    Attributes
    ----------
    known
        Every issue, the newest first.
    """

    issue: Issue
    edition: Edition
    known: tuple[Issue, ...]

    @property
    def area(self) -> str:
        """The edition's area as addresses name it."""
        return f"{self.edition.place.level}.{self.edition.place.code}"


@dataclass(frozen=True)
class Part:
    """One part of the report: its heading, its blocks by kind, where it goes on."""

    name: str
    title: str
    blocks: tuple[tuple[str, Block], ...]
    live: str
    method: str


def show(context: PageContext) -> Response:
    """Show the edition that the address names, else the reader's own of the newest issue."""
    audited.describe("view", "/weekly")
    scope, home = current_scope(), context.settings.home
    try:
        known = issues.issues(home)
        _check_sound(home, known)
        if not known:
            return _empty(context, "weekly_none", command=_command(context))
        opened = open_edition(scope, home, known)
        if opened is None:
            return _empty(context, "weekly_not_yours")
        audited.describe("view", "/weekly", told_of(opened))
        return _report(context, scope, opened)
    except NotVisibleError:
        abort(404)
    except IssueError as error:
        return damaged(context, error)


def _check_sound(home: Path, known: list[Issue]) -> None:
    """
    Refuse a week that is asked for, or is the newest, and of which an issue cannot be read.

    Raises
    ------
    IssueError
        There is one: an older week is never shown in its place.
    """
    broken = issues.damaged(home)
    newest = max([*broken, *(one.week for one in known)], default="")
    if said := broken.get(request.args.get("week", "") or newest):
        raise IssueError(said)


def open_edition(scope: Scope, home: Path, known: list[Issue]) -> Opened | None:
    """
    Open what the address names.

    Returns
    -------
    opened
        None where the address names no area and the issue has no edition of the scope's own.

    Raises
    ------
    NotVisibleError
        There is no such issue or edition, or the scope does not cover it.
    IssueError
        It is damaged.
    """
    issue = _issue(known, request.args.get("week", ""), request.args.get("version", ""))
    if area := request.args.get("area", ""):
        level, code = reading.find(issue, area)
    elif own := reading.editions(scope, issue):
        level, code = own[0]
    else:
        return None
    return Opened(issue, reading.edition(scope, home, issue, level, code), tuple(known))


def damaged(context: PageContext, error: Exception) -> Response:
    """Say that an issue cannot be read; which file it is stands in the log."""
    number = secrets.token_hex(4)
    log.error("an issue cannot be read, number %s: %s", number, error)
    return _empty(context, "weekly_damaged", status=503, number=number)


def told_of(opened: Opened) -> str:
    """Which edition it is, for the audit."""
    return f"{opened.area} {opened.issue.week} version {opened.issue.version}"


def _issue(known: list[Issue], week: str, version: str) -> Issue:
    """The issue of a week, its newest version unless one is named; the newest of all by default."""
    for one in known:
        if week in ("", one.week) and version in ("", str(one.version)):
            return one
    raise NotVisibleError("no such issue")


def _report(context: PageContext, scope: Scope, opened: Opened) -> Response:
    home, lang = context.settings.home, render.language()
    issue, edition = opened.issue, opened.edition
    document = reading.document(home, issue, edition, lang=lang)
    maps = next((one for one in document.blocks if isinstance(one, Maps)), None)
    return render.page(
        context,
        "weekly.html",
        title=f"{document.title} {document.number}",
        document=document,
        version=issue.version,
        parts=parts(opened, document),
        pick=weekly_links.pickers(scope, home, opened),
        map=_drawn(home, issue, maps) if maps else None,
        areas=weekly_links.areas(opened, maps) if maps else {},
        changes=_changes(scope, home, opened, document),
        most=MOST_DIFFERENCES,
        newer=weekly_links.newer(opened),
        may_take=decide(scope, "export").is_allowed,
        letters=weekly_links.letters(scope, opened),
        paper=_css_text(document.foot),
        shares=shares,
    )


def parts(opened: Opened, document: Document) -> list[Part]:
    """Blocks of the page under their headings; what is for the workbook stays out."""
    found: list[tuple[str, list[tuple[str, Block]]]] = []
    for block in document.blocks:
        if isinstance(block, Heading):
            found.append((block.text, []))
        elif not (isinstance(block, Table) and block.is_appendix):
            found[-1][1].append((type(block).__name__.lower(), block))
    return [
        Part(
            name,
            title,
            tuple(blocks),
            live=weekly_links.live(path, opened),
            method=f"{render.address('methods')}#{anchor}",
        )
        for (name, path, anchor), (title, blocks) in zip(weekly_links.PARTS, found, strict=True)
    ]


def shares(table: Table) -> list[float]:
    """Widths of a table's columns in per cent; a word needs more than a figure."""
    widths = [
        column.width if column.is_number else max(column.width, NARROWEST)
        for column in table.columns
    ]
    return [100 * width / sum(widths) for width in widths]


def _drawn(home: Path, issue: Issue, maps: Maps) -> Drawing | None:
    digest = issue.files.get(making.OUTLINES, "")
    now, names = tuple(maps.now.items()), tuple(maps.names.items())
    return _drawn_once(home, issue.week, issue.version, digest, (maps.level, now, names))


@functools.lru_cache(maxsize=MOST_DRAWN)
def _drawn_once(
    home: Path, week: str, version: int, _digest: str, told: tuple[str, _Pairs, _Pairs]
) -> Drawing | None:
    """Draw once what the same outlines, areas, colours and names make: it never changes."""
    level, now, names = told
    try:
        outlines = making.read_outlines(home, issues.issue(home, week, version))
    except msgspec.ValidationError as error:
        raise IssueError(f"the outlines of issue {week} are none: {error}") from None
    return drawing(outlines, level, dict(now), dict(names))


def _changes(
    scope: Scope, home: Path, opened: Opened, document: Document
) -> list[Difference] | None:
    """What differs from the version before; None where it cannot be compared."""
    issue, place = opened.issue, opened.edition.place
    before = next(
        (one for one in opened.known if one.week == issue.week and one.version < issue.version),
        None,
    )
    if before is None:
        return None
    try:
        old = reading.edition(scope, home, before, place.level, place.code)
        return differences(reading.document(home, before, old, lang=document.lang), document)
    except (NotVisibleError, IssueError):
        return None


def _command(context: PageContext) -> str:
    """What makes the first issue, with the newest week that is counted."""
    week = "2026-W46"
    try:
        manifest = context.store.current().manifest
        week = label(manifest.last_period, grain=manifest.grain)
    except (SnapshotError, AttributeError):
        pass
    return f"pingan report issue --week {week}"


def _empty(
    context: PageContext, key: str, *, status: int = 200, command: str = "", **said: Any
) -> Response:
    told = render.words()
    return render.page(
        context,
        "weekly_empty.html",
        status=status,
        title=told("weekly_title"),
        text=told(key, **said),
        command=command,
    )


def _css_text(lines: tuple[str, ...]) -> str:
    """Lines as the inside of a string of a style sheet: nothing but letters stays as it is."""
    text = "    ".join(lines)
    return "".join(char if char.isalnum() else f"\\{ord(char):x} " for char in text)
