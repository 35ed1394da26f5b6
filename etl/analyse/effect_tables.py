"""Stored table `effects`: every marked action of a city, and the change after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.actions import ActionsError
from etl.analyse.effect import Effect, measure, windows
from geo import divisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scipy import sparse

    from data.actions import Action
    from data.effect_settings import EffectSettings
    from etl.analyse.bed import Bed, Flags, Floats, Ints
    from etl.analyse.effect import Windows

COLUMNS = (
    "period_end", "action", "level", "area_index", "group", "kind", "day", "before", "after",
    "before_periods", "after_periods", "peers", "peer_before", "peer_after", "ratio", "lower",
    "upper", "placebos", "verdict", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class PlacedAction:
    """An action and the position of its area at its level."""

    action: Action
    index: int

    @property
    def day(self) -> np.datetime64:
        """Day of the action."""
        return np.datetime64(self.action.day, "D")


def place_actions(actions: Sequence[Action], areas: pd.DataFrame) -> list[PlacedAction]:
    """
    Find the areas of actions.

    Parameters
    ----------
    areas
        The `areas` table.

    Raises
    ------
    ActionsError
        With every action whose area is unknown or not valid on its day.
    """
    found, missing = _places(actions, areas)
    if missing:
        faults = (
            f"actions.csv: {one.id}: no {one.level} has code {one.code} on its day"
            for one in missing
        )
        raise ActionsError("\n".join(faults))
    return found


def place_letters(letters: Sequence[Action], areas: pd.DataFrame) -> list[PlacedAction]:
    """Find the areas of signed letters; one whose area is no more cannot be measured."""
    return _places(letters, areas)[0]


def _places(
    actions: Sequence[Action], areas: pd.DataFrame
) -> tuple[list[PlacedAction], list[Action]]:
    """Actions with their areas, and those whose area is unknown or not valid on their day."""
    starts, ends = divisions.validity(areas)
    place: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(areas["level"], areas["code"], strict=True)):
        place.setdefault(key, []).append(row)
    index = areas["area_index"].to_numpy()
    found, missing = [], []
    for one in actions:
        day = np.datetime64(one.day, "D")
        rows = [r for r in place.get((one.level, one.code), []) if starts[r] <= day < ends[r]]
        if rows:
            found.append(PlacedAction(one, int(index[rows[0]])))
        else:
            missing.append(one)
    return found, missing


def effect_tables(
    bed: Bed,
    actions: Sequence[PlacedAction],
    settings: EffectSettings,
    at: int,
    known_on: np.datetime64,
    *,
    adjacency: Mapping[str, sparse.csr_array] | None = None,
) -> dict[str, pd.DataFrame]:
    """
    Effects of all actions so far, as known at the end of a day.

    Parameters
    ----------
    at
        Position of the last period that counts.
    adjacency
        Neighbours of the areas of a level, which are no peers: an action may reach them.

    Returns
    -------
    tables
        `effects`.
    """
    rows = []
    known = [one for one in actions if one.action.level in bed.levels and one.day <= bed.ends[at]]
    histories: dict[tuple[str, str], Floats] = {}
    reach = {
        level: [touched(bed, level, one) for one in known]
        for level in {one.action.level for one in known}
    }
    for one in known:
        level, group = one.action.level, one.action.group
        spans = action_windows(bed, one, settings, at)
        if isinstance(spans, str):
            rows.append(_row(bed, one, Effect(reason=spans), spans, at))
            continue
        if (level, group) not in histories:
            histories[level, group] = bed.history(level, group, known_on)
        others = list(zip(known, reach[level], strict=True))
        peers = possible_peers(bed, one, others, spans, (adjacency or {}).get(level))
        effect = (
            Effect(reason=peers)
            if isinstance(peers, str)
            else measure(histories[level, group], one.index, peers, spans, settings)
        )
        rows.append(_row(bed, one, effect, spans, at))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    whole = ("before", "after", "peer_before", "peer_after")
    return {"effects": frame.astype(dict.fromkeys(whole, "Int64"))}


def action_windows(bed: Bed, one: PlacedAction, settings: EffectSettings, at: int) -> Windows | str:
    """Windows of an action in the periods up to `at`, or the reason why there are none."""
    first = int(np.searchsorted(bed.starts, one.day, side="right")) - 1
    after = int(np.searchsorted(bed.starts, one.day, side="left"))
    return windows(max(first, 0), after, at + 1, settings)


def possible_peers(
    bed: Bed,
    one: PlacedAction,
    others: Sequence[tuple[PlacedAction, Ints]],
    spans: Windows,
    near: sparse.csr_array | None,
) -> Flags | str:
    """
    Areas of the level that are valid throughout, untouched and no neighbours; or why none are.

    Parameters
    ----------
    others
        Actions, this one among them, with the areas of the level that they touch.
    """
    level, index = one.action.level, one.index
    areas = bed.level_areas(level)
    days = bed.starts[spans.matching.start], bed.ends[spans.after.stop - 1]
    found = areas.valid(days[0]) & areas.valid(days[1])
    if not found[index]:
        return "area_not_valid"
    for other, reached in others:
        if other is one or not days[0] <= other.day <= days[1]:
            continue
        if bed.levels.index(other.action.level) < bed.levels.index(level):
            # What was done in all of a larger area was done to these peers as well.
            inside = np.zeros(len(found), dtype=bool)
            inside[reached] = True
            found &= inside == inside[index]
        elif index in reached:
            return "other_action"
        else:
            found[reached] = False
    found[index] = False
    if near is not None:
        found[near.indices[near.indptr[index] : near.indptr[index + 1]]] = False
    return found


def touched(bed: Bed, level: str, one: PlacedAction) -> Ints:
    """Areas of a level in which, in part of which, or around which an action was taken."""
    depth, theirs = bed.levels.index(level), bed.levels.index(one.action.level)
    found = np.array([one.index])
    for above in range(theirs, depth, -1):
        found = bed.areas[above].parent[found]
        found = found[found >= 0]
    for below in range(theirs + 1, depth + 1):
        found = np.flatnonzero(np.isin(bed.areas[below].parent, found))
    return found


def _row(
    bed: Bed, one: PlacedAction, effect: Effect, spans: Windows | str, at: int
) -> dict[str, object]:
    lengths = (0, 0) if isinstance(spans, str) else spans.lengths
    return {
        "period_end": bed.starts[at].astype(object),
        "action": one.action.id,
        "level": one.action.level,
        "area_index": one.index,
        "group": one.action.group,
        "kind": one.action.kind,
        "day": one.action.day,
        "before_periods": lengths[0],
        "after_periods": lengths[1],
        **asdict(effect),
    }
