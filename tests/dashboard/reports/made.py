"""An issue of one edition made by hand: four square counties in a row of two and two."""

import datetime as dt

import msgspec

from dashboard.reports import facts, making
from dashboard.reports.outlines import Outlines
from data import issues

SNAPSHOT = "20261116T010000Z-0a1b2c3d"
WEEK = "2026-W46"
CREATED = dt.datetime(2026, 11, 16, 1, 30, tzinfo=dt.UTC)
CITY = facts.Place(level="city", code="990100", name_zh="方格市", name_en="Squares")
TINTS = ("#3b75af", "#f2c94c", "#f2994a", "#d64545")
NAMES = (
    ("990101", "东岭县", "Dongling County"),
    ("990102", "西渠区", "Xiqu District"),
    ("990103", "=1+1县", "=1+1 County"),
    ("990104", "<b>#*_&县", "<b>#*_& County"),
)
NOW = (4, 3, 1, 0)
BEFORE = (2, 3, 1, 1)
RISKS = (31.25, 22.5, 7.45, None)
"""Of the counties; the first and the third are halves, which programs round differently."""

HEAD = making.Head(
    title_zh="平安风险周报",
    title_en="Weekly risk report",
    publisher_zh="平安办",
    publisher_en="Safety office",
    copies_zh="市委办、市政府办",
    copies_en="Offices of committee and government",
)


def days(number):
    first = dt.date.fromisocalendar(2026, number, 1)
    return facts.Days(label=f"2026-W{number:02d}", first=first, last=first + dt.timedelta(days=6))


def risk(colour, value, **more):
    if value is None:
        return facts.Risk(status="source_silent", colour=0)
    return facts.Risk(status="valid", colour=colour, risk=value, safety=100 - value, **more)


def standing(at):
    code, name_zh, name_en = NAMES[at]
    return facts.Standing(
        place=facts.Place(level="county", code=code, name_zh=name_zh, name_en=name_en),
        counted=facts.Counted(
            now=1234 - at, before=0 if at == 2 else 1100, year=None, reported=1200,
            usual=facts.Range(lower=1000, upper=1180), verdict="more" if at == 0 else "usual",
        ),
        now=risk(NOW[at], RISKS[at], rank_lower=at + 1, rank_upper=at + 2, is_held=at == 1),
        before=risk(BEFORE[at], RISKS[at] or 5.5),
        why_zh=("-治安类警情：29（往期应为 18.29）",),
        why_en=("-Public order calls: 29 (18.29 expected)",),
    )  # fmt: skip


def edition():
    counties = tuple(standing(at) for at in range(len(NAMES)))
    return facts.Edition(
        place=CITY,
        path=(("city", CITY.code),),
        week=days(46),
        before=days(45),
        year=days(47),
        standing=facts.Standing(
            place=CITY,
            counted=facts.Counted(
                now=12345, before=12000, year=11000, reported=12001,
                usual=facts.Range(lower=11800, upper=12300), band=facts.Range(lower=11500, upper=12500),
                verdict="more",
            ),
            now=risk(1, 11.65),
            before=risk(1, 11.95),
            band=facts.Range(lower=11.2, upper=14.9),
            why_zh=("未销隐患：495", "治安类警情：148"),
            why_en=("Open hazards: 495", "Public order calls: 148"),
        ),
        groups=(
            facts.Group(name="calls", name_zh="治安警情", name_en="Police calls", counted=counties[0].counted),
            facts.Group(name="sum", name_zh="@SUM(A1)", name_en="@SUM(A1)", counted=counties[2].counted),
        ),
        levels=(facts.Level(level="county", colours=(1, 1, 0, 1, 1), areas=counties, tested=4),),
        spot_counts={"new": 1},
        spots=(facts.Spot(place=counties[0].place, pattern="new", count=62, history=(1, 0)),),
        clocks=(
            facts.Clock(name="sign", name_zh="签收", name_en="Sign for", started=20, running=1191,
                        overdue=2416, unknown=14057, soon=27.05, oldest_days=724.5),
            facts.Clock(name="file", name_zh="归档", name_en="Archive", started=20, running=3, overdue=0, unknown=7),
        ),
        cohort=facts.Cohort(week=days(41), received=1858, resolved=1819, unknown=1154),
        records=(facts.Record(level="county", colour=3, issued=2, followed=1, by_chance=0.55),),
        ahead=facts.Foretold(week=days(47), mean=2783.4, range=facts.Range(lower=2637, upper=2931)),
        since=facts.Since(week="2026-W45", was=3083, now=3090, reclassified=2),
        trust=facts.Trust(as_of=dt.date(2026, 11, 15), read=307319, accepted=302412, quarantined=3384,
                          duplicate=1523, unplaced=0.012, complete=0.972),
        palette=facts.Palette(
            names_zh=("蓝", "黄", "橙", "红"), names_en=("blue", "yellow", "orange", "red"), tints=TINTS,
            edges=(10.0, 20.0, 30.0),
        ),
        duties=(facts.Step(colour=4, name_zh="常委会", name_en="Committee", due=dt.date(2026, 11, 18)),),
        city_zh=CITY.name_zh,
        city_en=CITY.name_en,
        notice_zh="审图号：方S（2026）001号",
        notice_en="Map review FS (2026) 001",
        snapshot=SNAPSHOT,
    )  # fmt: skip


def square(column, row, *, width=1000):
    """Ring of a square, y downwards."""
    left, top = column * 1000, row * 1000
    right, low = left + width, top + width
    return [left, top, right, top, right, low, left, low, left, top]


def outlines():
    """The four counties, from the upper left to the lower right."""
    rings = {code: [square(at % 2, at // 2)] for at, (code, _, _) in enumerate(NAMES)}
    return Outlines(metres=10.0, levels={"county": rings})


def put(home, *, template=b"", reason=""):
    """Issue the edition in a home; with a reason as a correction."""
    files = {
        making.HEAD: msgspec.json.encode(HEAD),
        making.OUTLINES: msgspec.json.encode(outlines()),
        making.name_of("city", CITY.code): facts.to_json(edition()),
        **({"report.docx": template} if template else {}),
    }
    return issues.put(
        home, WEEK, files, snapshot=SNAPSHOT, frozen="f", by="test", reason=reason, now=CREATED
    )
