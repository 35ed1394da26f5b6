"""Strict reading of `index.toml`: every fault listed, nothing guessed."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from data.analysis_settings import AnalysisSettingsError, settings_file
from data.index_settings import (
    COLOURS,
    DIMENSIONS,
    INDICATORS,
    KINDS,
    SEVERITY_COUNT,
    Colours,
    Curve,
    Cusum,
    Dimension,
    IndexSettings,
    Indicator,
    Override,
    Palette,
    Robustness,
    Span,
    Step,
    Variant,
)
from data.tables import REQUIRED, Keys, check_choice, parse_toml, take
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE: Final = "index.toml"
_NUMBER: Final = (float, int)
_TINT: Final = re.compile("#[0-9a-fA-F]{6}")
_NUMBERS: Final = (
    "pseudo_count", "missing_limit", "baseline_least", "busiest_share", "death_points", "death_cap",
)  # fmt: skip
_WHOLES: Final = (
    "peers_least", "repeat_days", "cohort_days", "busiest_least", "trace_periods", "expires_days",
)  # fmt: skip
_TABLES: Final = ("ratio", "curve", "colours", "cusum", "robustness")
_LISTS: Final = ("window", "dimension", "indicator", "override", "letter", "duty", "palette")


def _required(kind: type | tuple[type, ...], *names: str) -> Keys:
    return dict.fromkeys(names, (kind, REQUIRED))


_KEYS: Final[Keys] = {
    **_required(list, "severity_weights", *_LISTS),
    **_required(_NUMBER, *_NUMBERS),
    **_required(int, *_WHOLES),
    **_required(dict, *_TABLES),
    **_required(str, "shown_palette"),
}
_NAMES: Final = _required(str, "name_zh", "name_en")
_COLOUR_KEYS: Final[Keys] = {
    **_required(list, "edges", "gates"),
    **_required(int, "small_sample", "dimension_red", "down_after"),
    **_required(_NUMBER, "gate_factor"),
}
_CUSUM_KEYS: Final[Keys] = {
    **_required(_NUMBER, "allowance", "limit", "alarm_ratio"),
    **_required(int, "periods"),
}
_ROBUSTNESS_KEYS: Final[Keys] = {
    **_required(int, "draws", "seed", "rank_draws"),
    **_required(_NUMBER, "firm", "concentration", "rank_shift"),
    "variant": (list, []),
}
_VARIANT_KEYS: Final[Keys] = dict.fromkeys(("exponents", "curve_ratio", "curve_points"), (list, []))
_LIST_KEYS: Final[Mapping[str, Keys]] = {
    "window": {**_required(str, "grain"), **_required(list, "levels"),
               **_required(int, "periods", "baseline")},
    "dimension": {**_required(str, "id"), **_NAMES, **_required(_NUMBER, "weight"),
                  **_required(list, "codes"), **_required(int, "discovered_from"),
                  **_required(bool, "gate")},
    "indicator": {**_required(int, "id"), **_NAMES, **_required(str, "dimension", "measure"),
                  "lead": (bool, False), "codes": (list, []), "severity_from": (int, 0),
                  "scale_from": (int, 0), "absolute": (bool, False)},
    "override": {**_required(str, "name"), **_NAMES, "codes": (list, []), "scale_from": (int, 0),
                 "deaths": (int, 0), **_required(int, "colour"), **_required(list, "levels")},
    "letter": {**_required(int, "running"), **_NAMES},
    "duty": {**_required(int, "colour"), **_NAMES},
    "palette": {**_required(str, "name"), **_required(list, "names_zh", "names_en", "tints")},
}  # fmt: skip


def read_index_settings(city_folder: Path) -> IndexSettings:
    """
    Read the settings of the index that are in force in a city.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = settings_file(city_folder, FILE)
    faults: list[str] = []
    return index_settings(parse_toml(path, faults), where=str(path), faults=faults)


