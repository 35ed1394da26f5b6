"""`pingan areas`: boundaries of a level into a city folder, and their check."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.areas.report import Report

app = typer.Typer(help="Boundaries: load a level, check what is there.", no_args_is_help=True)

CityFolder = Annotated[Path, typer.Option("--city", help="City folder.", file_okay=False)]
ReportFolder = Annotated[
    Path | None, typer.Option("--report", help="Folder for the report (.md, .json, .geojson).")
]


@app.command()
def load(  # noqa: PLR0917 - typer calls it with names
    file: Annotated[
        Path, typer.Argument(help="GeoJSON, GeoPackage, GeoParquet, zipped Shapefile.")
    ],
    city: CityFolder,
    level: Annotated[str, typer.Option(help="city, county, township, community or grid.")],
    column: Annotated[
        list[str], typer.Option(help="ours=theirs, such as code=网格编码; once for each column.")
    ],
    frame: Annotated[str, typer.Option(help="EPSG:4490, GCJ-02, BD-09, or any EPSG code.")],
    valid_from: Annotated[
        str | None, typer.Option(help="First day of this edition (re-cut); ISO 8601.")
    ] = None,
    codes: Annotated[Path | None, typer.Option(help="CSV with the official codes.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Finding to accept all the same; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check only, write nothing.")] = False,
    report: ReportFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of areas and, if it is sound, make it a level of the city."""
    with told_in_one_line():
        from etl.areas.load import load as load_level
        from etl.publish import writer_lock

        home = settings().home
        with writer_lock(home):
            found = load_level(
                file,
                folder=city,
                home=home,
                level=level,
                columns=_columns(column),
                frame=frame,
                valid_from=dt.date.fromisoformat(valid_from) if valid_from else None,
                accept=accept or (),
                code_list=codes,
                dry_run=dry_run,
            )
        _print([found], report, as_json=as_json)


@app.command()
def check(
    city: CityFolder,
    level: Annotated[list[str] | None, typer.Option(help="Levels to check; default all.")] = None,
    report: ReportFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check tiling, nesting and codes of the levels that a city has."""
    with told_in_one_line():
        from etl.areas.load import check as check_levels

        found = check_levels(city, home=settings().home, levels=level or ())
        _print(found, report, as_json=as_json)


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        ours, mark, theirs = pair.partition("=")
        if not mark:
            raise typer.BadParameter(f"{pair!r} is not of the form ours=theirs")
        columns[ours.strip()] = theirs.strip()
    return columns


def _print(reports: Sequence[Report], folder: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json([report.as_dict() for report in reports])
    else:
        for report in reports:
            typer.echo(report.as_markdown())
    if folder is not None:
        for report in reports:
            report.write(folder)
    if not all(report.is_sound for report in reports):
        raise typer.Exit(1)
