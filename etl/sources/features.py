"""
GeoJSON (one FeatureCollection) and NDJSON (one object or Feature per line).

Both are read feature by feature with Python's own strict parser: memory does not grow with the
file, and what GDAL would let pass (NaN, numbers that do not fit, bad text) is found. JSON is
UTF-8 by its standard; anything else is refused.
"""

from __future__ import annotations

import codecs
import itertools
import json
import math
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from data.intake import RawChunk
from data.records import rows_chunk
from etl.sources.chunks import SourceError, check_crs, check_headings, regroup, wanted_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.source import Source

_BLOCK_BYTES: Final = 1 << 20
_PIECE_ROWS: Final = 4096
_FEATURE_CHARACTERS: Final = 1 << 26
"""Longest feature; a border of a million vertices has half as many characters."""

_LINE_BYTES: Final = 1 << 20
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def _no_number(text: str) -> Any:
    raise ValueError(f"holds {text}, which is no number")


_STRICT: Final = json.JSONDecoder(parse_constant=_no_number)


def read_chunks(source: Source, path: Path, *, rows: int) -> Iterator[RawChunk]:
    """Chunks of the file; see `etl.sources.read_chunks`."""
    return regroup(_pieces(source, path), rows)


def _pieces(source: Source, path: Path) -> Iterator[RawChunk]:
    """Few rows each, because parsed objects take ten times the memory of a table."""
    features = _features(source, path)
    missing = set(wanted_columns(source))
    before = readable = 0
    while held := list(itertools.islice(features, _PIECE_ROWS)):
        objects = [_properties(feature) for feature in held if isinstance(feature, dict)]
        readable += len(objects)
        if missing:
            missing = missing.difference(*objects)
        yield _piece(source, held, before)
        before += len(held)
    # A name may be absent where its value is empty, so only the whole file tells.
    if readable and missing:
        check_headings(source, headings(source, path))


def headings(source: Source, path: Path) -> list[str]:
    """Names of all objects, in the order of their first use."""
    names: dict[str, None] = {}
    for feature in _features(source, path):
        if isinstance(feature, dict):
            names |= dict.fromkeys(_properties(feature))
    return list(names)


def _features(source: Source, path: Path) -> Iterator[Any]:
    """Features or objects in file order; whatever else stands in their place as it is."""
    with path.open("rb") as stream:
        if stream.read(2) in _UTF16:
            raise SourceError("is UTF-16; export it again as UTF-8")
        stream.seek(0)
        if source.format == "ndjson":
            yield from _lines(stream)
        else:
            yield from _collection(stream, source)


def _lines(stream: BinaryIO) -> Iterator[Any]:
    """Objects of the lines; None where a line is none. Empty lines do not count."""
    first = True
    while line := stream.readline(_LINE_BYTES):
        whole = line.endswith(b"\n") or len(line) < _LINE_BYTES
        rest = line
        while not rest.endswith(b"\n") and (rest := stream.readline(_LINE_BYTES)):
            whole = False
        # RFC 8142 puts a record separator before each text.
        text = line.removeprefix(codecs.BOM_UTF8 if first else b"").lstrip(b"\x1e").strip()
        first = False
        if not whole:
            yield None
        elif text:
            yield _line(text)


def _line(text: bytes) -> Any:
    try:
        return _STRICT.decode(text.decode())
    except (ValueError, RecursionError):
        return None


def _collection(stream: BinaryIO, source: Source) -> Iterator[Any]:
    """Features of a FeatureCollection, whose other members may come before or after them."""
    text = _Text(stream)
    found: dict[str, Any] = {}
    try:
        for key in text.members():
            if key == "features":
                yield from text.elements()
                found[key] = True
            else:
                found[key] = text.value()
    except json.JSONDecodeError as error:
        raise SourceError(f"is damaged JSON ({error.msg}); export it again") from error
    except RecursionError as error:
        raise SourceError("is nested too deeply for GeoJSON; export it again") from error
    except UnicodeDecodeError as error:
        raise SourceError("is no UTF-8, which JSON must be; export it again as UTF-8") from error
    except SourceError:
        raise
    except ValueError as error:
        raise SourceError(f"has a number that cannot be read ({error}); export it again") from error
    if "features" not in found or found.get("type") != "FeatureCollection":
        raise SourceError("is no GeoJSON FeatureCollection; export it as one")
    if "lng" not in source.columns:
        check_crs(source, _crs_name(found.get("crs")))


