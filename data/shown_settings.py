"""
The settings that the screen needs to explain the analysis, carried by the manifest.

The dashboard has no city folder. `settings_entry` puts what it must know into the snapshot, and
`settings_from` reads it there: the same index settings to the last digit, and names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data.analysis_settings import read_group_list, settings_file
from data.clock_settings import read_clock_settings
from data.effect_settings import read_effect_settings
from data.index_file import FILE, index_settings, read_index_settings
from data.periods import PERIODS_PER_YEAR
from data.signal_settings import read_signal_settings
from data.tables import parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from data.index_settings import IndexSettings

Names = tuple[str, str]
"""Chinese and English."""

_ANY_ZONE: Final = "UTC"
"""Names of clocks do not depend on it."""


@dataclass(frozen=True)
class ShownSettings:
    """
    What the screen knows of the settings.

    Attributes
    ----------
    groups, clocks
        Names by the name in the tables.
    signals
        Names of the colours of the early signals, by number.
    """

    index: IndexSettings
    groups: Mapping[str, Names]
    clocks: Mapping[str, Names]
    signals: Mapping[int, Names]
    effect_after: Mapping[str, int]
    """Whole periods after an action before which nothing is told, by the grain of the city."""


def settings_entry(city_folder: Path) -> dict[str, Any]:
    """
    What the manifest says of the settings in force, for JSON.

    Raises
    ------
    AnalysisSettingsError
        A settings file cannot be used.
    """
    read_index_settings(city_folder)
    clocks = read_clock_settings(city_folder, time_zone=_ANY_ZONE).clocks
    colours = read_signal_settings(city_folder).colours
    return {
        "index": parse_toml(settings_file(city_folder, FILE), []),
        "groups": {one.name: [one.name_zh, one.name_en] for one in read_group_list(city_folder)},
        "clocks": {one.name: [one.name_zh, one.name_en] for one in clocks},
        "signals": {str(one.number): [one.name_zh, one.name_en] for one in colours},
        "effect_after": {
            grain: read_effect_settings(city_folder, grain=grain).least_after
            for grain in PERIODS_PER_YEAR
        },
    }


def settings_from(entry: Mapping[str, Any]) -> ShownSettings:
    """
    Read what `settings_entry` gave.

    Raises
    ------
    AnalysisSettingsError
        It holds other index settings than this program reads.
    """
    return ShownSettings(
        index=index_settings(entry["index"]),
        groups=_names(entry["groups"]),
        clocks=_names(entry["clocks"]),
        signals={int(number): pair for number, pair in _names(entry["signals"]).items()},
        effect_after=entry.get("effect_after", {}),
    )


def _names(pairs: Mapping[str, list[str]]) -> dict[str, Names]:
    return {name: (chinese, english) for name, (chinese, english) in pairs.items()}
