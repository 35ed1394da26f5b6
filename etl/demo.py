"""The demonstration city: made once per size and seed, then built like any other."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from data.city import folder_hash
from data.store import SnapshotError, Store
from etl.version import code_version

if TYPE_CHECKING:
    from etl.pipeline import Progress

_TRUTH: Final = "truth.json"
_MAKING_SHARE: Final = 0.4


def city_folder() -> Path:
    """Folder of the demonstration city inside the product."""
    return Path(str(importlib.resources.files("data"))) / "cities" / "demo"


def source_folder(home: Path) -> Path:
    """Where the made files lie."""
    return home / "source" / "demo"


def ready_manifest(home: Path, *, size: str, seed: int) -> dict[str, Any] | None:
    """Manifest of the published demonstration of this size, seed and program, if there is one."""
    try:
        store = Store(home)
        manifest = store.manifest(store.current_id()).raw
        truth = json.loads((source_folder(home) / _TRUTH).read_text(encoding="utf-8"))
    except (SnapshotError, OSError, json.JSONDecodeError):
        return None
    folder = city_folder()
    wanted = (size, seed, code_version(), folder_hash(folder))
    found = (
        truth.get("size"),
        truth.get("seed"),
        manifest["code_version"],
        manifest["config_hash"],
    )
    return manifest if wanted == found else None


def make(
    home: Path, *, size: Literal["tiny", "small", "large"], seed: int, progress: Progress
) -> dict[str, Any]:
    """
    Make the files of the city and publish its snapshot.

    Returns
    -------
    manifest
        As stored.
    """
    # Imported here: a second start needs neither.
    from etl import pipeline  # noqa: PLC0415
    from etl.synthesize import synthesize  # noqa: PLC0415

    synthesize(
        source_folder(home),
        size=size,
        seed=seed,
        progress=lambda step, share: progress(f"make: {step}", _MAKING_SHARE * share),
    )
    built = pipeline.build(
        city_folder(),
        home=home,
        progress=lambda step, share: progress(step, _MAKING_SHARE + (1 - _MAKING_SHARE) * share),
    )
    return built.manifest
