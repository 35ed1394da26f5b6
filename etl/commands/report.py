"""`pingan report`: issue the weekly report, list what is issued."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, print_rows, progress_bar, settings, told_in_one_line

if TYPE_CHECKING:
    from data.issues import Issue
    from data.settings import Settings

app = typer.Typer(help="Weekly report: issue it, list the issues.", no_args_is_help=True)

CityFolder = Annotated[
    Path | None,
    typer.Option("--city", file_okay=False, exists=True, help="City folder with report.toml."),
]


@app.command()
def issue(
    week: Annotated[
        str | None, typer.Option(help="Period, as 2026-W46; the newest if left out.")
    ] = None,
    city: CityFolder = None,
    correct: Annotated[str, typer.Option(metavar="REASON", help="Why it is issued again.")] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze a snapshot and issue a week: city, county and township editions."""
    with told_in_one_line():
        from etl.reporting import Order, issue_week, newest

        chosen = settings()
        folder = city or (Path(chosen.city) if chosen.city else None)
        order = Order(week or newest(chosen.home), folder, getpass.getuser(), correct.strip())
        with progress_bar(quiet=as_json, lines=True) as told:

            def tell(done: int, of: int) -> None:
                told(f"editions {done}/{of}", done / of)

            made = issue_week(chosen.home, order, progress=tell)
        _announce(chosen)
        if as_json:
            print_json(_figures(made))
        else:
            typer.echo(
                f"issue {made.number} of {made.year} ({made.week}), version {made.version}: "
                f"{len(_editions(made)):,} editions, snapshot {made.snapshot}"
            )


@app.command()
def files(  # noqa: PLR0917 - options, each with its name
    to: Annotated[Path, typer.Option("--to", file_okay=False, help="Folder of the documents.")],
    week: Annotated[str | None, typer.Option(help="Issue; the newest if left out.")] = None,
    version: Annotated[int | None, typer.Option(help="Version; the newest if left out.")] = None,
    formats: Annotated[str, typer.Option(help="Of docx, pdf, xlsx.")] = "docx,pdf,xlsx",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: AsJson = False,
) -> None:
    """Write the documents of all editions of an issue; run again it writes what is missing."""
    with told_in_one_line():
        from etl.report_files import wanted, write_files

        home = settings().home
        asked = wanted(home, to, week=week, version=version, formats=formats, lang=lang)
        with progress_bar(quiet=as_json, lines=True) as told:
            written = write_files(
                home, asked, by=getpass.getuser(),
                progress=lambda done, of: told(f"documents {done}/{of}", done / of),
            )  # fmt: skip
        if as_json:
            print_json(written._asdict())
        else:
            typer.echo(
                f"{written.made:,} documents written to {to}, {written.kept:,} were there already"
            )
        for name, why in written.failed.items():
            typer.echo(f"pingan: {name}: {why}", err=True)
        if written.failed:
            typer.echo(f"pingan: {len(written.failed):,} documents failed; run it again", err=True)
            raise typer.Exit(1)


@app.command("list")
def list_issues(as_json: AsJson = False) -> None:
    """List every issue and its corrections, the newest first."""
    with told_in_one_line():
        from data.issues import damaged, issues

        home = settings().home
        found = issues(home)
        for said in damaged(home).values():
            typer.echo(f"pingan: {said}", err=True)
        if as_json:
            print_json([_figures(one) for one in found])
            return
        print_rows(
            "issues",
            ("week", "number", "version", "editions", "snapshot", "issued", "by", "reason"),
            [
                (one.week, one.number, one.version, len(_editions(one)), one.snapshot,
                 one.created_at, one.created_by, one.reason)
                for one in found
            ],
        )  # fmt: skip


def _announce(chosen: Settings) -> None:
    """Post the messages of what was issued; where that fails, the next to deliver does it."""
    import datetime as dt

    from data.deliveries.outbox import Outbox
    from data.state.database import StateError, open_state
    from data.state.migrate import upgrade
    from etl.delivering.issued import announce

    try:
        database = open_state(chosen.state, chosen.home)
        upgrade(database)
        announce(Outbox(database), chosen.home, dt.datetime.now(dt.UTC))
        database.close()
    except (StateError, ValueError) as error:
        typer.echo(f"pingan: issued, but not told yet: {error}", err=True)


def _editions(made: Issue) -> list[str]:
    """Files of an issue that are editions: named by a level and a code."""
    return [name for name in made.files if "-" in name]


def _figures(made: Issue) -> dict[str, object]:
    return {
        "week": made.week,
        "number": made.number,
        "version": made.version,
        "snapshot": made.snapshot,
        "frozen": made.frozen,
        "editions": len(_editions(made)),
        "created_at": made.created_at,
        "created_by": made.created_by,
        "reason": made.reason,
    }
