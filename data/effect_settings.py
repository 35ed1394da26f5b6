"""Settings of "did it work": kinds of actions, and the windows that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.analysis_settings import AnalysisSettingsError, settings_file
from data.periods import PERIODS_PER_YEAR
from data.tables import REQUIRED, Keys, parse_toml, take

if TYPE_CHECKING:
    from pathlib import Path

    from data.periods import Grain

FILE: Final = "effect.toml"


@dataclass(frozen=True)
class ActionKind:
    """A kind of action."""

    name: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class EffectSettings:
    """
    Content of `effect.toml`, its windows in periods of the city.

    Attributes
    ----------
    matching, before, excluded, after
        Lengths of the windows in their order in time; the action lies before the last.
    least_after
        Periods after an action before which nothing is told.
    peers, placebos
        Areas compared with, and areas whose changes tell what chance does.
    least_before
        Incidents before an action below which nothing is told.
    """

    matching: int
    before: int
    excluded: int
    after: int
    least_after: int
    peers: int
    placebos: int
    least_before: int
    kinds: tuple[ActionKind, ...]


_WINDOWS: Final = ("matching", "before", "excluded", "after", "least_after")
_KEYS: Final[Keys] = {
    **dict.fromkeys((*_WINDOWS, "peers", "placebos", "least_before"), (int, REQUIRED)),
    "kind": (list, REQUIRED),
}
_KIND_KEYS: Final[Keys] = dict.fromkeys(("name", "name_zh", "name_en"), (str, REQUIRED))


def read_effect_settings(city_folder: Path, *, grain: Grain) -> EffectSettings:
    """
    Read the settings that are in force in a city.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = settings_file(city_folder, FILE)
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, path.name, faults)
    tables = taken.pop("kind")
    kinds = tuple(
        ActionKind(**take(table, _KIND_KEYS, f"{path.name}: kind {number}", faults))
        for number, table in enumerate(tables, start=1)
        if isinstance(table, dict)
    )
    if len(kinds) < len(tables) or len({kind.name for kind in kinds}) < len(kinds):
        faults.append(f"{path.name}: write [[kind]] before each kind; their names must differ")
    faults += [f"{path.name}: `{key}` must be at least 1" for key in taken if taken[key] < 1]
    if faults:
        raise AnalysisSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    share = PERIODS_PER_YEAR[grain] / PERIODS_PER_YEAR["week"]
    windows = {key: max(1, round(taken[key] * share)) for key in _WINDOWS}
    return EffectSettings(kinds=kinds, **taken | windows)
