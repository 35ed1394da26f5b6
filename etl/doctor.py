"""What a machine needs to build and serve a city, checked one by one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.settings import Settings

_PYTHON = (3, 11)
_VENDORED = "dashboard/assets/vendor"


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
    found = subprocess.run(  # noqa: S603 - a fixed question to a known tool
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
