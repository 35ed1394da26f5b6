"""
The facts of one edition of an issue: numbers, codes and names, no sentences and no layout.

An edition is the issue as one area gets it: the city, a county or a township. It is frozen as
JSON, and the page and every document are made from it alone, so that they hold the same numbers
to the last digit. What is not known is None, never zero.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import math

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all facts are: frozen, and written without what is at its default."""


class Place(Fact, frozen=True, kw_only=True):
    """An area."""

    level: str
    code: str
    name_zh: str
    name_en: str


class Days(Fact, frozen=True, kw_only=True):
    """A period of the report: its label and days."""

    label: str
    first: dt.date
    last: dt.date


class Range(Fact, frozen=True, kw_only=True):
    """Two bounds, both included."""

    lower: float
    upper: float

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.lower <= value <= self.upper


class Risk(Fact, frozen=True, kw_only=True):
    """
    Risk index of an area in one window; see `data.index_tables`.

    Attributes
    ----------
    colour
        0 grey, 1 lowest to 4 red.
    wanted
        Colour before it was held or marked down: where it differs, it is said why.
    is_held
        The colour is shown only because it was higher before.
    """

    status: str
    colour: int
    risk: float | None = None
    safety: float | None = None
    wanted: int = 0
    is_firm: bool = True
    stability: float | None = None
    is_small: bool = False
    is_held: bool = False
    n: int = 0
    rank_lower: int = 0
    rank_upper: int = 0
    repeat_red: int = 0
    rule_zh: str = ""
    rule_en: str = ""


class Counted(Fact, frozen=True, kw_only=True):
    """
    Incidents of one area or group in the week, beside what they are compared with.

    Attributes
    ----------
    usual
        Where nine of ten such weeks lie, from own past, season and holidays; for reported ones.
    reported
        Those that people reported, which `usual` is about.
    band
        The usual band: nine of ten such weeks, as the fifteen before lead one to expect.
    verdict
        `more` or `less` than usual where chance is unlikely, all that were tested considered;
        else `usual`; `unknown` where nothing is to compare with.
    """

    now: int
    before: int | None = None
    year: int | None = None
    reported: int | None = None
    usual: Range | None = None
    band: Range | None = None
    verdict: str = "unknown"


class Standing(Fact, frozen=True, kw_only=True):
    """An area with its index now and then, and what raises it most."""

    place: Place
    counted: Counted
    now: Risk | None = None
    before: Risk | None = None
    year: Risk | None = None
    band: Range | None = None
    """The usual band of the risk, from the fifteen windows before."""
    within: str = ""
    """Code of the area above, of the edition's next level."""
    why_zh: tuple[str, ...] = ()
    why_en: tuple[str, ...] = ()

    @property
    def colour(self) -> int:
        """Colour now; grey where nothing is known."""
        return self.now.colour if self.now else 0


class Group(Fact, frozen=True, kw_only=True):
    """A group of categories in the week."""

    name: str
    name_zh: str
    name_en: str
    counted: Counted


class Level(Fact, frozen=True, kw_only=True):
    """The areas of one level: how many have each colour (grey first), and the areas themselves."""

    level: str
    colours: tuple[int, ...]
    areas: tuple[Standing, ...] = ()
    tested: int = 0
    """Areas tested for more or less than usual."""


class Spot(Fact, frozen=True, kw_only=True):
    """A hot spot with its pattern in time: new, running, rising, lasting or receding."""

    place: Place
    pattern: str
    count: int
    history: tuple[int, ...]
    within_zh: str = ""
    within_en: str = ""


class Clock(Fact, frozen=True, kw_only=True):
    """One deadline of the edition's area as it stands."""

    name: str
    name_zh: str
    name_en: str
    started: int
    running: int
    overdue: int
    unknown: int
    soon: float | None = None
    """Expected to run over within 24 hours."""
    oldest_days: float | None = None


