"""`letters.toml`: which finding asks for which letter, to whom it goes, and how it is numbered."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from data.letters.kinds import KINDS, LETTERS
from data.tables import REQUIRED, Keys, parse_toml, take
from geo.divisions import LEVELS

FILE: Final = "letters.toml"

RULES: Final = ("repeat_red", "red", "orange", "hot_lasting", "hot_new", "more", "overdue")
"""Findings that the program knows."""

MOST_DAYS: Final = 90
LONGEST_NAME: Final = 40
LONGEST_CODE: Final = 16

COLOURS: Final = range(5)
"""0 = any."""


class LetterSettingsError(ValueError):
    """`letters.toml` cannot be used; every fault at once."""


@dataclass(frozen=True)
class Rule:
    """A finding, the letter that it asks for, from which number on, and days for the answer."""

    name: str
    letter: str
    least: int
    days: int


@dataclass(frozen=True)
class Addressee:
    """To whom letters about areas of a level go; `colour` 0 = whatever the colour."""

    level: str
    name_zh: str
    name_en: str
    colour: int = 0


@dataclass(frozen=True)
class LetterSettings:
    """
    Content of `letters.toml`.

    Attributes
    ----------
    codes
        Of each kind what stands before the year of its numbers: Chinese, English.
    """

    codes: dict[str, tuple[str, str]]
    rules: tuple[Rule, ...]
    addressees: tuple[Addressee, ...]

    def addressee(self, level: str, colour: int) -> Addressee | None:
        """To whom a letter goes; the line of the colour before the one of any."""
        fitting = [one for one in self.addressees if one.level == level]
        return next(
            (one for wanted in (colour, 0) for one in fitting if one.colour == wanted), None
        )


_KEYS: Final[Keys] = {
    "code_zh": (dict, REQUIRED),
    "code_en": (dict, REQUIRED),
    "rule": (list, REQUIRED),
    "addressee": (list, REQUIRED),
}
_CODES: Final[Keys] = dict.fromkeys(KINDS, (str, REQUIRED))
_RULE: Final[Keys] = {
    "name": (str, REQUIRED),
    "letter": (str, REQUIRED),
    "least": (int, 0),
    "days": (int, REQUIRED),
}
_ADDRESSEE: Final[Keys] = {
    "level": (str, REQUIRED),
    "colour": (int, 0),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
}


def read_letter_settings(city_folder: Path | None) -> LetterSettings:
    """
    Read the city's own file, else the default.

    Raises
    ------
    LetterSettingsError
        The file cannot be used.
    """
    own = city_folder / FILE if city_folder else None
    path = own if own and own.is_file() else Path(str(resources.files("data"))) / "reference" / FILE
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, FILE, faults)
    codes = _codes(taken["code_zh"], taken["code_en"], faults)
    rules = tuple(Rule(**one) for one in _listed(taken["rule"], _RULE, "rule", faults))
    addressees = tuple(
        Addressee(**one) for one in _listed(taken["addressee"], _ADDRESSEE, "addressee", faults)
    )
    faults += _wrong_rules(rules) if not faults else []
    faults += _wrong_addressees(addressees) if not faults else []
    if faults:
        raise LetterSettingsError("; ".join(faults))
    return LetterSettings(codes, rules, addressees)


def _codes(
    chinese: dict[str, Any], english: dict[str, Any], faults: list[str]
) -> dict[str, tuple[str, str]]:
    zh = take(chinese, _CODES, f"{FILE}: [code_zh]", faults)
    en = take(english, _CODES, f"{FILE}: [code_en]", faults)
    long = [
        name for name in KINDS if not all(0 < len(one[name]) <= LONGEST_CODE for one in (zh, en))
    ]
    faults += [f"{FILE}: the code of {name} must have 1 to {LONGEST_CODE} signs" for name in long]
    if len(set(zh.values())) < len(KINDS) or len(set(en.values())) < len(KINDS):
        faults.append(f"{FILE}: the codes must differ, or two letters would have one number")
    return {name: (zh[name], en[name]) for name in KINDS}


def _listed(tables: list[Any], keys: Keys, name: str, faults: list[str]) -> list[dict[str, Any]]:
    found = []
    for at, table in enumerate(tables, start=1):
        if isinstance(table, dict):
            found.append(take(table, keys, f"{FILE}: [[{name}]] {at}", faults))
        else:
            faults.append(f"{FILE}: [[{name}]] {at}: must be a table")
    return found


def _wrong_rules(rules: tuple[Rule, ...]) -> list[str]:
    faults = []
    for one in rules:
        where = f"{FILE}: rule {one.name!r}"
        if one.name not in RULES:
            faults.append(f"{where}: `name` must be one of {', '.join(RULES)}")
        if one.letter not in LETTERS:
            faults.append(f"{where}: `letter` must be one of {', '.join(LETTERS)}")
        if one.least < 0 or not 1 <= one.days <= MOST_DAYS:
            faults.append(f"{where}: `least` must be 0 or more, `days` 1 to {MOST_DAYS}")
    if len({one.name for one in rules}) < len(rules):
        faults.append(f"{FILE}: every rule must stand once")
    return faults


def _wrong_addressees(addressees: tuple[Addressee, ...]) -> list[str]:
    faults = []
    for one in addressees:
        where = f"{FILE}: addressee of {one.level!r}"
        if one.level not in LEVELS or one.colour not in COLOURS:
            faults.append(f"{where}: `level` must be one of {', '.join(LEVELS)}, `colour` 0 to 4")
        for name in (one.name_zh, one.name_en):
            bare = name.replace("{area}", "")
            if not 0 < len(name) <= LONGEST_NAME or "{" in bare or "}" in bare:
                faults.append(f"{where}: names have 1 to {LONGEST_NAME} signs and no {{}} but area")
    if len({(one.level, one.colour) for one in addressees}) < len(addressees):
        faults.append(f"{FILE}: every level and colour must stand once")
    return faults
