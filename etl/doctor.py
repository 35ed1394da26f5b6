"""What a machine needs to build and serve a city, and what the rules ask of it, one by one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from data.settings import Settings

COLUMNS: Final = ("control", "source", "state", "detail")
"""Columns of the compliance table."""

_PYTHON = (3, 11)
_VENDORED = "dashboard/assets/vendor"


def report(settings: Settings, *, now: dt.datetime, environ: Mapping[str, str]) -> dict[str, Any]:
    """
    Run every check and judge every control.

    Parameters
    ----------
    now
        Aware.

    Returns
    -------
    report
        `ok`, the `checks` of the machine, and the `controls` of the compliance table, each with
        the columns `COLUMNS`. Not ok is a failed check or control; what is to be checked by hand
        is no failure.
    """
    from etl import compliance  # noqa: PLC0415 - it loads pandas and DuckDB

    checks = examine(settings)
    controls = [
        control.told() for control in compliance.examine(settings, now=now, environ=environ)
    ]
    failed = [row for row in controls if row["state"] == "fail"]
    return {
        "ok": all(check["ok"] for check in checks) and not failed,
        "checks": checks,
        "controls": controls,
    }


def heading(controls: Sequence[Mapping[str, str]]) -> str:
    """Title of the compliance table: how many controls are in each state."""
    counts = Counter(row["state"] for row in controls)
    states = ("pass", "fail", "not applicable", "by hand")
    return "compliance: " + ", ".join(f"{counts[state]} {state}" for state in states)


def examine(settings: Settings) -> list[dict[str, Any]]:
    """
    Run every check.

    Returns
    -------
    checks
        `name`, `ok` and `detail` of each; a detail of a failed check says what to do.
    """
    return [
        _entry("python", *_python()),
        _entry("map library", *_vendor()),
        _entry("home", *_home(settings.home)),
        _entry("chinese font", *_font()),
        _entry("snapshot", *_snapshot(settings.home)),
        _entry("delivery", *_delivery(settings)),
    ]


def _entry(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail}


def _python() -> tuple[bool, str]:
    found = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= _PYTHON, f"{found} (3.11 or newer)"


def _vendor() -> tuple[bool, str]:
    spec = importlib.util.find_spec("data")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parents[1] / _VENDORED
    files = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    if any("maplibre" in path.name for path in files):
        return True, f"{len(files)} files in {_VENDORED}"
    return False, f"{_VENDORED} has no MapLibre; run `make setup`"


def _home(home: Path) -> tuple[bool, str]:
    nearest = next(path for path in (home.absolute(), *home.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        return False, f"{nearest} cannot be written; choose another PINGAN_HOME"
    free_gb = shutil.disk_usage(nearest).free / 1e9
    return free_gb > 1, f"{home}: {free_gb:.0f} GB free (1 needed)"


def _font() -> tuple[bool, str]:
    tool = shutil.which("fc-list")
    if tool is None:
        return True, "not checked: fontconfig is not installed (viewers use their own fonts)"
    found = subprocess.run(  # noqa: S603 - a fixed question to a known tool  # nosec B603
        [tool, ":lang=zh", "family"], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if found:
        return True, f"{len(set(found))} families"
    return False, "no Chinese font for server-drawn pictures; install fonts-noto-cjk"


def _snapshot(home: Path) -> tuple[bool, str]:
    from data.manifest import SnapshotError  # noqa: PLC0415
    from data.store import Store  # noqa: PLC0415 - it loads pandas and DuckDB

    try:
        store = Store(home)
        manifest = store.manifest(store.current_id())
    except SnapshotError as error:
        return True, f"none yet: {error}"
    return True, f"{manifest.id} of {manifest.city['name_en']}"


def _delivery(settings: Settings) -> tuple[bool, str]:
    from data.deliveries.channels import (  # noqa: PLC0415
        DeliverySettingsError,
        read_delivery_settings,
    )
    from data.deliveries.outbox import FAILED, GIVEN_UP, STATES, Outbox  # noqa: PLC0415
    from data.state.database import StateDatabase, StateError, state_url  # noqa: PLC0415

    try:
        city = Path(settings.city) if settings.city else None
        channels = read_delivery_settings(city, public_url=settings.public_url).channels
    except DeliverySettingsError as error:
        return False, str(error)
    database = StateDatabase(state_url(settings.state, settings.home))
    # To open a file that is not there would make it.
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        return True, f"{len(channels)} channels; nothing was sent yet"
    try:
        standings = Outbox(database).standings()
    except StateError as error:
        return False, str(error)
    finally:
        database.close()
    counts = {state: sum(one.counts[state] for one in standings) for state in STATES}
    told = ", ".join(f"{counts[state]:,} {state.replace('_', ' ')}" for state in STATES)
    bad = [one for one in standings if one.counts[FAILED] or one.counts[GIVEN_UP]]
    why = "".join(f"; {one.channel}: {one.reason}" for one in bad)
    again = "; `pingan deliver retry` tries anew" if counts[GIVEN_UP] else ""
    return not bad, f"{len(channels)} channels; {told}{why}{again}"