class Cohort(Fact, frozen=True, kw_only=True):
    """Of the incidents of a period, those resolved within thirty days."""

    week: Days
    received: int
    resolved: int
    unknown: int


class Record(Fact, frozen=True, kw_only=True):
    """What followed last week's signals of one level and colour."""

    level: str
    colour: int
    issued: int
    followed: int
    by_chance: float


class Foretold(Fact, frozen=True, kw_only=True):
    """A forecast of one week for the edition's area, and what came."""

    week: Days
    mean: float
    range: Range
    came: int | None = None
    inside: int = 0
    """Of the areas of the next level, those whose count lay in their 90 % interval."""
    of: int = 0


class Trust(Fact, frozen=True, kw_only=True):
    """How far the data of the edition can be trusted."""

    as_of: dt.date
    read: int | None = None
    accepted: int | None = None
    quarantined: int | None = None
    duplicate: int | None = None
    unplaced: float | None = None
    complete: float | None = None
    silent_zh: tuple[str, ...] = ()
    silent_en: tuple[str, ...] = ()


class CategoryChange(Fact, frozen=True, kw_only=True):
    """A category's incidents of one week, as two issues know them."""

    name_zh: str
    name_en: str
    was: int
    now: int


class Since(Fact, frozen=True, kw_only=True):
    """
    What became known of the last issue's week since it was issued.

    Attributes
    ----------
    was, now
        Incidents of that week, then and now; the difference came late or was withdrawn.
    reclassified
        At least so many stand under another category now.
    recoloured
        Areas of the next level whose colour of that week is another now.
    """

    week: str
    was: int
    now: int
    reclassified: int
    categories: tuple[CategoryChange, ...] = ()
    more_categories: int = 0
    recoloured: int = 0
    has_other_boundaries: bool = False
    has_other_settings: bool = False
    has_other_program: bool = False


class Step(Fact, frozen=True, kw_only=True):
    """Who acts on a colour, and until when."""

    colour: int
    name_zh: str
    name_en: str
    due: dt.date | None = None


class Palette(Fact, frozen=True, kw_only=True):
    """Names and tints of the colours 1 to 4, and the risk at which each begins."""

    names_zh: tuple[str, ...]
    names_en: tuple[str, ...]
    tints: tuple[str, ...]
    edges: tuple[float, ...]


class Edition(Fact, frozen=True, kw_only=True):
    """The issue as one area gets it."""

    place: Place
    path: tuple[tuple[str, str], ...]
    """Level and code of the areas from the city down to this one: who may read it."""
    week: Days
    before: Days
    year: Days
    standing: Standing
    groups: tuple[Group, ...]
    levels: tuple[Level, ...]
    spots: tuple[Spot, ...] = ()
    spot_counts: dict[str, int] = {}
    clocks: tuple[Clock, ...] = ()
    cohort: Cohort | None = None
    records: tuple[Record, ...] = ()
    foretold: Foretold | None = None
    ahead: Foretold | None = None
    since: Since | None = None
    trust: Trust
    palette: Palette | None = None
    duties: tuple[Step, ...] = ()
    city_zh: str = ""
    city_en: str = ""
    notice_zh: str = ""
    notice_en: str = ""
    exposure_zh: str = ""
    exposure_en: str = ""
    snapshot: str = ""

    def level(self, name: str) -> Level | None:
        """Areas of a level; None where the edition has none."""
        return next((one for one in self.levels if one.level == name), None)


def known(value: float | None) -> float | None:
    """A stored figure; what is not a number is not known."""
    return None if value is None or math.isnan(value) else float(value)


def to_json(fact: Fact) -> bytes:
    """As it is frozen."""
    return msgspec.json.encode(fact)


def edition_from(content: bytes) -> Edition:
    """
    Read a frozen edition.

    Raises
    ------
    msgspec.ValidationError
        It is none, or one of another version of this module.
    """
    return msgspec.json.decode(content, type=Edition)
