"""
Settings of the analysis: files that the city may replace, one by one.

`data/reference/analysis/` holds the defaults; a file of the same name in the folder `analysis` of a
city folder takes the place of the default as a whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from data.tables import REQUIRED, Keys, tables, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.city import Category, City

DEFAULTS: Final = Path(__file__).parent / "reference" / "analysis"
FOLDER: Final = "analysis"
ACTIONS: Final = "actions.csv"
"""Marked actions of a city: see `data.actions`."""

NO_GROUP: Final = -1


class AnalysisSettingsError(ValueError):
    """A settings file of the analysis cannot be used; the message lists every fault."""


@dataclass(frozen=True)
class Group:
    """A group of categories that is analysed by itself."""

    name: str
    name_zh: str
    name_en: str
    categories: tuple[str, ...]


def settings_file(city_folder: Path, name: str) -> Path:
    """The city's own file of that name, else the default."""
    own = city_folder / FOLDER / name
    return own if own.is_file() else DEFAULTS / name


def settings_version(city_folder: Path) -> str:
    """Sixteen hexadecimal digits of all settings that are in force: the config version."""
    digest = hashlib.sha256()
    for default in sorted(DEFAULTS.iterdir()):
        path = settings_file(city_folder, default.name)
        digest.update(default.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def inputs_version(city_folder: Path) -> str:
    """Sixteen hexadecimal digits of the settings and of the marked actions."""
    actions = city_folder / ACTIONS
    told = actions.read_bytes() if actions.is_file() else b""
    return hashlib.sha256(settings_version(city_folder).encode() + told).hexdigest()[:16]


_GROUP_KEYS: Final[Keys] = {
    "name": (str, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "categories": (list, REQUIRED),
}


def read_group_list(city_folder: Path) -> tuple[Group, ...]:
    """
    Groups in their order.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = settings_file(city_folder, "groups.toml")
    faults: list[str] = []
    found = []
    for number, table in enumerate(tables(path, "group", faults), start=1):
        taken = take(table, _GROUP_KEYS, f"{path.name}: group {number}", faults)
        codes = taken.pop("categories")
        if not all(isinstance(code, str) for code in codes):
            faults.append(f"{path.name}: group {number}: `categories` must be codes")
            codes = []
        found.append(Group(**taken, categories=tuple(codes)))
    names = [one.name for one in found]
    named = [code for one in found for code in one.categories]
    if len(set(names)) < len(names) or "all" in names:
        faults.append(f"{path.name}: group names must differ, and none may be `all`")
    if len(set(named)) < len(named):
        faults.append(f"{path.name}: a category is in two groups")
    if faults:
        raise AnalysisSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    return tuple(found)


def read_groups(city: City) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the groups that the city has a category of, and the group of each category."""
    listed = read_group_list(city.folder)
    positions = [group_position(listed, category) for category in city.categories]
    kept = [number for number in range(len(listed)) if number in positions]
    renumbered = {number: place for place, number in enumerate(kept)}
    found = np.array([renumbered.get(one, NO_GROUP) for one in positions], dtype=np.int64)
    return tuple(listed[number].name for number in kept), found


def group_position(listed: Sequence[Group], category: Category) -> int:
    """Position of the group that names a category or its parent, `NO_GROUP` = none."""
    for code in (category.code, category.parent_code):
        for number, group in enumerate(listed):
            if code in group.categories:
                return number
    return NO_GROUP
