"""What earlier snapshots have released: it is named again, and never made anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from data.manifest import SnapshotError
from data.parts import write_table_part
from data.releases import COUNTS
from data.store import MANIFESTS, Store, file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from etl.epoch import Epoch

Entry = dict[str, Any]

RECORD: Final = "released"
"""Key of a manifest: first and last period that were ever released, by kind."""

KINDS: Final = ("counts", "sensitive")

_OF_FILE: Final = ("table", "path", "rows", "sha256")


@dataclass(frozen=True)
class Ever:
    """First and last period that were ever released; what lies between is never released again."""

    first: dt.date
    last: dt.date

    def covers(self, start: dt.date) -> bool:
        """Whether a period may have been released before."""
        return self.first <= start <= self.last


@dataclass
class Standing:
    """
    Releases that stand.

    Attributes
    ----------
    entries
        Kind and first day of the period to the manifest entry of its rows.
    ever
        Kind to the periods that were ever released.
    """

    entries: dict[tuple[str, dt.date], Entry] = field(default_factory=dict)
    ever: dict[str, Ever] = field(default_factory=dict)

    def may_release(self, kind: str, start: dt.date) -> bool:
        """Whether a period was never released before."""
        return kind not in self.ever or not self.ever[kind].covers(start)

    def up_to(self, batch: int) -> Standing:
        """What had been released when a batch was the last one."""
        found = Standing()
        for (kind, start), entry in self.entries.items():
            if entry["batch"] <= batch:
                found.entries[kind, start] = entry
                found.note(kind, [start])
        return found

    def note(self, kind: str, starts: Iterable[dt.date]) -> None:
        """Widen what was ever released."""
        known = [self.ever[kind].first, self.ever[kind].last] if kind in self.ever else []
        if days := [*known, *starts]:
            self.ever[kind] = Ever(min(days), max(days))

    def record(self) -> dict[str, list[str]]:
        """For the manifest."""
        return {
            kind: [ever.first.isoformat(), ever.last.isoformat()]
            for kind, ever in self.ever.items()
        }


def standing(
    epoch: Epoch, parent: Entry | None, wanted: Sequence[dt.date], folder: str
) -> Standing:
    """
    Find what was released of this city.

    Parameters
    ----------
    parent
        Manifest of the published snapshot, if there is a sound one.
    wanted
        First days of the periods that are to be published; what the parent lacks of them is looked
        for in all other snapshots, which may have been current before it.
    folder
        Snapshot folder, relative to the home, for rows whose categories are numbered otherwise now.
    """
    found = Standing()
    if parent is not None and parent["city"]["code"] == epoch.city.code:
        _take(found, epoch, parent, folder)
    missing = [start for start in wanted if (KINDS[0], start) not in found.entries]
    if missing:
        for manifest in _others(epoch, parent):
            _take(found, epoch, manifest, folder, checked=False)
    return found


def _others(epoch: Epoch, parent: Entry | None) -> list[Entry]:
    """
    Manifests of the same city but the parent, newest first, those of the same epoch before others.

    Damaged ones are passed over.
    """
    store, found = Store(epoch.home), []
    names = sorted((path.stem for path in (epoch.home / MANIFESTS).glob("*.json")), reverse=True)
    for name in names:
        if parent is not None and name == parent["snapshot"]:
            continue
        try:
            raw = store.manifest(name).raw
        except SnapshotError:
            continue
        if raw["city"]["code"] == epoch.city.code:
            found.append(raw)
    return sorted(found, key=lambda raw: raw.get("epoch") != epoch.id)


def _take(
    found: Standing, epoch: Epoch, manifest: Entry, folder: str, *, checked: bool = True
) -> None:
    """Add what a manifest names, where nothing stands yet."""
    for kind, days in manifest.get(RECORD, {}).items():
        found.note(kind, map(dt.date.fromisoformat, days))
    renumbered = None if manifest.get("epoch") == epoch.id else _renumbered(epoch, manifest)
    for entry in manifest["files"]:
        if entry["table"] != COUNTS:
            continue
        key = (entry["kind"], dt.date.fromisoformat(entry["period_start"]))
        if key in found.entries or not (checked or _is_sound(epoch.home, entry)):
            continue
        if renumbered is not None:
            entry = _rewritten(epoch.home, entry, renumbered, folder)  # noqa: PLW2901
        found.entries[key] = entry


def _is_sound(home: Path, entry: Entry) -> bool:
    try:
        return file_sha256(home / str(entry["path"])) == str(entry["sha256"])
    except OSError:
        return False


def _renumbered(epoch: Epoch, manifest: Entry) -> dict[int, int] | None:
    """`category_index` then and now; None where it is the same."""
    path = next(entry["path"] for entry in manifest["files"] if entry["table"] == "categories")
    codes = pq.read_table(epoch.home / path, columns=["code"])["code"].to_pylist()
    now = {category.code: at for at, category in enumerate(epoch.city.categories)}
    if codes == list(now):
        return None
    return {at: now[code] for at, code in enumerate(codes) if code in now}


def _rewritten(home: Path, entry: Entry, numbers: dict[int, int], folder: str) -> Entry:
    """Write a release with the categories' numbers of now; rows of those gone are left out."""
    rows = pq.read_table(home / entry["path"])
    then = rows["category_index"].to_pylist()
    kept = [number < 0 or number in numbers for number in then]
    now = pa.array([numbers.get(number, number) for number in then], pa.int32())
    at = rows.schema.get_field_index("category_index")
    rows = rows.set_column(at, "category_index", now).filter(pa.array(kept))
    part = entry["path"].rpartition("/")[2].removesuffix(".parquet")
    facts = {name: value for name, value in entry.items() if name not in _OF_FILE}
    return write_table_part(home, folder, COUNTS, part, rows, **facts)
