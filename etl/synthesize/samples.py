"""
Small ledgers, one of each further kind that the product reads, made the way real ones are made.

They have the same number of rows in every size of city. Most have columns about persons, with
values that are nobody's: a reader that lets one of them through shows it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etl.synthesize.dirt import (
    COORDINATE_FAULTS,
    ID_NUMBER_LIKE,
    MALFORMED,
    PERSON_NAME,
    PERSON_PHONE,
    QUARANTINED,
    REFUSED,
    add_dirt,
)
from etl.synthesize.formats import write_ledger, write_push, write_text, write_view
from etl.synthesize.incidents import SECONDS, Incidents, draw_source, join, record
from etl.synthesize.ledgers import (
    TYPED,
    Ledger,
    Located,
    Words,
    columns_of,
    make_ledger,
    read_source,
    stamp,
)
from etl.synthesize.workbook import write_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from etl.synthesize.account import Account
    from etl.synthesize.places import Places
    from etl.synthesize.plan import Ints

SAME_EVENTS: Final = 40
"""Grid reports that residents also told the hotline of."""
_FIRST_SOURCE: Final = "grid_reports"
_SECOND_SOURCE: Final = "hotline_feed"
_SHARED_CLASSES: Final = ("M1", "L2")
_LATER_S: Final = 40 * 60
_RECENT_S: Final = 7 * SECONDS

_CORRECTED: Final = 12
_CORRECTION: Final = "复核销号"
_INBOX: Final = ("inbox/夜间巡查20261108.csv", "inbox/夜间巡查20261115.csv")
# Older than any build, and in this order: a watched folder waits until its files are at rest.
_AT_REST: Final = (1_762_560_000, 1_763_164_800)

_MALFORMED_LINES: Final = {
    "csv": "断行,缺列\n",
    "tsv": "断行\t缺列\n",
    "ndjson": '{"orderNum": "断行", "callTime": \n',
}
_MALFORMED_ROWS: Final = 2
_HAZARD_WORDS: Final = ("整改中", "按期整改", "逾期整改")
_CASE_WORDS: Final = ("处置中", "按期结案", "超期结案")


@dataclass(frozen=True)
class Sample:
    """
    One small ledger.

    Attributes
    ----------
    like
        Source whose habits (delays, gravity, share of points) it has.
    classes
        Upper class to number of incidents.
    file
        Where it is written.
    skipped, planted
        Reasons that cannot be planted in it, and those besides `QUARANTINED`.
    point_share
        As in `make_ledger`.
    """

    like: str
    classes: Mapping[str, int]
    file: str
    words: Words
    skipped: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()
    point_share: float | None = None


SAMPLES: Final[Mapping[str, Sample]] = {
    "street_mediation": Sample(
        "disputes", {"D1": 80, "D2": 160}, "street_mediation.xlsx",
        Words("JD", ("化解中", "化解成功", "逾期化解"),
              {"当事人姓名": PERSON_NAME, "联系电话": PERSON_PHONE, "证件号码": ID_NUMBER_LIKE}),
        planted=(REFUSED,),
    ),
    "justice_mediation": Sample(
        "disputes", {"D6": 240}, "justice_mediation.csv",
        Words("RT", ("调解中", "调解成功", "调解终止"),
              {"申请人姓名": PERSON_NAME, "申请人电话": PERSON_PHONE}),
        planted=(MALFORMED,),
    ),
    "city_management": Sample(
        "grid_reports", {"M1": 240}, "city_management.tsv",
        Words("SZ", _CASE_WORDS, {"infotypename": "事件", "reporter": PERSON_NAME}),
        # In metres, no fault of degrees can be made.
        skipped=COORDINATE_FAULTS,
        planted=(MALFORMED,),
    ),
    "hotline_feed": Sample(
        "hotline", {"L1": 200}, "hotline_feed.ndjson",
        Words("QR", ("办理中", "按期办结", "超期办结"),
              {"sourceType": "12345", "callerName": PERSON_NAME, "callerPhone": PERSON_PHONE}),
        planted=(MALFORMED,),
        # Both reports of an event must have a place.
        point_share=1.0,
    ),
    "fire_checks": Sample(
        "hazards", {"H1": 160, "H2": 80}, "fire_checks.gpkg",
        Words("XF", _HAZARD_WORDS, {"检查人姓名": PERSON_NAME, "联系电话": PERSON_PHONE}),
    ),
    "house_checks": Sample(
        "hazards", {"H3": 240}, "house_checks.zip",
        Words("FW", _HAZARD_WORDS, {"房主姓名": PERSON_NAME, "联系电话": PERSON_PHONE}),
    ),
    "precinct_calls": Sample(
        "police_calls", {"P1": 120, "P4": 120}, "precinct_calls.db",
        Words("FJ", ("已处警", "已处警", "已处警"),
              {"报警人": PERSON_NAME, "联系电话": PERSON_PHONE}),
    ),
    "night_patrol": Sample(
        "hazards", {"H1": 120, "H3": 120}, _INBOX[0],
        Words("YX", _HAZARD_WORDS, {"巡查员": PERSON_NAME}),
    ),
    "grid_app": Sample(
        "grid_reports", {"M2": 240}, "grid_app.json",
        Words("YD", _CASE_WORDS, {"reporterName": PERSON_NAME, "reporterPhone": PERSON_PHONE}),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """Grid reports of which the hotline hears too: their numbers, and what happened."""

    ids: list[str]
    incidents: Incidents


def told_twice(ledger: Ledger, config: dict[str, Any], rng: np.random.Generator) -> Told | None:
    """Choose grid reports with a point that residents also tell the hotline of."""
    if config["name"] != _FIRST_SOURCE:
        return None
    found = ledger.incidents
    shared = [leaf.startswith(_SHARED_CLASSES) for leaf in found.leaves]
    settled = found.occurred < found.occurred.max() - _RECENT_S
    fits = np.flatnonzero(np.array(shared)[found.leaf] & settled & (ledger.placed == 2))
    picked = np.sort(rng.choice(fits, size=SAME_EVENTS, replace=False))
    ids = ledger.rows[config["columns"]["incident_id"]].iloc[picked]
    return Told(ids.tolist(), found.take(picked))


class Sampler:
    """Makes the small ledgers of a city."""

    def __init__(
        self, folder: Path, city: Traversable, *, places: Places, community: Ints, located: Located,
        leaves: list[str], rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.folder, self.city, self.rng = folder, city, rng
        self.places, self.community = places, community
        self.located, self.leaves = located, leaves

    def write(self, told: Told, account: Account) -> None:
        """Write every small ledger and add it to the account."""
        (self.folder / _INBOX[0]).parent.mkdir(exist_ok=True)
        for number, (name, sample) in enumerate(SAMPLES.items()):
            config = read_source(self.city, name)
            found = self._draw(sample)
            if name == _SECOND_SOURCE:
                found = join([found, self._heard(told.incidents, sample.like)])
            ledger = make_ledger(
                found,
                self.located,
                config,
                self.rng,
                words=sample.words,
                point_share=sample.point_share,
            )
            account.count(ledger, self.located, self.leaves)
            if name == _SECOND_SOURCE:
                account.same_events = _pairs(told, ledger, config)
            writing = _Writing(self.folder, name, sample, config, f"S{number}-", self.rng)
            if name == "night_patrol":
                writing.write_corrected(ledger, account)
            else:
                writing.write(ledger, account)

    def _draw(self, sample: Sample) -> Incidents:
        return draw_source(
            sample.like, dict(sample.classes), places=self.places, community=self.community,
            leaves=self.leaves, rng=self.rng,
        )  # fmt: skip

    def _heard(self, found: Incidents, like: str) -> Incidents:
        """The same events as a caller tells them, up to 40 minutes later."""
        later = self.rng.integers(0, _LATER_S, len(found.leaf))
        return record(
            like, found.leaves, leaf=found.leaf, occurred=found.occurred + later,
            address=found.address, rng=self.rng,
        )  # fmt: skip


def _pairs(told: Told, ledger: Ledger, config: dict[str, Any]) -> list[dict[str, str]]:
    """Numbers of both reports of each event; it is known by its address, class and time."""
    numbers = ledger.rows[config["columns"]["incident_id"]].tolist()
    found = ledger.incidents
    pairs = []
    for number, (leaf, address, occurred) in zip(
        told.ids,
        zip(told.incidents.leaf, told.incidents.address, told.incidents.occurred, strict=True),
        strict=True,
    ):
        late = found.occurred - occurred
        same = (found.leaf == leaf) & (found.address == address) & (late >= 0) & (late < _LATER_S)
        second = numbers[int(np.flatnonzero(same)[0])]
        pairs.append({"first": f"{_FIRST_SOURCE}:{number}", "second": f"{_SECOND_SOURCE}:{second}"})
    return pairs


@dataclass(frozen=True)
class _Writing:
    """One small ledger on its way into its file."""

    folder: Path
    name: str
    sample: Sample
    config: dict[str, Any]
    prefix: str
    rng: np.random.Generator

    def write(self, ledger: Ledger, account: Account) -> None:
        rows, reasons = self._soiled(ledger.rows, self.prefix)
        self._write(rows, self.folder / self.sample.file)
        account.add_file(self.name, self.sample.file, ledger.placed, reasons)

    def write_corrected(self, ledger: Ledger, account: Account) -> None:
        """Two files, of which the second corrects rows of the first."""
        half = len(ledger.rows) // 2
        with_point = np.flatnonzero(ledger.placed[:half] == 2)[:_CORRECTED]
        again = ledger.rows.iloc[with_point]
        again = again.assign(**{self.config["columns"]["outcome"]: _CORRECTION})
        parts = (
            (ledger.rows.iloc[:half], ledger.placed[:half]),
            (
                pd.concat([again, ledger.rows.iloc[half:]], ignore_index=True),
                np.concatenate([ledger.placed[with_point], ledger.placed[half:]]),
            ),
        )
        for number, (file, (rows, placed)) in enumerate(zip(_INBOX, parts, strict=True)):
            soiled, reasons = self._soiled(
                rows.astype(ledger.rows.dtypes), f"{self.prefix}{number}"
            )
            self._write(soiled, self.folder / file)
            os.utime(self.folder / file, (_AT_REST[number], _AT_REST[number]))
            account.add_file(self.name, file, placed, reasons, replaces=number * _CORRECTED)

    def _soiled(self, rows: pd.DataFrame, prefix: str) -> tuple[pd.DataFrame, dict[str, int]]:
        planted = tuple(reason for reason in self.sample.planted if reason != MALFORMED)
        wanted = tuple(reason for reason in QUARANTINED if reason not in self.sample.skipped)
        soiled, reasons = add_dirt(
            rows,
            columns=columns_of(self.config),
            prefix=prefix,
            stamp=partial(stamp, config=self.config),
            typed=self.config["format"] in TYPED,
            rng=self.rng,
            reasons=wanted + planted,
        )
        if MALFORMED in self.sample.planted:
            reasons[MALFORMED] = _MALFORMED_ROWS
        return soiled, reasons

    def _write(self, rows: pd.DataFrame, path: Path) -> None:
        columns, form = self.config["columns"], self.config["format"]
        if "sql" in self.config:
            write_view(rows, path, self.config["sql"]["view"])
        elif self.config.get("push"):
            write_push(rows, path, self.name)
        elif form == "xlsx":
            codes = {columns[name] for name in ("category", "severity", "scale", "area_code")}
            times = {theirs for ours, theirs in columns.items() if ours.endswith("_at")}
            write_workbook(
                rows, path, title=self.config["title_zh"], codes=codes, times=times,
                grouped=(columns["lng"], columns["lat"]),
            )  # fmt: skip
        elif self.name == "justice_mediation":
            write_text(rows, path, encoding="gb18030", mark="")
        else:
            write_ledger(rows, path, self.config)
        if MALFORMED in self.sample.planted:
            encoding = "gb18030" if form == "csv" else "utf-8"
            with path.open("ab") as sink:
                sink.write((_MALFORMED_LINES[form] * _MALFORMED_ROWS).encode(encoding))
