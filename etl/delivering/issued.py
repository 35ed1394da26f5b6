"""Messages of an issue of the weekly report: one for each edition, for whoever has its area."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import msgspec

from data import issues
from data.deliveries.message import Message, Place
from data.deliveries.outbox import FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.deliveries.outbox import Outbox
    from data.issues import Issue

ORANGE: Final = 3
RED: Final = 4


class _Named(msgspec.Struct):
    level: str
    code: str
    name_zh: str
    name_en: str


class _Risk(msgspec.Struct):
    colour: int


class _Counted(msgspec.Struct):
    now: int


class _Standing(msgspec.Struct):
    counted: _Counted
    now: _Risk | None = None


class _Level(msgspec.Struct):
    colours: list[int]


class _Edition(msgspec.Struct):
    """What a message needs of an edition's file."""

    place: _Named
    path: list[tuple[str, str]]
    standing: _Standing
    levels: list[_Level]


def announce(outbox: Outbox, home: Path, now: dt.datetime) -> int:
    """
    Post the messages of every issue of the last days that are not posted; how many were new.

    Whoever is killed after an issue was made and before it was told leaves that to the next one.

    Raises
    ------
    IssueError
        An edition is damaged; the issues after it were not looked at.
    """
    new = 0
    for issue in issues.issues(home):
        made_at = dt.datetime.fromisoformat(issue.created_at)
        editions = sorted(name for name in issue.files if "-" in name)
        if made_at < now - FRESH or outbox.known(f"{_key(issue)}:") >= len(editions):
            continue
        new += outbox.post_all(list(_messages(home, issue, editions, made_at)))
    return new


def _messages(
    home: Path, issue: Issue, editions: list[str], made_at: dt.datetime
) -> Iterator[Message]:
    for name in editions:
        try:
            one = msgspec.json.decode(issues.content(home, issue, name), type=_Edition)
        except msgspec.MsgspecError as error:
            raise issues.IssueError(
                f"{name} of issue {issue.week} is no edition: {error}"
            ) from None
        place = Place(
            one.place.level,
            one.place.code,
            one.place.name_zh,
            one.place.name_en or one.place.name_zh,
            tuple(f"{level}.{code}" for level, code in one.path[:-1]),
        )
        counts = {"incidents": one.standing.counted.now}
        if one.levels:
            colours = one.levels[0].colours
            counts |= {"red_areas": colours[RED], "orange_areas": colours[ORANGE]}
        yield Message(
            key=f"{_key(issue)}:{place.reference}",
            kind="issue",
            level=one.standing.now.colour if one.standing.now else 0,
            place=place,
            counts=counts,
            path=f"/weekly?week={issue.week}&version={issue.version}&area={place.reference}",
            posted_at=made_at,
        )


def _key(issue: Issue) -> str:
    return f"issue:{issue.week}:v{issue.version}"
