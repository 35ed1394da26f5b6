"""
The demonstration city: made once per size and seed, then built like any other.

Two of its sources bring no files: a view of another database (an SQLite file here) and pushes. What
`pingan watch` and the web process do for a real city is done for them before the build.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.resources
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from data.city import folder_hash
from data.manifest import SnapshotError
from data.store import Store
from etl.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.intake import Intake
    from data.settings import Settings
    from data.source import Source
    from etl.analyse.plan import Mode
    from etl.pipeline import Progress

_MADE: Final = (
    "CURRENT", "manifests", "snapshots", "epochs", "incidents", "landed", "staging", "ties",
    "files.db", "intake.db", "intake.db-wal", "intake.db-shm", "source/demo", "issued", "reports",
)  # fmt: skip
"""Everything under the home that comes from the city's rows; what prepares a start stays."""

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
    home: Path,
    *,
    size: Literal["tiny", "small", "large"],
    seed: int,
    progress: Progress,
    analyse: Mode = "always",
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

    clear(home)
    synthesize(
        source_folder(home),
        size=size,
        seed=seed,
        progress=lambda step, share: progress(f"make: {step}", _MAKING_SHARE * share),
    )
    take_in(home)
    built = pipeline.build(
        city_folder(),
        home=home,
        options=pipeline.Options(analyse=analyse),
        progress=lambda step, share: progress(step, _MAKING_SHARE + (1 - _MAKING_SHARE) * share),
    )
    return built.manifest


def begin(chosen: Settings, *, progress: Callable[[int, int], None]) -> None:
    """
    Warn by the rules and issue the report of the newest week, as `pingan watch` does in a city.

    Run again it does nothing more.

    Raises
    ------
    IssueError, StateError, AuditError
        The report cannot be issued, or the state database cannot be used.
    """
    # Imported here: a second start needs neither.
    from etl import reporting  # noqa: PLC0415
    from etl.warn.run import warn  # noqa: PLC0415

    folder = city_folder()
    warn(chosen, folder, dt.datetime.now(dt.UTC))
    order = reporting.Order(reporting.newest(chosen.home), folder, by="")
    reporting.issue_week(chosen.home, order, progress=progress)


def clear(home: Path) -> None:
    """
    Remove a demonstration city of another size or seed: the two would be counted as one.

    Raises
    ------
    IntakeError
        The home holds another city.
    """
    from data.city import read_city_code  # noqa: PLC0415
    from data.intake import Intake  # noqa: PLC0415

    Intake(home).bind(read_city_code(city_folder()))
    for name in _MADE:
        path = home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def take_in(home: Path) -> None:
    """
    Land what does not come as a file: the rows of the view, and the sample of a push.

    Raises
    ------
    ValueError
        The view cannot be read.
    """
    from data.city import read_city  # noqa: PLC0415
    from data.intake import Intake  # noqa: PLC0415
    from etl.connectors.view import take_views  # noqa: PLC0415

    city = read_city(city_folder(), home=home)
    intake, now = Intake(home), dt.datetime.now(dt.UTC)
    environ = {
        source.sql.url_env: f"sqlite:///{source_folder(home) / source.name}.db"
        for source in city.sources
        if source.sql is not None
    }
    for taken in take_views(city, intake, now, environ=environ):
        if taken.error:
            raise ValueError(f"demonstration city: {taken.source}: {taken.error}")
    for source in city.sources:
        sample = source_folder(home) / f"{source.name}.json"
        # What phones report begins empty: it is for whoever tries the phone's page.
        if source.push and sample.is_file():
            _push(source, sample, intake, now)


def _push(source: Source, path: Path, intake: Intake, now: dt.datetime) -> None:
    """Land the body of a push as the web process would."""
    from data.records import rows_chunk  # noqa: PLC0415

    body = path.read_bytes()
    rows = json.loads(body)["rows"]
    intake.land(
        source,
        [rows_chunk(source, rows)],
        kind="push",
        name=path.name,
        content=hashlib.sha256(body).hexdigest(),
        now=now,
        headings=sorted({name for row in rows for name in row}),
    )
