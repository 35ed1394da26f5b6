"""The situation map as a value: areas, borders, hot spots and names, cached by snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import assessment
from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache_of_few
from dashboard.map.measures_analysed import PALETTES
from dashboard.phone.own import last_day
from dashboard.situation import hot, names, shaping
from dashboard.situation.sheet import PAGE, UNIT, Frame, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboard.situation.names import Place
    from dashboard.situation.shaping import Piece, Shaped
    from dashboard.text import Words
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot
    from data.warnings.kinds import OpenCount

MARGIN: Final = 0.035
"""Round the focus, in parts of its size."""

GREY: Final = "var(--no-data)"


@dataclass(frozen=True)
class DrawnArea:
    """
    One area of the level under the focus.

    Attributes
    ----------
    reference
        `level.code`, as addresses name it.
    colour, index
        Of the newest period: 0 grey to 4 red; the safety index, None = there is none.
    path, pieces
        Its outline; what is coloured in it: itself, or the areas of the next level.
    wide, compact
        Where its name stands on a large map and on a phone; None = no room.
    warned, worst
        Open warnings in it and their highest colour, 1 to 4, 0 = none; None = not asked for.
    href
        Where a click leads.
    """

    code: str
    reference: str
    name: str
    colour: int
    index: float | None
    path: str
    pieces: tuple[Piece, ...]
    wide: Place | None
    compact: Place | None
    warned: int | None = None
    worst: int = 0
    href: str | None = None


@dataclass(frozen=True)
class SituationMap:
    """
    A drawing; all lengths are units, `sheet.metres` Web Mercator metres each.

    Attributes
    ----------
    level
        Of the areas; "" where the focus has none below.
    text, compact
        Height of names on a large map and on a phone; `compact` is 0 where it is for no phone.
    focus
        Outline of the focus.
    around
        Outlines beside it.
    spots
        Where more happened than expected, the strongest first.
    palette, names
        CSS colours of grey and the four bands; names of the four, empty without an analysis.
    counts
        Coloured outlines of each colour, grey first.
    is_fine
        The colours are those of `level_coloured`, under the named areas.
    """

    sheet: Sheet
    level: str
    level_coloured: str
    text: int
    compact: int
    focus: str
    around: tuple[str, ...]
    areas: tuple[DrawnArea, ...]
    spots: tuple[hot.Spot, ...]
    palette: tuple[str, ...]
    names: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def is_fine(self) -> bool:
        """Whether more is coloured than named."""
        return self.level_coloured != self.level


def situation_map(
    scope: Scope,
    snapshot: Snapshot,
    focus: Area,
    words: Words,
    *,
    frame: Frame = PAGE,
    is_fine: bool = False,
    warnings: Mapping[str, OpenCount] | None = None,
    href: Callable[[str], str | None] | None = None,
) -> SituationMap | None:
    """
    Draw the focus; None where nobody drew its boundary.

    Everything but warnings and links is cached by snapshot and scope: call it at every request.

    Parameters
    ----------
    frame
        `PAGE` for a page that a phone opens too, `WALL` for a wall; or another room.
    is_fine
        Colour the areas of one level further down, under the borders and names of the next one.
    warnings
        Open warnings by code of the areas under the focus, of
        `Warnings.by_area(scope, map_level(scope, snapshot, focus))`; None = they are not shown.
    href
        From the reference of an area (`level.code`) to where a click on it leads; None = nowhere.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    hierarchy(scope, snapshot).check(focus)
    drawn = _drawn(scope, snapshot, focus, words.lang, frame, is_fine)
    if drawn is None or (warnings is None and href is None):
        return drawn
    return replace(drawn, areas=tuple(_with(one, warnings, href) for one in drawn.areas))


def map_level(scope: Scope, snapshot: Snapshot, focus: Area) -> str:
    """
    Level of the areas that a map of the focus names: the next one that has any; "" at the lowest.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    day = last_day(snapshot)
    for level in tree.below(focus.level):
        if (tree.inside(level, focus) & tree.at(level).valid_on(day)).any():
            return level
    return ""


def band_colours(settings: ShownSettings | None) -> tuple[str, ...]:
    """CSS colours of grey and the four bands, as everywhere in the product."""
    if settings is None:
        return (GREY,) * 5
    palette = settings.index.palette
    shipped = PALETTES.get(palette.name)
    tints = tuple(f"var(--index-{name})" for name in shipped) if shipped else palette.tints
    return (GREY, *tints)


def _with(
    one: DrawnArea,
    warnings: Mapping[str, OpenCount] | None,
    href: Callable[[str], str | None] | None,
) -> DrawnArea:
    changed: dict[str, Any] = {"href": href(one.reference) if href else None}
    if warnings is not None:
        found = warnings.get(one.code)
        changed |= {"warned": found.total if found else 0, "worst": found.colour if found else 0}
    return replace(one, **changed)


@scoped_cache_of_few
def _drawn(  # noqa: PLR0917 - what the cache tells apart
    scope: Scope, snapshot: Snapshot, focus: Area, lang: str, frame: Frame, is_fine: bool
) -> SituationMap | None:
    own = shaping.outline(scope, snapshot, focus)
    if own is None:
        return None
    sheet = Sheet.round(own.bounds, frame, margin=MARGIN)
    level = map_level(scope, snapshot, focus)
    fine = shaping.finer(scope, snapshot, focus, level) if is_fine and level else ""
    found = shaping.shaped(scope, snapshot, focus, (level, fine), sheet) if level else []
    settings = assessment.settings(scope, snapshot)
    pieces = [piece.colour for one in found for piece in one.pieces]
    return SituationMap(
        sheet=sheet,
        level=level,
        level_coloured=fine or level,
        text=UNIT * frame.text,
        compact=UNIT * frame.compact,
        focus=sheet.path(own),
        around=shaping.around(scope, snapshot, focus, own, sheet),
        areas=_named(scope, snapshot, focus, level, found, (sheet, frame, lang)),
        spots=hot.spots(scope, snapshot, focus, sheet),
        palette=band_colours(settings),
        names=tuple(getattr(settings.index.palette, f"names_{lang}")) if settings else (),
        counts=tuple(np.bincount(np.array(pieces, dtype=int), minlength=5).tolist()),
    )


def _named(  # noqa: PLR0917 - one row of a table each
    scope: Scope,
    snapshot: Snapshot,
    focus: Area,
    level: str,
    found: list[Shaped],
    how: tuple[Sheet, Frame, str],
) -> tuple[DrawnArea, ...]:
    """Areas with their colour and the places of their names, the worst named first."""
    if not found:
        return ()
    sheet, frame, lang = how
    areas = hierarchy(scope, snapshot).at(level)
    tints = shaping.colours(scope, snapshot, focus, level)
    told = [str(areas.names(lang)[one.index]) for one in found]
    state = [tints.get(one.index, (0, None)) for one in found]
    middle = names.middles([one.shape for one in found], sheet)
    order = sorted(
        range(len(found)), key=lambda at: (-state[at][0], state[at][1] or 100.0, -middle[at][2])
    )
    wide = names.places(told, middle, order, sheet, UNIT * frame.text)
    compact: list[Place | None] = [None] * len(found)
    if frame.compact:
        compact = names.places(told, middle, order, sheet, UNIT * frame.compact)
    return tuple(
        DrawnArea(
            code=str(areas.codes[one.index]),
            reference=f"{level}.{areas.codes[one.index]}",
            name=told[at],
            colour=state[at][0],
            index=state[at][1],
            path=one.path,
            pieces=one.pieces,
            wide=wide[at],
            compact=compact[at],
        )
        for at, one in enumerate(found)
    )
