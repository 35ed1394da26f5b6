"""What the settings of the risk index hold: every weight, edge and rule of `index.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DIMENSIONS: Final = 6
INDICATORS: Final = 28
COLOURS: Final = 4
SEVERITY_COUNT: Final = 5

KINDS: Final[Mapping[str, str]] = {
    "events": "count", "weighted": "count", "repeat_place": "count", "top_type": "count",
    "open": "count", "overdue": "count", "deaths": "count", "fresh_cells": "count",
    "severe_share": "share", "top_type_share": "share", "marked_repeat": "share",
    "late_steps": "share", "unresolved": "share", "recurring": "share", "hot_cells": "share",
    "busiest_places": "share", "backlog_age": "median", "cusum": "alarm", "none": "count",
}  # fmt: skip
"""How each measure is compared: as a count, a share, a ratio of medians, or an alarm."""


@dataclass(frozen=True)
class Dimension:
    """One of the six dimensions."""

    id: str
    name_zh: str
    name_en: str
    weight: float
    codes: tuple[str, ...]
    discovered_from: int
    gate: bool


@dataclass(frozen=True)
class Indicator:
    """One indicator: what it measures of which categories; `dimension` is a position."""

    id: int
    name_zh: str
    name_en: str
    dimension: int
    measure: str
    lead: bool
    codes: tuple[str, ...]
    severity_from: int
    scale_from: int
    absolute: bool

    @property
    def kind(self) -> str:
        """One of the values of `KINDS`."""
        return KINDS[self.measure]


@dataclass(frozen=True)
class Span:
    """Window and baseline of some levels, in periods of a grain."""

    grain: str
    levels: tuple[str, ...]
    periods: int
    baseline: int


@dataclass(frozen=True)
class Override:
    """What makes an area a colour for one period, whatever its index."""

    name: str
    name_zh: str
    name_en: str
    codes: tuple[str, ...]
    scale_from: int
    deaths: int
    colour: int
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A letter after so many red windows, or who acts on a colour: `number` is either."""

    number: int
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class Palette:
    """Names and tints of the colours 1 to 4."""

    name: str
    names_zh: tuple[str, ...]
    names_en: tuple[str, ...]
    tints: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """Points by straight lines between ratios, flat after the last."""

    ratio: tuple[float, ...]
    points: tuple[float, ...]


@dataclass(frozen=True)
class Colours:
    """Edges of the risk, gates, and the rules of rise and fall."""

    edges: tuple[float, ...]
    gates: tuple[float, ...]
    small_sample: int
    dimension_red: int
    down_after: int
    gate_factor: float


@dataclass(frozen=True)
class Cusum:
    """Cumulative sum of standardised residuals."""

    allowance: float
    limit: float
    periods: int
    alarm_ratio: float


@dataclass(frozen=True)
class Variant:
    """Another way from ratios to points: exponents of own, peer and year, and a curve."""

    exponents: tuple[float, ...]
    curve: Curve


@dataclass(frozen=True)
class Robustness:
    """Draws of weights and ways; the first variant is the index's own."""

    draws: int
    firm: float
    concentration: float
    seed: int
    rank_draws: int
    rank_shift: float
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class IndexSettings:
    """Content of `index.toml`; `exponents` are those of own, peer and year."""

    severity_weights: tuple[float, ...]
    pseudo_count: float
    missing_limit: float
    peers_least: int
    baseline_least: float
    repeat_days: int
    cohort_days: int
    busiest_share: float
    busiest_least: int
    trace_periods: int
    expires_days: int
    death_points: float
    death_cap: float
    exponents: tuple[float, ...]
    curve: Curve
    colours: Colours
    cusum: Cusum
    robustness: Robustness
    spans: tuple[Span, ...]
    dimensions: tuple[Dimension, ...]
    indicators: tuple[Indicator, ...]
    overrides: tuple[Override, ...]
    letters: tuple[Step, ...]
    duties: tuple[Step, ...]
    palettes: tuple[Palette, ...]
    palette: Palette

    def span(self, level: str, grain: str) -> Span:
        """Window and baseline of a level."""
        return next(one for one in self.spans if one.grain == grain and level in one.levels)
