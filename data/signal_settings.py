"""Settings of the early signals: `signals.toml` (see `data.analysis_settings`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.analysis_settings import AnalysisSettingsError, settings_file
from data.tables import REQUIRED, Keys, parse_toml, take

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "signals.toml"


@dataclass(frozen=True)
class Colour:
    """
    A colour and its limits: all must be met.

    `false_share` is the rate of the Benjamini-Hochberg procedure, `ratio` the least observed ÷
    expected at the lowest level, each with its like for the levels above it; `p` is the largest
    probability, `events` the least count.
    """

    number: int
    name_zh: str
    name_en: str
    false_share: float
    false_share_above: float
    p: float
    events: int
    ratio: float
    ratio_above: float


@dataclass(frozen=True)
class SignalSettings:
    """Limits of the signals; `colours` from the lowest up. The file explains each."""

    colours: tuple[Colour, ...]
    hold_days: int
    expires_days: int
    cusum_weeks: int
    cusum_slack: float
    cusum_cap: float
    cusum_limit: float
    cusum_colour: int
    import_events: int
    import_late_share: float
    chance_draws: int


_NUMBER: Final = (int, float)
_KEYS: Final[Keys] = {
    "hold_days": (int, REQUIRED),
    "expires_days": (int, REQUIRED),
    "cusum_weeks": (int, REQUIRED),
    "cusum_slack": (_NUMBER, REQUIRED),
    "cusum_cap": (_NUMBER, REQUIRED),
    "cusum_limit": (_NUMBER, REQUIRED),
    "cusum_colour": (int, REQUIRED),
    "import_events": (int, REQUIRED),
    "import_late_share": (_NUMBER, REQUIRED),
    "chance_draws": (int, REQUIRED),
    "colour": (list, REQUIRED),
}
_COLOUR_KEYS: Final[Keys] = {
    "number": (int, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "false_share": (_NUMBER, REQUIRED),
    "false_share_above": (_NUMBER, REQUIRED),
    "p": (_NUMBER, REQUIRED),
    "events": (int, REQUIRED),
    "ratio": (_NUMBER, REQUIRED),
    "ratio_above": (_NUMBER, REQUIRED),
}


def read_signal_settings(city_folder: Path) -> SignalSettings:
    """
    Limits in force in a city.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = settings_file(city_folder, NAME)
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, path.name, faults)
    colours = []
    for position, table in enumerate(taken.pop("colour"), start=1):
        where = f"{path.name}: colour {position}"
        if not isinstance(table, dict):
            faults.append(f"{where}: write [[colour]] before each table")
            continue
        colours.append(Colour(**take(table, _COLOUR_KEYS, where, faults)))
    _check(colours, taken, path.name, faults)
    if faults:
        raise AnalysisSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    return SignalSettings(colours=tuple(colours), **taken)


def _check(colours: list[Colour], taken: dict[str, float], name: str, faults: list[str]) -> None:
    if [one.number for one in colours] != [1, 2, 3, 4]:
        faults.append(f"{name}: write the colours 1, 2, 3 and 4 in this order")
    for one in colours:
        for key in ("p", "false_share", "false_share_above"):
            if not 0 < getattr(one, key) <= 1:
                faults.append(f"{name}: colour {one.number}: `{key}` must lie between 0 and 1")
    for key in ("hold_days", "expires_days", "cusum_weeks", "import_events", "chance_draws"):
        if taken[key] < 0:
            faults.append(f"{name}: `{key}` must not be negative")
    if taken["cusum_colour"] not in (1, 2, 3, 4):
        faults.append(f"{name}: `cusum_colour` must be 1, 2, 3 or 4")
    if not 0 < taken["cusum_slack"] < taken["cusum_cap"]:
        faults.append(f"{name}: `cusum_slack` must lie between 0 and `cusum_cap`")
