"""Retention: which snapshots, epochs and boundaries are kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data.store import MANIFESTS
from etl.history import activations
from etl.keeping import contents
from etl.keeping.freeze import issued_maps
from etl.ledger import EPOCHS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from etl.keeping.contents import Published

GRACE: Final = dt.timedelta(hours=1)
"""A reader may have a snapshot open for so long after the next one was published."""


@dataclass(frozen=True)
class Retention:
    """
    What to keep besides the published snapshot and the frozen ones.

    Attributes
    ----------
    snapshots
        Newest snapshots, at least one; those made by `--as-of` are counted by themselves.
    days
        Days back that can be rebuilt as they were known.
    """

    snapshots: int = 14
    days: int = 400

    def __post_init__(self) -> None:
        if self.snapshots < 1 or self.days < 0:
            raise ValueError("keep at least one snapshot and no negative number of days")


def kept_snapshots(
    home: Path, published: Published, retention: Retention, now: dt.datetime
) -> list[str]:
    """
    Ids of the snapshots to keep, oldest first.

    Those are the published one, the newest, the frozen ones, and those that were replaced less
    than `GRACE` ago. A snapshot's manifest file tells when it was published: what the manifest
    says of itself is when its build began.
    """
    kept = {published.current} | {issued.snapshot for issued in issued_maps(home)}
    for is_current in (True, False):
        ids = [
            name
            for name, raw in published.manifests.items()
            if (raw.get("current") is not False) == is_current
        ]
        kept |= set(ids[-retention.snapshots :])
        followers = ids[1:] if is_current else ids
        for name, follower in zip(ids, followers, strict=False):
            changed = (home / MANIFESTS / f"{follower}.json").stat().st_mtime
            if now - dt.datetime.fromtimestamp(changed, dt.UTC) < GRACE:
                kept.add(name)
    return [name for name in published.manifests if name in kept]


def kept_epochs(home: Path, published: Published, since: dt.datetime) -> set[str]:
    """Epochs in force at any time since a moment, the last one, and the published snapshot's."""
    known = activations(home)
    ends = [*(one.at for one in known), "~"][1:]
    stamp = since.astimezone(dt.UTC).isoformat()
    kept = {one.epoch for one, end in zip(known, ends, strict=False) if end >= stamp}
    if published.current is not None:
        kept.add(str(published.manifests[published.current].get("epoch")))
    return kept


def kept_boundaries(
    home: Path, manifests: Iterable[dict[str, Any]], epochs: set[str]
) -> set[str] | None:
    """Boundary versions in use; None where that cannot be told, and all must stay."""
    versions = {str(manifest.get("boundary_version")) for manifest in manifests}
    for epoch in epochs:
        if not (home / EPOCHS / epoch / contents.EPOCH).is_file():
            continue
        version = contents.boundary_version(home, epoch)
        if version is None:
            return None
        versions.add(version)
    return versions
