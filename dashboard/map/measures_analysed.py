"""What the stored analysis tells of areas: risk index, overdue clocks, share found by patrols.

Its windows are its own and it covers all incidents, whatever the filter; the notes say so.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import assessment, controls, index_panel, numerals
from dashboard.cache import scoped_cache_of_few
from dashboard.map.banded import (
    UNKNOWN,
    Measured,
    Terms,
    banded,
    is_newest,
    level_rows,
    level_trust,
    scale,
    source_notes,
    unfiltered_notes,
    within,
)
from data.index_trace import GREY, REASONS

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.assessment import Index
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.index_settings import IndexSettings, Palette
    from data.store import Snapshot

PALETTES: Final = {
    "red_orange_yellow_blue": ("blue", "yellow", "orange", "red"),
    "red_orange_yellow_green": ("green", "yellow", "orange", "red"),
    "red_orange_green": ("green", "green", "orange", "red"),
}
"""Variables `--index-NAME` of `measures.css` by shipped palette."""

SHARE_EDGES: Final = (0.1, 0.25, 0.5, 0.75)
"""Lower edges of bands 2 to 5 of a share, the same every week."""

SMALL_SHARE: Final = 10
"""A share of fewer than this is hatched as a small sample."""


def index(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Colour of the risk index, as shown."""
    settings = _index_settings(scope, snapshot)
    end = view.selection.window.end
    colours, counts = _level_index(scope, snapshot, view.level, end)
    span = settings.span(view.level, view.selection.window.grain).periods
    window = words("assess_window", periods=words(f"assess_span_{snapshot.manifest.grain}", n=span))
    is_kept = bool(np.isfinite(colours).any())
    trust = level_trust(scope, snapshot, view.level, end)
    bands = np.where(trust.is_silent, GREY, np.nan_to_num(colours, nan=UNKNOWN))
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="index",
            bands=bands.astype(np.uint8),
            counts=np.nan_to_num(counts).astype(np.int64),
            small=settings.colours.small_sample,
            colours=_colours(settings.palette),
            texts=_index_texts(settings, words),
            title=words("measure_title_index"),
            no_data=words("measure_index_unknown"),
            notes=(
                *(() if is_kept else (words("assess_no_index"),)),
                window,
                words("measure_note_index", share=f"{settings.robustness.firm:.0%}"),
                *unfiltered_notes(view, words),
                *source_notes(snapshot, words),
            ),
        ),
    )


