"""
What a snapshot asks for: which warnings to open, to raise, to go on with and to end.

Nothing is written here, so that a dry run and a run see the same.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from data.analysis_settings import DEFAULTS, group_position, read_group_list
from data.city import Category
from data.warnings.episodes import Episode, fingerprint_of, newest_episodes
from data.warnings.opening import is_higher
from data.warnings.tree import AreaTree
from etl.warn.conditions import CONDITIONS
from etl.warn.found import Sight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from data.store import Snapshot
    from data.warnings import Unit, Warnings
    from data.warnings.episodes import Key
    from data.warnings.settings import Rule, WarningSettings
    from etl.warn.found import Found

OPEN, RAISE = "open", "raise"
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """One warning to open or to raise, with everything that `Warnings.open` needs."""

    action: str
    fingerprint: str
    rule: str
    found: Found
    colour: int
    repeats: int
    owner: Unit


@dataclass(frozen=True)
class Plan:
    """
    What is to be done for one snapshot.

    Attributes
    ----------
    seen, ended
        Id of a warning to the day of the data on which its condition held, or no longer did.
    silent
        Rules whose table is not stored: of them nothing is known.
    """

    snapshot: str
    wanted: tuple[Wanted, ...]
    seen: Mapping[int, dt.date] = field(default_factory=dict)
    ended: Mapping[int, dt.date] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


def plan(snapshot: Snapshot, warnings: Warnings, city_folder: Path | None) -> Plan:
    """Compare what the rules find with the episodes that there are."""
    settings = warnings.settings
    sight = _sight(snapshot, city_folder)
    by_kind: dict[str, list[Rule]] = {}
    for rule in sorted(settings.rules, key=lambda one: -one.threshold):
        by_kind.setdefault(rule.kind, []).append(rule)
    silent: list[str] = []
    holding: dict[Key, tuple[Rule, Found]] = {}
    looked: dict[str, tuple[dt.date, frozenset[tuple[str, str]]]] = {}
    for kind, rules in by_kind.items():
        for rule in rules:
            findings = CONDITIONS[kind](sight, rule)
            if findings is None:
                silent.append(rule.name)
                continue
            for found in findings.found:
                holding.setdefault((kind, *found.place, found.group), (rule, found))
            unknown = findings.unknown | looked.get(kind, (findings.day, frozenset()))[1]
            looked[kind] = (findings.day, unknown)
    oldest = min((day for day, _ in looked.values()), default=dt.date.max)
    since = oldest - settings.repeat_days * _DAY
    episodes = newest_episodes(warnings.database, since=since)
    wanted, seen = _begun(holding, episodes, settings, sight.tree)
    ended = {
        episode.id: looked[key[0]][0]
        for key, episode in episodes.items()
        if key[0] in looked and key not in holding and not episode.is_over
        and key[1:3] not in looked[key[0]][1] and looked[key[0]][0] >= episode.seen_on
    }  # fmt: skip
    return Plan(snapshot.id, tuple(wanted), seen, ended, tuple(sorted(silent)))


def _begun(
    holding: Mapping[Key, tuple[Rule, Found]],
    episodes: Mapping[Key, Episode],
    settings: WarningSettings,
    tree: AreaTree,
) -> tuple[list[Wanted], dict[int, dt.date]]:
    """What opens or rises, and which conditions merely go on."""
    wanted, seen = [], {}
    for key, (rule, found) in sorted(holding.items()):
        known = episodes.get(key)
        colour = rule.colour or found.colour
        if known is not None and not known.is_over:
            repeats = max(known.repeats, found.repeats)
            fingerprint, action = known.fingerprint, RAISE
            if found.day > known.seen_on:
                seen[known.id] = found.day
            if not is_higher(known, colour, repeats, settings):
                continue
        elif known is not None and found.day <= known.seen_on:
            continue  # what was archived is not opened again by the same data
        else:
            again = known is not None and found.day - known.seen_on <= settings.repeat_days * _DAY
            repeats = max(found.repeats, known.repeats + 1 if known and again else 1)
            fingerprint, action = fingerprint_of(key, found.day), OPEN
        places = tree.path(*found.place)
        owner = settings.owner(places, found.group, colour, repeats)
        wanted.append(Wanted(action, fingerprint, rule.name, found, colour, repeats, owner))
    return wanted, seen


def _sight(snapshot: Snapshot, city_folder: Path | None) -> Sight:
    """The snapshot with the groups of its categories."""
    listed = read_group_list(city_folder or DEFAULTS.parent)
    groups, codes = {}, {}
    for row in snapshot.categories.itertuples():
        parent = row.parent_code if isinstance(row.parent_code, str) else None
        index, code = int(row.category_index), str(row.code)
        codes[index] = code
        at = group_position(listed, Category(code, parent, "", ""))
        if at >= 0:
            groups[index] = listed[at].name
    return Sight(snapshot, AreaTree(snapshot.areas), groups, codes)
