"""Settings of the hot spots: `hotspots.toml`, read strictly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from data.analysis_settings import DEFAULTS, AnalysisSettingsError, settings_file
from data.tables import REQUIRED, Keys, parse_toml, take

if TYPE_CHECKING:
    from pathlib import Path

    from data.periods import Grain

FILE: Final = "hotspots.toml"
LAYERS: Final = ("much", "clusters", "more")
PATTERNS: Final = ("new", "running", "rising", "lasting", "receding")


@dataclass(frozen=True)
class HotspotSettings:
    """The figures of `hotspots.toml`; its comments say what they mean."""

    window_weeks: int
    window_months: int
    resolutions: tuple[int, ...]
    much_ratio: float
    much_probability: float
    false_discoveries: float
    pattern_steps: int
    trend_z: float
    frequent_events: int
    frequent_days: int
    near_metres: tuple[int, ...]
    near_days: tuple[int, ...]
    near_history_days: int
    near_replicas: int
    near_pairs: int
    scan_areas: tuple[int, ...]
    scan_periods: int
    scan_replicas: int
    scan_clusters: int
    names: dict[str, tuple[str, str]]
    """Chinese and English name of each layer and pattern."""

    def window(self, grain: Grain) -> int:
        """Periods of the window."""
        return self.window_weeks if grain == "week" else self.window_months


_KINDS: Final[dict[str, Any]] = {"int": int, "float": (float, int), "tuple[int, ...]": list}
_NAME_KEYS: Final[Keys] = {
    "name": (str, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
}
_PARTS: Final = ("false_discoveries", "much_probability")


def read_settings(city_folder: Path | None = None) -> HotspotSettings:
    """
    Read the city's own file, else the default.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = DEFAULTS / FILE if city_folder is None else settings_file(city_folder, FILE)
    faults: list[str] = []
    keys: Keys = {
        one.name: (_KINDS[str(one.type)], REQUIRED)
        for one in fields(HotspotSettings)
        if one.name != "names"
    }
    taken = take(
        parse_toml(path, faults),
        {**keys, "layer": (list, REQUIRED), "pattern": (list, REQUIRED)},
        path.name,
        faults,
    )
    names = {
        **_names(taken.pop("layer"), LAYERS, f"{path.name}: layer", faults),
        **_names(taken.pop("pattern"), PATTERNS, f"{path.name}: pattern", faults),
    }
    for key, value in taken.items():
        _check(key, value, f"{path.name}: `{key}`", faults)
    if faults:
        raise AnalysisSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    figures: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in taken.items()
    }
    return HotspotSettings(**figures, names=names)


def _check(key: str, value: Any, where: str, faults: list[str]) -> None:
    figures = value if isinstance(value, list) else [value]
    whole = isinstance(value, list)
    if whole and not all(isinstance(one, int) for one in figures):
        faults.append(f"{where} must hold whole numbers")
    elif not figures or not all(one > 0 for one in figures):
        faults.append(f"{where} must be positive")
    elif whole and figures != sorted(set(figures)):
        faults.append(f"{where} must rise")
    elif key in _PARTS and not value < 1:
        faults.append(f"{where} must be below 1")
    elif key == "resolutions" and not set(figures) <= set(range(6, 10)):
        faults.append(f"{where} may hold 6 to 9")


def _names(
    tables: list[Any], known: tuple[str, ...], where: str, faults: list[str]
) -> dict[str, tuple[str, str]]:
    taken = [take(table, _NAME_KEYS, where, faults) for table in tables if isinstance(table, dict)]
    if sorted(one["name"] for one in taken) != sorted(known):
        faults.append(f"{where}: name each of {', '.join(known)} once")
    return {one["name"]: (one["name_zh"], one["name_en"]) for one in taken}
