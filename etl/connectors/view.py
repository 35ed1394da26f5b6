"""
Views of another database, read forward from a watermark through SQLAlchemy.

The watermark of a view is a column whose values only grow, and many rows may have the same value
(a change time in whole seconds). So a poll asks for `>=` the last value and leaves out the rows of
that value that are in already, by their hashes. Where a poll got to stands in the log row of each
page, so that page and progress are kept or lost together: a killed run repeats and loses nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from data.records import rows_chunk
from etl.connectors.mark import HASH_BYTES, Mark, MarkError, read_mark, write_mark
from etl.connectors.taken import STORAGE_FAULTS, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from data.city import City
    from data.intake import Batch, Intake
    from data.source import Source, SqlView

PAGE_ROWS = 50_000
"""Rows that are landed as one batch."""

Row = dict[str, Any]


class ViewError(ValueError):
    """A view cannot be read; what was landed before the fault stays."""


def take_views(
    city: City, intake: Intake, now: dt.datetime, *, environ: Mapping[str, str]
) -> list[Taken]:
    """
    Land what is new in the views of every source; one that fails does not stop the others.

    Returns
    -------
    taken
        One per landed page, and one with its reason per source that failed.
    """
    taken: list[Taken] = []
    for source in city.sources:
        if source.sql is None:
            continue
        try:
            for batch in land_view(source, intake, now, environ=environ):
                taken.append(Taken(source.name, source.sql.view, batch, is_new=True))
        except (ViewError, MarkError, *STORAGE_FAULTS) as error:
            taken.append(Taken(source.name, source.sql.view, error=str(error)))
    return taken


def land_view(
    source: Source,
    intake: Intake,
    now: dt.datetime,
    *,
    environ: Mapping[str, str],
    page_rows: int = PAGE_ROWS,
) -> Iterator[Batch]:
    """
    Land the new rows of one view, page by page, each with its watermark.

    Parameters
    ----------
    environ
        Holds the database's URL under the name that the source gives.

    Yields
    ------
    batch
        After it is on disk.

    Raises
    ------
    ViewError
        The URL is missing or wrong, the database does not answer, a column is missing, or rows
        have no watermark; what was yielded before stays.
    """
    view = source.sql
    assert view is not None
    engine = _engine(view, environ)
    mark = read_mark(intake, source)
    day = now.astimezone(ZoneInfo(source.time_zone)).date()
    try:
        with engine.connect() as connection:
            table = _table(connection, source, view)
            for rows, following in _pages(connection, table, view, mark, page_rows):
                batch, is_new = intake.land(
                    source,
                    [rows_chunk(source, [_plain(row) for row in rows])],
                    kind="view",
                    name=f"{view.view} {day}",
                    content=_content(mark, following, rows),
                    now=now,
                    watermark=write_mark(intake.home, source, following),
                )
                mark = following
                if is_new:
                    yield batch
            _check_unmarked(connection, table, view)
    except SQLAlchemyError as error:
        raise ViewError(f"view {view.view}: {_reason(error)}") from None
    finally:
        engine.dispose()


def _engine(view: SqlView, environ: Mapping[str, str]) -> sa.Engine:
    url = environ.get(view.url_env, "")
    if not url:
        raise ViewError(f"view {view.view}: set {view.url_env} to the database's URL")
    try:
        return sa.create_engine(url, poolclass=sa.NullPool)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # The URL holds a password: only the kind of the fault is told.
        missing = f" ({error})" if isinstance(error, ImportError) else ""
        raise ViewError(
            f"view {view.view}: the URL in {view.url_env} cannot be used{missing}; "
            "write it as dialect+driver://user:password@host/database"
        ) from None


def _table(connection: sa.Connection, source: Source, view: SqlView) -> sa.TableClause:
    """View with the allowed columns and the watermark; SQLAlchemy quotes what needs it."""
    inspector = sa.inspect(connection)
    schema, _, name = view.view.rpartition(".")
    try:
        found = [column["name"] for column in inspector.get_columns(name, schema or None)]
    except sa.exc.NoSuchTableError:
        raise ViewError(f"view {view.view} does not exist, or this user may not read it") from None
    wanted = list(dict.fromkeys([*source.allowed.values(), view.watermark]))
    missing = [column for column in wanted if column not in found]
    if missing:
        raise ViewError(
            f"view {view.view}: {len(missing)} columns are missing: {', '.join(missing[:5])}; "
            f"it has {', '.join(found)}"
        )
    # Without types the driver's own values arrive, whatever the database declares.
    return sa.table(name, *(sa.column(column) for column in wanted), schema=schema or None)


def _pages(
    connection: sa.Connection,
    table: sa.TableClause,
    view: SqlView,
    mark: Mark | None,
    page_rows: int,
) -> Iterator[tuple[list[Row], Mark]]:
    """New rows in order of the watermark, and where each page gets to."""
    column = table.c[view.watermark]
    known = Counter(mark.ties if mark else ())
    query = sa.select(*table.c).order_by(column)
    query = query.where(column.is_not(None) if mark is None else column >= mark.value)
    result = connection.execution_options(yield_per=page_rows).execute(query)
    names = list(result.keys())
    for part in result.partitions():
        rows: list[Row] = []
        for values in part:
            row = dict(zip(names, values, strict=True))
            if mark is not None and row[view.watermark] == mark.value:
                digest = _digest(row)
                if known[digest] > 0:
                    known[digest] -= 1
                    continue
            rows.append(row)
        if rows:
            mark = _after(rows, view, mark)
            yield rows, mark


def _after(rows: list[Row], view: SqlView, mark: Mark | None) -> Mark:
    """Where the next poll goes on: the last value, and the hashes of its rows that are in."""
    last = rows[-1][view.watermark]
    ties = [_digest(row) for row in rows if row[view.watermark] == last]
    if mark is not None and mark.value == last:
        ties += mark.ties
    return Mark(view.view, view.watermark, last, tuple(sorted(ties)))


def _check_unmarked(connection: sa.Connection, table: sa.TableClause, view: SqlView) -> None:
    unmarked = sa.select(sa.literal(1)).select_from(table)
    unmarked = unmarked.where(table.c[view.watermark].is_(None)).limit(1)
    if connection.execute(unmarked).first() is not None:
        raise ViewError(
            f"view {view.view} has rows without {view.watermark}, which are never read; "
            "fill it in the view, for example by COALESCE with the time of entry"
        )


def _plain(row: Row) -> Row:
    """Row as `rows_chunk` takes it: a date is its midnight, an identifier its text."""
    plain = dict(row)
    for name, value in row.items():
        if isinstance(value, UUID):
            plain[name] = str(value)
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            plain[name] = dt.datetime.combine(value, dt.time())
    return plain


def _digest(row: Row) -> bytes:
    """Eight bytes that tell a row from the others of the same watermark."""
    return hashlib.sha256(_bytes(row)).digest()[:HASH_BYTES]


def _content(before: Mark | None, after: Mark, rows: list[Row]) -> str:
    """Hash of a page and of where it begins, so that a page that comes again is the same one."""
    digest = hashlib.sha256(repr((before, after.view, after.column)).encode())
    for row in rows:
        digest.update(_bytes(row))
    return digest.hexdigest()


def _bytes(row: Row) -> bytes:
    return repr(list(row.values())).encode("utf-8", "surrogatepass")


def _reason(error: SQLAlchemyError) -> str:
    """First line of the driver's message; the statement and its values are not repeated."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
