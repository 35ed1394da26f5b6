"""The body of a push: JSON or NDJSON, read strictly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from data.source import Source

JSON: Final = "application/json"
NDJSON: Final = ("application/x-ndjson", "application/ndjson")
MOST_ROWS: Final = 10_000

_FIRST: Final = 5


class PushError(ValueError):
    """A body that cannot be taken in; `status` is the answer's."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_push(body: bytes, mimetype: str, source: str | None) -> tuple[str, list[Any]]:
    """
    Source and rows of a body.

    Parameters
    ----------
    source
        From the query; needed for NDJSON, whose lines are rows and nothing else.

    Raises
    ------
    PushError
        The body is not what its type says, names no source, or has too many rows or none.
    """
    text = _decoded(body)
    if mimetype in NDJSON:
        rows = _lines(text)
    else:
        parsed = _parsed(text, "the body")
        if not isinstance(parsed, dict) or not isinstance(parsed.get("rows"), list):
            raise PushError('the body must be {"source": "…", "rows": [{…}, …]}')
        unknown = sorted(set(parsed) - {"source", "rows"})
        if unknown:
            raise PushError(f"unknown keys beside `source` and `rows`: {len(unknown)}")
        rows, source = parsed["rows"], parsed.get("source", source)
    if not isinstance(source, str) or not source:
        raise PushError("no source is named; give `source` in the body, or ?source=… for NDJSON")
    if not rows:
        raise PushError("there is no row")
    if len(rows) > MOST_ROWS:
        raise PushError(f"{len(rows):,} rows; send at most {MOST_ROWS:,} at once", status=413)
    return source, rows


def check_rows(rows: list[Any], source: Source) -> list[str]:
    """
    Check that rows are objects which know the source's columns.

    Returns
    -------
    headings
        Every name that a row has.

    Raises
    ------
    PushError
        With the first rows that are no objects, or with the columns that no row has.
    """
    wrong = [number for number, row in enumerate(rows, start=1) if not isinstance(row, dict)]
    if wrong:
        listed = ", ".join(map(str, wrong[:_FIRST]))
        raise PushError(f"{len(wrong)} of {len(rows):,} rows are no objects (rows {listed})")
    headings = sorted({name for row in rows for name in row})
    needed = [source.columns[ours] for ours in ("occurred_at", "category")]
    missing = [name for name in needed if name not in headings]
    if missing:
        raise PushError(f"no row has the column {', '.join(missing)}; use the source's own names")
    return headings


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PushError(f"the body is not UTF-8 (byte {error.start})") from None


def _lines(text: str) -> list[Any]:
    # Only line feeds end a line: a text may hold other marks that `splitlines` takes for one.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > MOST_ROWS:
        raise PushError(f"{len(lines):,} rows; send at most {MOST_ROWS:,} at once", status=413)
    return [_parsed(line, f"line {number}") for number, line in lines]


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise PushError(f"{what} is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PushError(f"{what} is no JSON: {error.msg} ({where})") from None
    except PushError:
        raise
    except ValueError:
        raise PushError(f"{what} holds a number of too many digits") from None


def _refuse_constant(name: str) -> NoReturn:
    raise PushError(f"{name} is no JSON")
