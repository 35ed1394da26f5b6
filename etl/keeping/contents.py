"""Contents of a home: which stored files the manifests, the ledgers and the intake log name."""

from __future__ import annotations

import json
import pickle
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from deltalake import DeltaTable

from data.manifest import NoSnapshotError, SnapshotError, checksum
from data.store import MANIFESTS, Store
from etl.ledger import EPOCHS
from etl.months import INCIDENTS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.epoch import Epoch

LEDGER: Final = "ledger.db"
EPOCH: Final = "epoch.pickle"
ACTIVATIONS: Final = "activations.jsonl"
TIES: Final = "ties"
RESERVED: Final = "reserved"
"""Marks a generation whose number must not be used again for other content."""

DELTA_LOG: Final = f"{INCIDENTS}/_delta_log"

Named = dict[str, str | None]
"""Path relative to the home → sha256, or None where nothing states it."""


@dataclass(frozen=True)
class Published:
    """
    The snapshots of a home.

    Attributes
    ----------
    current
        Id that the pointer names; None before the first.
    manifests
        Id to manifest, oldest first; damaged ones are left out.
    """

    current: str | None
    manifests: dict[str, dict[str, Any]]


def read_published(home: Path) -> Published:
    """
    Read the pointer, then every manifest.

    Raises
    ------
    SnapshotError
        The manifest that the pointer names is missing or damaged.
    """
    try:
        current = Store(home).current_id()
    except NoSnapshotError:
        current = None
    found = {}
    for path in sorted((home / MANIFESTS).glob("*.json")):
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(raw, dict) and raw.get("checksum") == checksum(raw):
            found[path.stem] = raw
    if current is not None and current not in found:
        raise SnapshotError(f"manifest {current} is missing or damaged; restore a backup first")
    return Published(current, found)


def named_by_manifest(manifest: dict[str, Any]) -> Named:
    """Files of one snapshot, the incidents that it counts included."""
    found: Named = {
        entry["path"]: entry["sha256"] for entry in [*manifest["files"], *manifest["tiles"]]
    }
    sums: Named = manifest.get("incidents", {}).get("sha256", {})
    return found | sums


def named_by_ledger(database: Path) -> Named:
    """Files of the processed runs of one generation of an epoch."""
    with closing(sqlite3.connect(database, timeout=30)) as log:
        if not _has_table(log, "parts"):
            return {}
        stated = log.execute(
            "SELECT path, sha256 FROM parts UNION ALL SELECT path, sha256 FROM sums"
        )
        return dict(stated.fetchall())


def named_by_intake(database: Path) -> Named:
    """Landed chunks, and the hashes that the watermarks of views stand on."""
    with closing(sqlite3.connect(database, timeout=30)) as log:
        if not _has_table(log, "batches"):
            return {}
        batches = log.execute("SELECT source, watermark, chunks FROM batches ORDER BY batch")
        found: Named = {}
        marks = {}
        for source, watermark, chunks in batches:
            found |= {chunk["path"]: chunk["sha256"] for chunk in json.loads(chunks)}
            if watermark is not None:
                marks[source] = watermark
    return found | {f"{TIES}/{name}": None for name in map(_ties, marks.values()) if name}


def named_by_delta(home: Path) -> set[str]:
    """Parts that make up the Delta table as readers outside see it now."""
    folder = home / INCIDENTS
    if not DeltaTable.is_deltatable(str(folder)):
        return set()
    actions = pa.table(DeltaTable(folder).get_add_actions(flatten=True))
    return {f"{INCIDENTS}/{path}" for path in actions["path"].to_pylist()}


def ledgers(home: Path) -> list[Path]:
    """Databases of every generation of every epoch."""
    return sorted((home / EPOCHS).glob(f"*/[0-9]*/{LEDGER}"))


def boundary_version(home: Path, epoch: str) -> str | None:
    """Boundaries of a kept epoch; None where another version of the program kept it."""
    try:
        # Written under the same home, which only the operator can write to.
        found: Epoch = pickle.loads((home / EPOCHS / epoch / EPOCH).read_bytes())  # noqa: S301  # nosec B301
        return str(found.boundary_version)
    except (OSError, pickle.UnpicklingError, AttributeError, ImportError, TypeError, EOFError):
        return None


def files_below(home: Path, folder: str) -> list[str]:
    """Paths of all files below a folder, relative to the home."""
    return sorted(
        path.relative_to(home).as_posix() for path in (home / folder).rglob("*") if path.is_file()
    )


def _has_table(log: sqlite3.Connection, name: str) -> bool:
    found = log.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def _ties(watermark: str) -> str | None:
    try:
        stored = json.loads(watermark)
    except ValueError:
        return None
    return stored.get("ties") if isinstance(stored, dict) else None
