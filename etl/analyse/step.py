"""
The step of the pipeline: the bed of a snapshot, each method on each period, one file per month.

Methods are called here and nowhere else; what they return is checked against `data.analysis_tables`
and written. Weeks are described as known 28 days after their end (or now, if that is earlier), so
that a build of everything and one of what is new give the same bytes; forecasts and signals know
what was known on their day.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from data import schema
from data.analysis_settings import settings_version
from data.parts import write_table_part
from data.periods import shift
from data.shown_settings import settings_entry
from data.writer import ARROW_TYPES, stored_table
from etl.analyse.aside import Aside
from etl.analyse.marked import inputs_version
from etl.analyse.methods import Methods
from etl.analyse.plan import NEWEST, plan
from etl.analyse.read import read_bed
from etl.analyse.stored import Stored
from etl.ingest import month_text
from etl.risk import STORED_ENDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from data.columns import Kind
    from etl.analyse.bed import Bed
    from etl.covered import Periods
    from etl.publish import Edition

    Parts = dict[str, list[pa.Table]]

LEAST_PERIODS: Final = 8
"""Shorter histories say nothing yet: nothing is analysed."""

ASIDE: Final = ("signals", "clusters", "clocks", "effects", "forecast")
"""Methods of the newest period and day, the longest first."""

CHECKED: Final = 100_000
"""Rows of a frame up to which its key is checked before it is written."""

KNOWN_AFTER: Final = np.timedelta64(28, "D")


@dataclass(frozen=True)
class Analysis:
    """Files of the analysis for the manifest, and what the manifest says of it."""

    entries: list[dict[str, Any]]
    facts: dict[str, Any]


def analyse(
    edition: Edition, periods: Periods, *, folder: str, tell: Callable[[float], None]
) -> Analysis:
    """
    Analyse the periods that are new or changed.

    Parameters
    ----------
    folder
        Snapshot folder, relative to the home.

    Raises
    ------
    AnalysisSettingsError
        A settings file of the city cannot be used.
    """
    city, ends = edition.epoch.city, stored_periods(edition, periods)
    before = (edition.parent or {}).get("analysis", {})
    inputs = inputs_version(edition.epoch.home, city.folder)
    todo = plan(
        ends,
        parent=edition.parent,
        kept=edition.kept,
        changed={
            month_text(month)
            for month in edition.ledger.touched(after=before.get("batch", 0), upto=edition.upto)
        },
        settings=settings_version(city.folder),
        inputs=inputs,
        mode=edition.analyse,
        now=edition.now,
    )
    if todo.ends is None or not ends:
        told = before if todo.kept else {"inputs": inputs}
        return Analysis(todo.kept, told)
    bed = read_bed(
        edition.epoch,
        edition.ledger.paths_by_month(),
        edition.ledger.files("superseded"),
        periods,
        upto=edition.upto,
    )
    past = Stored(edition.epoch.home, edition.kept if todo.is_same else [])
    methods = Methods(bed, city, edition.epoch.boundaries, home=edition.epoch.home, stored=past)
    entries = [
        *todo.kept,
        *(
            write_part(edition.epoch.home, folder, name, month, rows)
            for month, name, rows in analysed(bed, methods, todo.ends, tell)
        ),
    ]
    return Analysis(
        sorted(entries, key=lambda entry: (entry["table"], entry["month"])),
        {
            "settings": settings_version(city.folder),
            "inputs": inputs,
            "made_at": edition.now.isoformat(timespec="seconds"),
            "batch": edition.upto,
            "first": ends[0].isoformat(),
            "last": ends[-1].isoformat(),
            "as_of": periods.as_of.isoformat(),
            **methods.facts(),
            "shown": settings_entry(city.folder),
        },
    )


def stored_periods(edition: Edition, periods: Periods) -> list[dt.date]:
    """Periods that the analysis describes: the newest ones that have a history."""
    grain = edition.epoch.city.grain
    ends = [shift(periods.last, -back, grain=grain) for back in range(STORED_ENDS)][::-1]
    least = shift(periods.first, LEAST_PERIODS, grain=grain)
    return [end for end in ends if end >= least]


def analysed(
    bed: Bed,
    methods: Methods,
    ends: Sequence[dt.date],
    tell: Callable[[float], None] = lambda _share: None,
    *,
    cores: int | None = None,
) -> Iterator[tuple[str, str, pa.Table]]:
    """
    Analyse periods.

    Parameters
    ----------
    ends
        First days of the periods, oldest first.
    cores
        By default those of this machine.

    Yields
    ------
    month, name, rows
        Part, table and rows; each table of a month once.
    """
    starts = bed.starts.astype(object).tolist()
    when = [(starts.index(end), f"{end:%Y-%m}") for end in ends]
    known = {at: min(bed.as_of, bed.ends[at] + KNOWN_AFTER) for at, _ in when}
    aside = Aside(AsStored(methods), cores=cores)
    try:
        for name in ASIDE:
            aside.give("made", name)
        for at, _ in when:
            aside.give("made", "score", at, known[at])
        for month, group in groupby(when, key=lambda one: one[1]):
            stored: Parts = {}
            for at, _ in group:
                _add(stored, methods.period(at, known[at]))
                tell((at - when[0][0]) / len(when))
            yield from _joined(month, stored)
        yield from _newest(methods, aside)
    finally:
        aside.close()


class AsStored:
    """The methods of the newest period and the scores, their tables as they will be stored."""

    def __init__(self, methods: Methods) -> None:
        self._methods = methods

    def made(self, method: str, *arguments: Any) -> dict[str, pa.Table]:
        """Tables of one method, which so take half their room, also between two processes."""
        tables = getattr(self._methods, method)(*arguments)
        return {name: _table(name, rows) for name, rows in tables.items()}


def _newest(methods: Methods, aside: Aside) -> Iterator[tuple[str, str, pa.Table]]:
    """What was worked out aside, and the verdict over all scores."""
    scores: dict[str, Parts] = {}
    cards: list[pa.Table] = []
    for (name, *_), tables in aside.results():
        if name != "score":
            yield from ((NEWEST, table, tables[table]) for table in list(tables))
        elif len(tables["scorecards"]):
            month = f"{tables['scorecards']['period_end'][0].as_py():%Y-%m}"
            for table, rows in tables.items():
                scores.setdefault(month, {}).setdefault(table, []).append(rows)
            cards.append(tables["scorecards"])
    for month, stored in scores.items():
        yield from _joined(month, stored)
    fresh = pa.concat_tables(cards).to_pandas(date_as_object=False) if cards else pd.DataFrame()
    yield from _joined(NEWEST, _add({}, methods.verdicts(fresh)))


def _add(stored: Parts, tables: Mapping[str, pd.DataFrame]) -> Parts:
    """Add frames as they will be stored."""
    for name, rows in tables.items():
        stored.setdefault(name, []).append(_table(name, rows))
    return stored


def _table(name: str, rows: pd.DataFrame) -> pa.Table:
    """
    Rows as they are stored, but texts as codes of few words where they are such.

    Of many rows the key is not looked at here (`pingan verify` does).
    """
    if len(rows) <= CHECKED:
        checked = stored_table(name, rows)
        if not any(isinstance(one, pd.CategoricalDtype) for one in rows.dtypes):
            return checked
    columns = schema.table(name).columns
    return pa.table({one.name: _column(rows[one.name], one.kind) for one in columns})


def _column(values: pd.Series, kind: Kind) -> pa.Array:
    found = pa.array(values, from_pandas=True)
    if kind == "text" and pa.types.is_dictionary(found.type):
        return found.cast(pa.dictionary(pa.int8(), ARROW_TYPES[kind]))
    return found.cast(ARROW_TYPES[kind])


def _joined(month: str, stored: Parts) -> Iterator[tuple[str, str, pa.Table]]:
    for name in list(stored):
        parts = stored.pop(name)
        # One without rows may have other types.
        filled = [one for one in parts if len(one)] or parts[:1]
        yield month, name, pa.concat_tables(filled).unify_dictionaries()
        del parts, filled
    # What was freed is room for the next month, and for others.
    pa.default_memory_pool().release_unused()


def write_part(home: Path, folder: str, name: str, month: str, rows: pa.Table) -> dict[str, Any]:
    """Write one part of a table; the entry for the manifest."""
    return write_table_part(home, folder, name, month, rows, month=month)
