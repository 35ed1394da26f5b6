"""
Numbers in words: one way to say a figure, a change, a range and a colour, for every document.

A base of 0 gives no percentage, an unknown one is said to be unknown; shares have one decimal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dashboard import numerals

if TYPE_CHECKING:
    from dashboard.reports.facts import Counted, Palette, Place, Range, Risk
    from dashboard.text import Words


class Coloured(Protocol):
    """What is told in colours: an edition, or an area on the phone."""

    @property
    def palette(self) -> Palette | None:
        """The city's palette; None without an analysis."""


def name(place: Place, words: Words) -> str:
    """Name of an area."""
    return words.pick(place.name_zh, place.name_en)


def whole(value: int | None, words: Words) -> str:
    """A number of incidents."""
    return numerals.count(value, words)


def one_decimal(value: float | None, words: Words) -> str:
    """An index or a risk."""
    return words("no_value") if value is None else f"{value:.1f}"


def change(now: int | None, base: int | None, words: Words) -> str:
    """Against the week before: up or down by so much per cent, or why there is no percentage."""
    return numerals.change(now, base, words, to="change")[1]


def year_change(now: int | None, base: int | None, words: Words) -> str:
    """Against the same week last year."""
    return numerals.change(now, base, words, to="last_year")[1]


def moved(now: float | None, base: float | None, words: Words) -> str:
    """A difference in points, of the figures as they are printed; nothing where one is unknown."""
    if now is None or base is None:
        return words("no_value")
    by = round(now, 1) - round(base, 1)
    if abs(by) < 0.05:
        return words("change_flat")
    return words("rep_points_up" if by > 0 else "rep_points_down", n=f"{abs(by):.1f}")


def spread(bounds: Range | None, words: Words, *, form: str = ",.0f") -> str:
    """Two bounds."""
    if bounds is None:
        return words("no_value")
    return f"{bounds.lower:{form}}–{bounds.upper:{form}}"


def share(value: float | None, words: Words) -> str:
    """A share in per cent."""
    return words("no_value") if value is None else f"{value:.1%}"


def colour(number: int, shown: Coloured, words: Words) -> str:
    """Name of a colour in the city's palette."""
    if number == 0 or shown.palette is None:
        return words("assess_grey")
    palette = shown.palette
    return words.pick(palette.names_zh[number - 1], palette.names_en[number - 1])


def coloured(risk: Risk | None, shown: Coloured, words: Words) -> str:
    """A colour with what is to be known of it: on the border, held, decided by a rule."""
    if risk is None:
        return words("assess_grey")
    said = colour(risk.colour, shown, words)
    marks = []
    if risk.rule_zh:
        marks.append(words.pick(risk.rule_zh, risk.rule_en))
    if not risk.is_firm:
        marks.append(words("index_border", share=share(risk.stability, words)))
    if risk.is_held:
        marks.append(words("index_held"))
    if risk.is_small:
        marks.append(words("index_small"))
    if not marks:
        return said
    return words("rep_marked", text=said, marks=words("assess_list").join(marks))


def verdict(counted: Counted, words: Words) -> str:
    """More or less than usual, or within what chance gives."""
    return words(f"rep_verdict_{counted.verdict}")


def against_band(
    value: float | None, bounds: Range | None, words: Words, *, least: float = 0.0
) -> str:
    """Where a figure lies against the usual band; one below `least` is never above it."""
    if value is None or bounds is None:
        return words("rep_band_unknown")
    at = (
        "above"
        if value > bounds.upper and value >= least
        else "below"
        if value < bounds.lower
        else "inside"
    )
    return words(f"rep_band_{at}")
