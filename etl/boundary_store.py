"""
Finished boundaries on disk: read, repaired and numbered once, loaded many times.

Each version is a folder `boundaries/<version>/` under the home with one GeoParquet file: the
`areas` table, levels from the top down, and each area's polygon. A folder appears whole or not
at all and never changes; the same boundaries give the same bytes. A small file beside the folders
says which version came out of which input files, so that unchanged input is not read again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import pandas as pd

from data import schema
from data.writer import replace_text, sync
from etl.boundaries import Boundaries, read_boundaries

if TYPE_CHECKING:
    from pathlib import Path

    from data.city import City

FOLDER: Final = "boundaries"
_FILE: Final = "areas.parquet"
_DIGEST: Final = "areas.sha256"
_INPUTS: Final = "inputs"


class BoundaryStoreError(ValueError):
    """Stored boundaries that are missing or damaged; the message names the version."""


def boundaries_of(city: City, home: Path, *, program: str) -> Boundaries:
    """
    Boundaries of a city, from the store where its input files were read before.

    Parameters
    ----------
    city
        A city folder; its level files are hashed, not parsed, when they are known.
    home
        The store's root (`PINGAN_HOME`).
    program
        Version of the code; another one reads the input files again.

    Raises
    ------
    etl.boundaries.BoundaryError, geo.divisions.DivisionError
        As in `read_boundaries`.
    """
    known = home / FOLDER / _INPUTS / _inputs_key(city, program)
    if known.is_file():
        try:
            return load(home, known.read_text(encoding="utf-8", errors="replace").strip())
        except BoundaryStoreError:
            # A damaged copy is made anew from the input files.
            known.unlink()
    built = read_boundaries(city)
    save(built, home)
    replace_text(known, built.version + "\n")
    return built


def save(built: Boundaries, home: Path) -> Path:
    """
    Store finished boundaries under their version; on disk when this returns.

    Returns
    -------
    folder
        `boundaries/<version>` under the home. A sound folder that is there stays as it is.
    """
    folder = home / FOLDER / built.version
    if folder.is_dir():
        try:
            load(home, built.version)
        except BoundaryStoreError:
            shutil.rmtree(folder)
        else:
            return folder
    waiting = folder.with_name(f".{built.version}.{os.getpid()}")
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    try:
        _write(built, waiting)
        sync(waiting)
        _move(waiting, folder)
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    for parent in (folder.parent, home):
        sync(parent)
    return folder


def load(home: Path, version: str) -> Boundaries:
    """
    Read stored boundaries; equal to those that were saved.

    Raises
    ------
    BoundaryStoreError
        The version is not there, or its file is damaged.
    """
    folder = home / FOLDER / version
    if not folder.is_dir():
        raise BoundaryStoreError(f"boundaries {version} are not stored; run `pingan build`")
    try:
        content = (folder / _FILE).read_bytes()
        sound = (folder / _DIGEST).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BoundaryStoreError(f"boundaries {version} cannot be read: {error}") from error
    # Page checksums leave headers and statistics out; the digest covers every byte.
    if hashlib.sha256(content).hexdigest() != sound:
        raise BoundaryStoreError(
            f"boundaries {version} are damaged; remove {FOLDER}/{version} and build again"
        )
    rows = gpd.read_parquet(io.BytesIO(content))
    geometries = {
        str(level): part.to_numpy()
        for level, part in rows.geometry.groupby(rows["level"], sort=False)
    }
    return Boundaries(_areas(rows), geometries, version)


def _write(built: Boundaries, folder: Path) -> None:
    shapes = [shape for shapes in built.geometries.values() for shape in shapes]
    rows = gpd.GeoDataFrame(built.areas.copy(), geometry=shapes, crs="EPSG:4326")
    content = io.BytesIO()
    rows.to_parquet(content, compression="zstd", index=False, write_page_checksum=True)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    for name, part in ((_FILE, content.getvalue()), (_DIGEST, digest.encode("ascii"))):
        (folder / name).write_bytes(part)
        sync(folder / name)


def _areas(rows: gpd.GeoDataFrame) -> pd.DataFrame:
    """Areas as `read_boundaries` types them: texts and dates are objects, null is None."""
    areas = pd.DataFrame(rows.drop(columns="geometry"))
    for column in schema.table("areas").columns:
        values = areas[column.name]
        if column.kind in ("text", "date") and column.name != "level":
            areas[column.name] = values.astype(object).where(values.notna(), None)
    return areas


def _move(waiting: Path, folder: Path) -> None:
    try:
        waiting.rename(folder)
    except OSError:
        # Another process stored the same version in the meantime.
        if not folder.is_dir():
            raise


def _inputs_key(city: City, program: str) -> str:
    said = [program, city.code, city.name_zh, city.name_en, city.exposure]
    digest = hashlib.sha256(repr(said).encode())
    for level in city.levels:
        name = level.file.name if level.file else None
        # Where the file lies does not matter; what areas.toml says of it does.
        digest.update(repr((dataclasses.replace(level, file=None), name)).encode())
        if level.file is not None:
            with level.file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