def _crs_name(member: Any) -> Any:
    """Name in the `crs` member of the standard of 2008, which is still written."""
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    return properties.get("name", "") if isinstance(properties, dict) else ""


class _Text:
    """JSON text of a stream, of which one value at a time is held."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self.held = ""
        self.at = 0
        self.ended = False

    def members(self) -> Iterator[str]:
        """Names of the members of the outer object; the caller takes the value of each."""
        self.expect("{")
        if self.peek() != "}":
            while True:
                name = self.value()
                self.expect(":")
                yield str(name)
                if self.peek() != ",":
                    break
                self.at += 1
        self.expect("}")
        if self.peek():
            raise json.JSONDecodeError("text after the end", "", 0)

    def elements(self) -> Iterator[Any]:
        """Elements of an array."""
        self.expect("[")
        if self.peek() != "]":
            while True:
                yield self.value()
                if self.peek() != ",":
                    break
                self.at += 1
        self.expect("]")

    def value(self) -> Any:
        """Next value, however many blocks it takes."""
        self.peek()
        while True:
            try:
                found, end = _STRICT.raw_decode(self.held, self.at)
            except json.JSONDecodeError:
                if not self.more():
                    raise
                continue
            # A number at the end of the block may go on in the next one.
            if end < len(self.held) or not self.more():
                self.at = end
                return found

    def expect(self, mark: str) -> None:
        if self.peek() != mark:
            raise json.JSONDecodeError(f"no {mark} where one must be", "", 0)
        self.at += 1

    def peek(self) -> str:
        """Next character that is no space, "" at the end."""
        while True:
            space = _SPACE.match(self.held, self.at)
            assert space is not None
            self.at = space.end()
            if self.at < len(self.held):
                return self.held[self.at]
            if not self.more():
                return ""

    def more(self) -> bool:
        """Read on, as much again as is held, so that a long value is not parsed too often."""
        self.held, self.at = self.held[self.at :], 0
        if len(self.held) > _FEATURE_CHARACTERS:
            raise SourceError(
                f"has a feature of more than {_FEATURE_CHARACTERS:,} characters, or is damaged; "
                "export it again"
            )
        block = self.stream.read(max(_BLOCK_BYTES, len(self.held)))
        self.held += self.decoder.decode(block, final=not block)
        return bool(block)


def _piece(source: Source, features: list[Any], before: int) -> RawChunk:
    records = [
        _properties(feature) if isinstance(feature, dict) else feature for feature in features
    ]
    chunk = rows_chunk(source, records, before=before)
    if "lng" in source.columns:
        return chunk
    good = chunk.rows["row"].to_numpy() - before - 1
    points = np.array([_point(features[at]) for at in good], dtype=float).reshape(-1, 2)
    rows = chunk.rows
    for axis, values in zip(("lng", "lat"), points.T, strict=True):
        rows = rows.append_column(axis, pa.array(values, from_pandas=True))
    return RawChunk(rows, chunk.malformed)


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    """Properties of a Feature, or the object itself where it is none."""
    if feature.get("type") != "Feature" or "properties" not in feature:
        return feature
    properties = feature["properties"]
    return properties if isinstance(properties, dict) else {}


def _point(feature: dict[str, Any]) -> tuple[float, float]:
    """Coordinates of a point; not-a-number where the geometry is none."""
    geometry = feature.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        match geometry.get("coordinates"):
            case [int() | float() as lng, int() | float() as lat, *_]:
                if math.isfinite(lng + lat):
                    return float(lng), float(lat)
    return math.nan, math.nan