def index_settings(
    content: Mapping[str, Any], *, where: str = FILE, faults: Sequence[str] = ()
) -> IndexSettings:
    """
    Settings of the index from the content of `index.toml`.

    Parameters
    ----------
    where
        What the content is called in messages.
    faults
        What was wrong with it before.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    found = list(faults)
    taken = take(content, _KEYS, FILE, found)
    lists = {key: _listed(taken.pop(key), key, found) for key in _LISTS}
    settings = None if found else _assemble(taken, lists, found)
    if settings is None or found:
        raise AnalysisSettingsError(f"{where}:\n  " + "\n  ".join(found))
    return settings


def _listed(tables: list[Any], key: str, faults: list[str]) -> list[dict[str, Any]]:
    """Tables of one list with their known keys; lists within them as tuples."""
    found = []
    for number, table in enumerate(tables, start=1):
        where = f"{FILE}: {key} {number}"
        if not isinstance(table, dict):
            faults.append(f"{FILE}: write [[{key}]] before each table")
            continue
        one = take(table, _LIST_KEYS[key], where, faults)
        found.append({k: tuple(v) if isinstance(v, list) else v for k, v in one.items()})
    if not tables:
        faults.append(f"{FILE}: holds no [[{key}]]")
    return found


def _assemble(
    taken: dict[str, Any], lists: dict[str, list[dict[str, Any]]], faults: list[str]
) -> IndexSettings | None:
    """The settings, unless something that the rest rests on is wrong."""
    dimensions = tuple(Dimension(**one) for one in lists["dimension"])
    indicators = _indicators(lists["indicator"], dimensions, faults)
    _check_dimensions(dimensions, indicators, faults)
    palettes = tuple(Palette(**one) for one in lists["palette"])
    shown = [one for one in palettes if one.name == taken["shown_palette"]]
    if not shown:
        faults.append(f"{FILE}: `shown_palette` names none of the palettes")
    for one in palettes:
        if {len(one.names_zh), len(one.names_en), len(one.tints)} != {COLOURS}:
            faults.append(f"{FILE}: palette {one.name}: give {COLOURS} names and tints")
        if not all(_TINT.fullmatch(str(tint)) for tint in one.tints):
            faults.append(f"{FILE}: palette {one.name}: write tints as #rrggbb")
    spans = tuple(Span(**one) for one in lists["window"])
    _check_spans(spans, faults)
    parts = _parts(taken, faults)
    del taken["shown_palette"]
    for key in _TABLES:
        del taken[key]
    weights = _numbers(taken.pop("severity_weights"), "severity_weights", SEVERITY_COUNT, faults)
    if faults:
        return None
    return IndexSettings(
        **taken,
        **parts,
        severity_weights=weights,
        spans=spans,
        dimensions=dimensions,
        indicators=indicators,
        overrides=tuple(Override(**one) for one in lists["override"]),
        letters=tuple(_steps(lists["letter"], "running")),
        duties=tuple(_steps(lists["duty"], "colour")),
        palettes=palettes,
        palette=shown[0],
    )


def _parts(taken: dict[str, Any], faults: list[str]) -> dict[str, Any]:
    """The single tables: exponents, curve, colours, cusum, robustness."""

    def part(name: str, keys: Keys) -> dict[str, Any]:
        return take(taken[name], keys, f"{FILE}: [{name}]", faults)

    ratio = part("ratio", _required(_NUMBER, "own", "peer", "year"))
    exponents = tuple(float(ratio[key]) for key in ("own", "peer", "year"))
    line = part("curve", _required(list, "ratio", "points"))
    curve = _curve(line["ratio"], line["points"], "[curve]", faults)
    colours = part("colours", _COLOUR_KEYS)
    for key in ("edges", "gates"):
        colours[key] = _numbers(colours[key], key, COLOURS - 1, faults)
    robust = part("robustness", _ROBUSTNESS_KEYS)
    variants = [Variant(exponents, curve)]
    for number, table in enumerate(robust.pop("variant"), start=1):
        where = f"{FILE}: variant {number}"
        one = take(table, _VARIANT_KEYS, where, faults)
        own = _curve(one["curve_ratio"], one["curve_points"], where, faults)
        powers = _numbers(one["exponents"] or list(exponents), f"{where}: exponents", 3, faults)
        variants.append(Variant(powers, own if one["curve_ratio"] else curve))
    return {
        "exponents": exponents,
        "curve": curve,
        "colours": Colours(**colours),
        "cusum": Cusum(**part("cusum", _CUSUM_KEYS)),
        "robustness": Robustness(**robust, variants=tuple(variants)),
    }


def _curve(ratio: list[Any], points: list[Any], where: str, faults: list[str]) -> Curve:
    found = Curve(tuple(map(float, ratio)), tuple(map(float, points)))
    rises = all(
        low < high if values is found.ratio else low <= high
        for values in (found.ratio, found.points)
        for low, high in pairwise(values)
    )
    if len(ratio) != len(points) or not rises:
        faults.append(f"{FILE}: {where}: ratio and points must be as many, and rise")
    return found


def _numbers(values: list[Any], what: str, count: int, faults: list[str]) -> tuple[float, ...]:
    if len(values) != count or not all(isinstance(one, float | int) for one in values):
        faults.append(f"{FILE}: `{what}` must be {count} numbers")
        return ()
    return tuple(float(one) for one in values)


def _steps(tables: list[dict[str, Any]], key: str) -> list[Step]:
    return [Step(one[key], one["name_zh"], one["name_en"]) for one in tables]


def _indicators(
    tables: list[dict[str, Any]], dimensions: tuple[Dimension, ...], faults: list[str]
) -> tuple[Indicator, ...]:
    ids = tuple(one.id for one in dimensions)
    found = []
    for table in tables:
        where = f"{FILE}: indicator {table['id']}"
        check_choice(table["dimension"], ids, f"{where}: `dimension`", faults)
        check_choice(table["measure"], tuple(KINDS), f"{where}: `measure`", faults)
        position = ids.index(table["dimension"]) if table["dimension"] in ids else 0
        codes = table["codes"] or (dimensions[position].codes if dimensions else ())
        found.append(Indicator(**table | {"dimension": position, "codes": codes}))
    if [one.id for one in found] != list(range(1, INDICATORS + 1)):
        faults.append(f"{FILE}: indicators must be numbered 1 to {INDICATORS}, in order")
    return tuple(found)


def _check_dimensions(
    dimensions: tuple[Dimension, ...], indicators: tuple[Indicator, ...], faults: list[str]
) -> None:
    if len(dimensions) != DIMENSIONS:
        faults.append(f"{FILE}: there must be {DIMENSIONS} dimensions")
    if abs(sum(one.weight for one in dimensions) - 1) > 1e-9:
        faults.append(f"{FILE}: the weights of the dimensions must add up to 1")
    for position, one in enumerate(dimensions):
        leads = [own for own in indicators if own.dimension == position and own.lead]
        if len(leads) != 1:
            faults.append(f"{FILE}: dimension {one.id} must have one lead indicator")


def _check_spans(spans: tuple[Span, ...], faults: list[str]) -> None:
    for grain in ("week", "month"):
        named = [level for one in spans if one.grain == grain for level in one.levels]
        if sorted(named) != sorted(LEVELS):
            faults.append(f"{FILE}: windows of a {grain} must name each level once")
    if any(one.periods < 1 or one.baseline < one.periods for one in spans):
        faults.append(f"{FILE}: a window has at least 1 period, its baseline no fewer")