def breach(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Share of the open clocks that are overdue, as of the newest day."""
    is_told = is_newest(snapshot, view.selection.window.end)
    clocks = _level_clocks(scope, snapshot, view.level)
    running = clocks["running"] + clocks["overdue"]
    share = _of(clocks["overdue"], running)
    # Clocks were started and none is open: nothing is overdue, which is known.
    share = np.where((running == 0) & (clocks["started"] > 0), 0.0, share)
    if not is_told:
        share = np.full(len(share), np.nan)
        running = np.zeros(len(share))
    as_of = words("assess_as_of", day=as_of_day(snapshot))
    notes = (
        *(() if is_told else (words("assess_earlier"),)),
        f"{words('measure_note_breach')} {as_of}",
    )
    return _share(
        scope, snapshot, view, words, name="breach", share=share, whole=running, notes=notes
    )


def discovered(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Share of the incidents that patrols found rather than people reported."""
    window = view.selection.window
    trust = level_trust(scope, snapshot, view.level, window.end)
    share = np.where(trust.is_silent, np.nan, trust.share)
    notes = (
        *(() if trust.is_kept else (words("assess_no_trust"),)),
        words(f"measure_note_discovered_{window.grain}"),
    )
    whole = trust.reported + trust.discovered
    return _share(
        scope, snapshot, view, words, name="discovered", share=share, whole=whole, notes=notes
    )


def index_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Colour, index and what led to it; on the border or grey, and why."""
    settings, end = _index_settings(scope, snapshot), view.selection.window.end
    row = assessment.index(scope, snapshot, area, end)
    name = words("measure_index")
    if row is None:
        return [(name, words("assess_no_index"))]
    known = assessment.trust(scope, snapshot, area, end)
    is_silent = known is not None and known.is_silent
    if is_silent or row.colour == GREY:
        return [(name, _grey("source_silent" if is_silent else row.status, words))]
    terms: Terms = [
        (name, index_panel.colour_name(row.colour, settings, words)),
        (words("assess_index"), f"{row.safety_index:.1f}"),
        (words("assess_risk"), f"{row.risk:.1f}"),
        (words("measure_index_n"), f"{row.n:,d}"),
    ]
    ranked = assessment.ranked(scope, snapshot, area.level, end)
    if row.rank_lower and ranked > 1:
        level = controls.level_name(snapshot, area.level, words)
        of = words("assess_of", n=f"{ranked:,d}", level=level)
        terms.append((words("assess_rank"), f"{row.rank_lower:,d}–{row.rank_upper:,d} {of}"))
    return terms + _doubts(row, settings, words)


def breach_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Overdue of open clocks, each clock by itself, and the oldest."""
    found = [one for one in assessment.clocks(scope, snapshot, area) if one.started]
    if not is_newest(snapshot, view.selection.window.end):
        return [(words("measure_breach"), words("assess_earlier"))]
    if not found:
        return [(words("measure_breach"), words("assess_no_clocks"))]
    settings = assessment.settings(scope, snapshot)
    names = {} if settings is None else settings.clocks
    overdue, running = (sum(getattr(one, part) for one in found) for part in ("overdue", "running"))
    terms: Terms = [(words("measure_breach"), _parts(overdue, overdue + running, words))]
    for one in found:
        name = words.pick(*names.get(one.clock, (one.clock, one.clock)))
        terms.append((name, _parts(one.overdue, one.overdue + one.running, words)))
    oldest = max(np.nan_to_num([one.oldest_overdue_days for one in found]))
    if oldest:
        terms.append((words("assess_clock_oldest"), words("assess_days", n=f"{oldest:,.0f}")))
    terms.append((words("measure_as_of"), f"{as_of_day(snapshot)}"))
    return terms


def discovered_terms(
    scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words
) -> Terms:
    """Found by patrols of all incidents, and whether a source is silent."""
    one = assessment.trust(scope, snapshot, area, view.selection.window.end)
    name = words("measure_discovered")
    if one is None:
        return [(name, words("assess_no_trust"))]
    if one.is_silent:
        return [(name, _grey("source_silent", words))]
    return [(name, _parts(one.discovered, one.reported + one.discovered, words))]


def as_of_day(snapshot: Snapshot) -> dt.date:
    """Day as of which the newest analysis stands."""
    from_text = type(snapshot.manifest.last_period).fromisoformat
    return from_text(snapshot.manifest.raw["analysis"]["as_of"])


def _index_settings(scope: Scope, snapshot: Snapshot) -> IndexSettings:
    settings = assessment.settings(scope, snapshot)
    if settings is None:
        raise LookupError("the snapshot was not analysed: the index is not on offer")
    return settings.index


@scoped_cache_of_few
def _level_index(
    scope: Scope, snapshot: Snapshot, level: str, end: dt.date
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colour and incidents of the areas that the scope covers; NaN where no row is stored."""
    columns, when = ("colour", "n"), ("period_end = ?", end)
    rows = level_rows(scope, snapshot, "area_index", level, columns=columns, condition=when)
    return rows["colour"], rows["n"]


@scoped_cache_of_few
def _level_clocks(scope: Scope, snapshot: Snapshot, level: str) -> dict[str, NDArray[np.float64]]:
    """Clocks of the areas that the scope covers, all kinds together."""
    columns = ("started", "running", "overdue")
    every = ('"group" = ?', "all")
    return level_rows(scope, snapshot, "clock_states", level, columns=columns, condition=every)


def _share(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    words: Words,
    *,
    name: str,
    share: NDArray[np.float64],
    whole: NDArray[Any],
    notes: tuple[str, ...],
) -> Measured:
    """A share in fixed bands, small where it is one of few."""
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name=name,
            bands=banded(share, SHARE_EDGES),
            counts=np.nan_to_num(whole).astype(np.int64),
            small=SMALL_SHARE,
            colours=scale(name, len(SHARE_EDGES) + 1),
            texts=_share_texts(),
            title=words(f"measure_title_{name}"),
            no_data=words(f"measure_{name}_unknown"),
            notes=(
                *notes,
                words("measure_note_small", n=SMALL_SHARE),
                *unfiltered_notes(view, words),
                *source_notes(snapshot, words),
            ),
        ),
    )


def _share_texts() -> tuple[str, ...]:
    printed = [f"{edge:.0%}" for edge in SHARE_EDGES]
    between = [f"{low} ≤ s < {high}" for low, high in pairwise(printed)]
    return (f"s < {printed[0]}", *between, f"s ≥ {printed[-1]}")


def _index_texts(settings: IndexSettings, words: Words) -> tuple[str, ...]:
    """Name and range of each colour; a risk on an edge has the lower one, so its index is whole."""
    low = [100 - edge for edge in settings.colours.edges]
    ranges = [
        f"I ≥ {low[0]:g}",
        *(f"{under:g} ≤ I < {above:g}" for above, under in pairwise(low)),
        f"I < {low[-1]:g}",
    ]
    names = words.pick("names_zh", "names_en")
    return tuple(
        f"{name}  {printed}"
        for name, printed in zip(getattr(settings.palette, names), ranges, strict=True)
    )


def _colours(palette: Palette) -> tuple[str, ...]:
    """The shipped palettes follow the theme and the colour-blind-safe setting; others stand."""
    shipped = PALETTES.get(palette.name)
    return tuple(f"var(--index-{name})" for name in shipped) if shipped else palette.tints


def _doubts(row: Index, settings: IndexSettings, words: Words) -> Terms:
    terms: Terms = []
    if not row.is_firm:
        wanted = index_panel.colour_name(row.gated_colour, settings, words)
        told = words("assess_border", share=f"{row.stability:.0%}", colour=wanted)
        terms.append((words("measure_index_firm"), told))
    if row.raw_colour > row.gated_colour:
        names = [
            index_panel.colour_name(each, settings, words)
            for each in (row.raw_colour, row.gated_colour)
        ]
        told = f"{names[0]} → {names[1]} (P = {numerals.probability(row.p, words)})"
        terms.append((words("measure_index_gate"), told))
    return terms


def _grey(status: str, words: Words) -> str:
    return f"{words('assess_grey')}: {words.pick(*REASONS.get(status, (status, status)))}"


def _parts(part: int, whole: int, words: Words) -> str:
    if not whole:
        return "0 / 0"
    return f"{part:,d} / {whole:,d} = {numerals.share(part, whole, words)}"


def _of(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
