"""A small issued week: a city of two counties and a township, each with an edition of its own."""

import datetime as dt

import msgspec

from dashboard.reports import facts, making
from dashboard.reports.outlines import Outlines
from data import issues

NOW = dt.datetime(2026, 11, 15, 23, 30, tzinfo=dt.UTC)
"""In the city it is Monday already."""

WEEK, BEFORE = "2026-W46", "2026-W45"
PATHS = {
    ("city", "990100"): (("city", "990100"),),
    ("county", "9901001"): (("city", "990100"), ("county", "9901001")),
    ("county", "9901002"): (("city", "990100"), ("county", "9901002")),
    ("township", "990100101"): (
        ("city", "990100"), ("county", "9901001"), ("township", "990100101"),
    ),
}  # fmt: skip
NAMES = {
    "990100": ("试验市", "Test City"),
    "9901001": ("东区", "East"),
    "9901002": ("西区", "West"),
    "990100101": ("东门街道", "East Gate"),
    "990100101001": ("一社区", "First Community"),
    "990100101002": ("二社区", "Second Community"),
}
BELOW = {
    "990100": ("county", ("9901001", "9901002")),
    "9901001": ("township", ("990100101",)),
    "9901002": ("township", ()),
    "990100101": ("community", ("990100101001", "990100101002")),
}
HEAD = making.Head(
    title_zh="平安风险周报",
    title_en="Weekly risk report",
    publisher_zh="平安办",
    publisher_en="Safety office",
    copies_zh="市委办",
    copies_en="City hall",
)


def place(level, code, names=NAMES):
    return facts.Place(level=level, code=code, name_zh=names[code][0], name_en=names[code][1])


def days(label, first):
    return facts.Days(label=label, first=first, last=first + dt.timedelta(days=6))


def standing(level, code, *, colour=1, count=10, names=NAMES, why="欠薪：5"):
    risk = facts.Risk(status="ok", colour=colour, risk=20.0, safety=80.0, n=5)
    before = msgspec.structs.replace(risk, colour=1, safety=81.0)
    counted = facts.Counted(now=count, before=8, year=5, reported=count, verdict="usual")
    return facts.Standing(
        place=place(level, code, names), counted=counted, now=risk, before=before,
        why_zh=(why,), why_en=(why,),
    )  # fmt: skip


def edition(level, code, *, week=WEEK, count=1234, colour=4, names=NAMES, why="欠薪：5"):
    below, codes = BELOW[code]
    areas = tuple(
        standing(below, one, colour=colour if at == 0 else 1, names=names, why=why)
        for at, one in enumerate(codes)
    )
    colours = [0] * 5
    for one in areas:
        colours[one.colour] += 1
    first = dt.date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)
    return facts.Edition(
        place=place(level, code, names),
        path=PATHS[level, code],
        week=days(week, first),
        before=days("2026-W45", first - dt.timedelta(days=7)),
        year=days("2025-W46", first - dt.timedelta(days=364)),
        standing=standing(level, code, count=count, names=names, why=why),
        groups=(),
        levels=(facts.Level(level=below, colours=tuple(colours), areas=areas, tested=len(areas)),),
        trust=facts.Trust(as_of=first + dt.timedelta(days=6)),
        palette=facts.Palette(
            names_zh=("蓝", "黄", "橙", "红"),
            names_en=("blue", "yellow", "orange", "red"),
            tints=("#86b6e4", "#f4d264", "#f0964a", "#dc5049"),
            edges=(10.0, 20.0, 30.0),
        ),
        duties=(facts.Step(colour=4, name_zh="常委会", name_en="Committee", due=first),),
        notice_zh="演示数据",
        notice_en="Demonstration",
        snapshot="20261116T000000Z-0badcafe",
    )


def square(left, top, side=100):
    right, bottom = left + side, top + side
    return [left, top, right, top, right, bottom, left, bottom, left, top]


def outlines():
    return Outlines(
        metres=1.0,
        levels={
            "county": {"9901001": [square(0, 0)], "9901002": [square(100, 0)]},
            "township": {"990100101": [square(0, 0)]},
            "community": {
                "990100101001": [square(0, 0, 50)],
                "990100101002": [square(50, 0, 50)],
            },
        },
    )


def issue(home, week=WEEK, *, reason="", **told):
    """Issue a week; `told` is what its editions tell otherwise."""
    files = {
        making.HEAD: msgspec.json.encode(HEAD),
        making.OUTLINES: msgspec.json.encode(outlines()),
    }
    for level, code in PATHS:
        made = edition(level, code, week=week, **told)
        files[making.name_of(level, code)] = facts.to_json(made)
    return issues.put(
        home, week, files, snapshot="20261116T000000Z-0badcafe", frozen="w", by="x",
        reason=reason, now=NOW,
    )  # fmt: skip
