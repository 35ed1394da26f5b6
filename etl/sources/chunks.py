"""What all readers share: the error they raise, the columns they need, chunks of equal size."""

from __future__ import annotations

import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyogrio.errors
import pyproj
import shapely

from data.intake import RawChunk
from data.personal import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.source import Source

SHIFTED_FRAMES = ("GCJ-02", "BD-09")
"""Frames without an EPSG code: files in them claim another one, mostly EPSG:4326."""

_LONGEST_MESSAGE = 300
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
_LISTED_NAMES = 30
# WGS 84 and CGCS2000 differ by centimetres; files declare one for the other all the time.
_SAME_NUMBERS = {"WGS84", "CGCS2000", "EPSG:4326", "EPSG:4490", "OGC:CRS84"}


class SourceError(ValueError):
    """A raw file cannot be read as its source says; the message names source and file."""


@contextmanager
def file_faults(source: Source, path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a file into a `SourceError` that names it."""
    try:
        yield
    except SourceError as error:
        told = one_line(f"source {source.name}: {path.name} {error}")
        raise SourceError(told) from error.__cause__
    except (
        pa.ArrowException,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        shapely.errors.ShapelyError,
        OSError,
        UnicodeError,
        MemoryError,
    ) as error:
        # The first line says what is wrong; further ones may quote the file's content.
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise SourceError(
            one_line(
                f"source {source.name}: {path.name} cannot be read: {line[:_LONGEST_MESSAGE]}; "
                "export it again"
            )
        ) from error


def one_line(text: str) -> str:
    """Text without control characters: words of a file must not steer a terminal or a log."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(mark) in _STEERING else mark
        for mark in text
    )


def wanted_columns(source: Source) -> list[str]:
    """Their names of the allowed columns, each once."""
    return list(dict.fromkeys(source.allowed.values()))


def check_headings(source: Source, present: Sequence[str]) -> None:
    """
    Every allowed column must be there exactly once.

    Raises
    ------
    SourceError
        One is missing or stands twice.
    """
    wanted = wanted_columns(source)
    missing = [name for name in wanted if name not in present]
    if missing:
        shown = ", ".join(map(scrub, present[:_LISTED_NAMES])) or "none"
        more = " …" if len(present) > _LISTED_NAMES else ""
        raise SourceError(
            f"lacks the columns {missing}; it has {shown}{more}; "
            "correct [columns] of the source or the export"
        )
    twice = [name for name in wanted if list(present).count(name) > 1]
    if twice:
        raise SourceError(f"has the columns {twice} more than once; name each column once")


def check_crs(source: Source, declared: Any) -> None:
    """
    The frame that a file declares must not contradict that of the source.

    Parameters
    ----------
    declared
        Anything that pyproj reads as a coordinate reference system; None = the file says nothing.

    Raises
    ------
    SourceError
        It is another frame than `source.frame`, or unknown.
    """
    if declared is None:
        return
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except pyproj.exceptions.CRSError as error:
        raise SourceError("declares a coordinate frame that is unknown; export it again") from error
    name = ":".join(crs.to_authority() or ("", crs.name))
    if source.frame in SHIFTED_FRAMES:
        fits = crs.is_geographic
    elif source.frame in _SAME_NUMBERS:
        fits = name in _SAME_NUMBERS
    else:
        fits = name == source.frame or crs.equals(
            pyproj.CRS.from_user_input(source.frame), ignore_axis_order=True
        )
    if not fits:
        raise SourceError(
            f"declares the frame {name.lstrip(':')}, the source says {source.frame}; "
            "correct `frame` of the source or the export"
        )


def our_columns(
    source: Source,
    theirs: pa.Table,
    numbers: NDArray[np.int64],
    points: Mapping[str, NDArray[np.float64]] | None = None,
) -> pa.Table:
    """
    Table by our names with row numbers; `lng`, `lat` of geometries where the source maps none.

    Parameters
    ----------
    theirs
        The allowed columns by their names.
    numbers
        Number of each row among the data rows of the file.
    points
        `lng` and `lat` of each row's geometry.

    Raises
    ------
    SourceError
        A column holds no plain values.
    """
    columns: dict[str, Any] = {
        ours: _plain(theirs.column(name), name) for ours, name in source.allowed.items()
    }
    if points is not None and "lng" not in columns:
        # Geometries without coordinates are empty, not numbers.
        columns |= {axis: pa.array(values, from_pandas=True) for axis, values in points.items()}
    return pa.table(columns | {"row": pa.array(numbers, pa.int64())})


def regroup(pieces: Iterable[RawChunk], rows: int) -> Iterator[RawChunk]:
    """Chunks of exactly `rows` rows, and a last one with the rest; nothing from nothing."""
    held: list[pa.Table] = []
    malformed: list[NDArray[np.int64]] = []
    for piece in pieces:
        held.append(piece.rows)
        malformed.append(piece.malformed)
        while sum(map(len, held)) >= rows:
            joined = pa.concat_tables(held)
            yield RawChunk(joined.slice(0, rows).combine_chunks(), _joined(malformed))
            held, malformed = [joined.slice(rows)], []
    if any(map(len, held)) or any(map(len, malformed)):
        yield RawChunk(pa.concat_tables(held).combine_chunks(), _joined(malformed))


def _joined(numbers: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, dtype=np.int64), *numbers])


def _plain(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Column as text, number, time or flag; coded text is written out."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_nested(kind):
        raise SourceError(f"holds tables or lists in the column {name!r}; name a plain column")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or _is_other_text(kind):
        column = column.cast(pa.string())
    # Text is not checked where it is read; later steps rely on it.
    column.validate(full=True)
    return column


def _is_other_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
