"""
The arithmetic of the risk index, from the ratios of 28 indicators to a risk and a colour.

One definition for the pipeline, which stores what it gives, and for the screen, which computes an
area's index again from the stored rows (the glass box). Only sums, products, quotients and straight
lines, in a fixed order: both give the same bits on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from data.index_settings import COLOURS, INDICATORS

if TYPE_CHECKING:
    import pandas as pd

    from data.index_settings import Curve, IndexSettings, Indicator

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OK: Final = "ok"
GREY: Final = 0
RED: Final = COLOURS

REASONS: Final = {
    OK: ("", ""),
    "no_category": ("本市没有这类事项", "the city has no such category"),
    "no_feed": ("尚无数据来源", "no source tells it yet"),
    "no_times": ("来源不提供办理时间", "no source tells the times of the steps"),
    "no_deadlines": ("来源不提供期限", "no source tells deadlines"),
    "no_severity": ("来源不提供等级", "no source tells a severity"),
    "no_scale": ("来源不提供规模", "no source tells a scale"),
    "no_marks": ("来源不标注重复件", "no source marks repetitions"),
    "no_clustering": ("未作热点分析", "hot spots were not analysed"),
    "few": ("事项太少，不作判断", "too few incidents to say"),
    "short_history": ("历史不足", "the history is too short"),
    "source_silent": ("来源中断", "a source fell silent"),
}
"""Status of an indicator and of an area: why it is left out, in Chinese and English."""


@dataclass(frozen=True)
class IndexFigures:
    """
    Index of one area from its trace rows; NaN and colour 0 where too much is missing.

    Attributes
    ----------
    points, weight
        Of each indicator, shape (28,); weights are those left after missing ones are dropped.
    dimension_points
        Shape (n dimensions,), NaN where all of a dimension is missing.
    risk, index
        0-100, high = bad; and 100 - risk.
    raw_colour
        Before the gate; 0 grey, 1 lowest, 4 red.
    missing_weight
        Share of the weight that is missing.
    """

    points: Floats
    weight: Floats
    dimension_points: Floats
    risk: float
    index: float
    raw_colour: int
    missing_weight: float


@dataclass(frozen=True)
class Composed:
    """`IndexFigures` of many areas: arrays with one row, or one value, per area."""

    points: Floats
    weight: Floats
    dimension_points: Floats
    risk: Floats
    raw_colour: NDArray[np.int8]
    missing_weight: Floats


def points(ratio: Floats, curve: Curve) -> Floats:
    """Points of ratios; NaN stays NaN."""
    return np.asarray(np.interp(ratio, curve.ratio, curve.points))


def base_weights(settings: IndexSettings) -> Floats:
    """Weight of each indicator when none is missing, adding up to 1; shape (28,)."""
    sizes = [0] * len(settings.dimensions)
    for one in settings.indicators:
        sizes[one.dimension] += 1
    found = np.empty(INDICATORS)
    for number, one in enumerate(settings.indicators):
        others = sizes[one.dimension] - 1
        inner = (0.5 if one.lead else 0.5 / others) if others else 1.0
        found[number] = settings.dimensions[one.dimension].weight * inner
    return found


def compose(
    ratio: Floats,
    settings: IndexSettings,
    *,
    deaths: Floats | None = None,
    curve: Curve | None = None,
) -> Composed:
    """
    Put the indicators of areas together.

    Parameters
    ----------
    ratio
        Ratio of each area and indicator, shape (n areas, 28); NaN = missing.
    deaths
        Deaths per area, shape (n areas,); None = not known.
    curve
        Another curve than the settings'.
    """
    # One column after the other is what follows: columns in one piece are quicker.
    scored = points(np.asarray(ratio).T, curve or settings.curve).T
    known = np.isfinite(scored)
    base = base_weights(settings)
    inner, share, dimension = _dimensions(scored, known, base, settings)
    present = _total([np.where(np.isfinite(dimension[:, d]), one.weight, 0.0)
                      for d, one in enumerate(settings.dimensions)])  # fmt: skip
    whole = np.where(present > 0, present, np.nan)
    risk = _total([np.where(np.isfinite(dimension[:, d]), one.weight / whole * dimension[:, d], 0.0)
                   for d, one in enumerate(settings.dimensions)])  # fmt: skip
    if deaths is not None:
        risk = risk + np.minimum(settings.death_points * deaths, settings.death_cap)
    missing = _total([np.where(known[:, i], 0.0, base[i]) for i in range(INDICATORS)])
    enough = (missing <= settings.missing_limit) & (present > 0)
    risk = np.where(enough, np.minimum(risk, 100.0), np.nan)
    weight = np.where(known, inner * share / whole[:, None], 0.0)
    return Composed(
        points=scored,
        weight=np.where(np.isnan(weight), 0.0, weight),
        dimension_points=dimension,
        risk=risk,
        raw_colour=raw_colour(risk, dimension, settings),
        missing_weight=missing,
    )


def _dimensions(
    scored: Floats, known: Flags, base: Floats, settings: IndexSettings
) -> tuple[Floats, Floats, Floats]:
    """Weight within the dimension, weight of the dimension, and points of each dimension."""
    inner = np.zeros(scored.shape, order="F")
    share = np.empty(INDICATORS)
    dimension = np.full((len(scored), len(settings.dimensions)), np.nan)
    for d, one in enumerate(settings.dimensions):
        own = [i for i, indicator in enumerate(settings.indicators) if indicator.dimension == d]
        share[own] = one.weight
        left = _total([np.where(known[:, i], base[i], 0.0) for i in own])
        left = np.where(left > 0, left, np.nan)
        for i in own:
            inner[:, i] = np.where(known[:, i], base[i] / left, 0.0)
        parts = [np.where(known[:, i], inner[:, i] * scored[:, i], 0.0) for i in own]
        dimension[:, d] = np.where(np.isnan(left), np.nan, _total(parts))
    return inner, share[None, :], dimension


def _total(parts: list[Floats]) -> Floats:
    """Sum in the order given: a reduction over an axis may add in another order."""
    found = np.zeros_like(parts[0])
    for part in parts:
        found = found + part
    return found


def colour_of(risk: Floats, settings: IndexSettings) -> NDArray[np.int8]:
    """Colour of a risk by the edges alone: above an edge is the next; 0 where it is NaN."""
    found = np.isfinite(risk).astype(np.int8)
    for edge in settings.colours.edges:
        found += risk > edge
    return found


def raw_colour(risk: Floats, dimension: Floats, settings: IndexSettings) -> NDArray[np.int8]:
    """Colour before the gate: that of the risk, or what one red dimension demands."""
    found = colour_of(risk, settings)
    with_nan = np.where(np.isfinite(dimension), dimension, 0.0)
    one_red = (with_nan > settings.colours.edges[-1]).any(axis=1)
    least = np.where(one_red, settings.colours.dimension_red, 1)
    return np.where(found == GREY, GREY, np.maximum(found, least)).astype(np.int8)


def recompute(rows: pd.DataFrame, settings: IndexSettings) -> IndexFigures:
    """
    Compute an area's index again from its rows of `index_trace`.

    Parameters
    ----------
    rows
        The rows of one level, area and period: `indicator`, `count`, `ratio`, `status`.

    Raises
    ------
    ValueError
        The rows are not those of the indicators 1 to 28, each once.
    """
    kept = rows.sort_values("indicator")
    if kept["indicator"].tolist() != list(range(1, INDICATORS + 1)):
        raise ValueError("index_trace: rows of one area must hold indicators 1 to 28, each once")
    known = (kept["status"] == OK).to_numpy()
    ratio = np.where(known, kept["ratio"].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)
    counts = kept["count"].to_numpy(dtype=np.float64, na_value=np.nan)
    told = [i for i in death_indicators(settings) if known[i]]
    deaths = counts[told[:1]] if told else None
    found = compose(ratio[None, :], settings, deaths=deaths)
    risk = float(found.risk[0])
    return IndexFigures(
        points=found.points[0],
        weight=found.weight[0],
        dimension_points=found.dimension_points[0],
        risk=risk,
        index=100.0 - risk,
        raw_colour=int(found.raw_colour[0]),
        missing_weight=float(found.missing_weight[0]),
    )


def death_indicators(settings: IndexSettings) -> list[int]:
    """Positions of the indicators that count deaths."""
    return [i for i, one in enumerate(settings.indicators) if one.measure == "deaths"]


def why(rows: pd.DataFrame, settings: IndexSettings, *, chinese: bool, most: int = 5) -> list[str]:
    """
    What makes up an area's risk, the largest contribution first, in words.

    Parameters
    ----------
    rows
        As for `recompute`.
    most
        Number of sentences; indicators with a ratio up to 1 are never among them.
    """
    return [pair[0 if chinese else 1] for pair in reasons(rows, settings, most=most)]


def reasons(rows: pd.DataFrame, settings: IndexSettings, *, most: int) -> list[tuple[str, str]]:
    """Sentences as those of `why`, each in Chinese and in English."""
    kept = rows.sort_values("indicator").reset_index(drop=True)
    found = []
    for i, share in raised(rows, settings)[:most]:
        row, indicator = kept.iloc[i], settings.indicators[i]
        chinese, english = (_sentence(row, indicator, share, chinese=one) for one in (True, False))
        found.append((chinese, english))
    return found


def raised(rows: pd.DataFrame, settings: IndexSettings) -> list[tuple[int, float]]:
    """Positions of the indicators with a ratio above 1, and their points, the most first."""
    found = recompute(rows, settings)
    kept = rows.sort_values("indicator").reset_index(drop=True)
    share = found.weight * np.nan_to_num(found.points)
    order = np.argsort(-share, kind="stable")
    above = (kept["ratio"].to_numpy(dtype=np.float64, na_value=np.nan) > 1)[order]
    return [(int(i), float(share[i])) for i in order[above] if share[i] > 0]


def _sentence(row: pd.Series, indicator: Indicator, share: float, *, chinese: bool) -> str:
    name = indicator.name_zh if chinese else indicator.name_en
    seen, base = _figure(row["count"]), _figure(row["baseline"])
    if indicator.kind == "alarm":
        text = "告警中" if chinese else "alarm on"
    elif chinese:
        text = f"{seen}（往期应为 {base}），综合为 {row['ratio']:.2f} 倍"
    else:
        text = f"{seen} (own past leads one to expect {base}), {row['ratio']:.2f} times in all"
    return f"{name}：{text}，+{share:.1f} 分" if chinese else f"{name}: {text}, +{share:.1f} points"


def _figure(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
