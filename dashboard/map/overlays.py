"""What is drawn over the main layer, as the address holds it: names, order and opacity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from dashboard.state import OPACITIES

if TYPE_CHECKING:
    from collections.abc import Collection

    from dashboard.state import ViewState

CELLS: Final = "cells"
"""Density of incidents by H3 cell, over the colours of the areas."""

BASE: Final = "base"
"""Raster tiles under everything (`dashboard.basemap`)."""

COVERED: Final = 50
"""Percent at which the main layer lets a base map show through."""

LINES: Final = "lines_"
"""First part of the name of a level's boundaries."""

USUAL: Final[dict[str, int]] = {CELLS: 50}
"""Opacity at which a layer is switched on, percent; the others start at 100."""


@dataclass(frozen=True)
class Overlay:
    """One layer that is on."""

    name: str
    opacity: int = 100

    def __str__(self) -> str:
        return self.name if self.opacity == 100 else f"{self.name}.{self.opacity}"


def read(text: str, *, known: Collection[str]) -> tuple[Overlay, ...]:
    """Overlays of an address, bottom to top; unknown or repeated ones are left out."""
    found: dict[str, Overlay] = {}
    for part in filter(None, text.split(",")):
        name, _, percent = part.partition(".")
        if name in known and name not in found:
            opacity = int(percent) if percent.isdigit() and int(percent) in OPACITIES else 100
            found[name] = Overlay(name, opacity)
    return tuple(found.values())


def write(overlays: Collection[Overlay]) -> str:
    """Overlays as the address holds them."""
    return ",".join(str(each) for each in overlays)


def toggled(state: ViewState, name: str, *, known: Collection[str]) -> ViewState:
    """Switch a layer off, or on at the top of the others."""
    present = read(state.overlays, known=known)
    kept = [each for each in present if each.name != name]
    opacity = state.opacity
    if len(kept) == len(present):
        kept.append(Overlay(name, USUAL.get(name, 100)))
        opacity = COVERED if name == BASE and opacity == 100 else opacity
    return replace(state, overlays=write(kept), opacity=opacity)


def faded(state: ViewState, name: str, opacity: int, *, known: Collection[str]) -> ViewState:
    """Set the opacity of a layer that is on."""
    present = read(state.overlays, known=known)
    changed = [Overlay(name, opacity) if each.name == name else each for each in present]
    return replace(state, overlays=write(changed))


def raised(state: ViewState, name: str, *, known: Collection[str]) -> ViewState:
    """Draw a layer above the one that covers it; the topmost stays."""
    present = list(read(state.overlays, known=known))
    at = next((i for i, each in enumerate(present) if each.name == name), len(present))
    if at + 1 < len(present):
        present[at], present[at + 1] = present[at + 1], present[at]
    return replace(state, overlays=write(present))
