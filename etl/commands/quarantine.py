"""`pingan quarantine`: the refused rows, to read, to send back, and to process anew."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Rows that were refused: list, send back, replay.", no_args_is_help=True)

CityFolder = Annotated[Path, typer.Option("--city", help="City folder.", file_okay=False)]
SourceName = Annotated[str | None, typer.Option("--source", help="Only of this source.")]
Reason = Annotated[str | None, typer.Option(help="Only of this reason.")]


@app.command("list")
def list_rows(
    source: SourceName = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(help="Rows to print.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Print refused rows: file, row, reason and a masked excerpt."""
    with told_in_one_line():
        from etl.sources.reasons import reason as words

        rows = _quarantine(source, reason)
        if as_json:
            print_json(rows.to_dict("records"))
            return
        counts = rows.groupby(["source", "reason"]).size().reset_index(name="rows")
        print_rows(
            f"{len(rows):,} rows in quarantine",
            ("source", "reason", "rows", "what to do"),
            [
                (row.source, row.reason, int(row.rows), words(str(row.reason)).do_en)
                for row in counts.itertuples()
            ],
        )
        shown = rows.head(limit)
        names = ("source", "file", "row", "reason", "field", "value")
        print_rows(
            f"the first {len(shown):,}",
            names,
            [tuple(entry[name] for name in names) for entry in shown.to_dict("records")],
        )


@app.command()
def workbook(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    file: Annotated[Path, typer.Argument(help="The ledger that was read.", exists=True)],
    out: Annotated[Path, typer.Option(help="Workbook to write (.xlsx).")],
    city: CityFolder,
) -> None:
    """Write the refused rows of a ledger with the reason beside each, to send back."""
    with told_in_one_line():
        from data.city import read_city
        from etl.sources.error_workbook import write_error_workbook

        home = settings().home
        found = read_city(city, home=home)
        named = {entry.name: entry for entry in found.sources}
        if source not in named:
            raise typer.BadParameter(f"no source {source!r}; there are {', '.join(named)}")
        rows = _quarantine(source, None)
        rows = rows[rows["file"] == file.name]
        written = write_error_workbook(named[source], file, rows, out)
        typer.echo(f"{written:,} rows of {file.name} with their reasons are in {out}")


@app.command()
def replay(city: CityFolder, as_json: AsJson = False) -> None:
    """
    Process every landed row anew after a mapping was corrected.

    Rows that are good now leave the quarantine; nothing is counted twice.
    """
    with told_in_one_line():
        from etl.pipeline import build

        before = _account()
        after = build(city, home=settings().home).manifest["rows"]
        if as_json:
            print_json({"before": before, "after": after})
            return
        names = ("read", "accepted", "quarantined", "duplicate", "refused")
        print_rows("rows", ("", *names), [
            ("before", *(before[name] for name in names)),
            ("after", *(after[name] for name in names)),
        ])  # fmt: skip


def _account() -> dict[str, int]:
    from data.store import Store

    store = Store(settings().home)
    rows: dict[str, int] = store.manifest(store.current_id()).rows
    return rows


def _quarantine(source: str | None, reason: str | None) -> pd.DataFrame:
    from data.store import Store

    rows = Store(settings().home).refresh().read("quarantine")
    kept = rows["source"].notna()
    if source is not None:
        kept &= rows["source"] == source
    if reason is not None:
        kept &= rows["reason"] == reason
    found: pd.DataFrame = rows[kept]
    return found
