"""
The console command `pingan`.

Libraries are imported inside the commands: `pingan serve` and a second `pingan demo` must not
wait for those of the pipeline.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from etl.commands import (
    areas,
    audit,
    deliver,
    keeping,
    matches,
    quarantine,
    report,
    screen,
    source,
    state,
    token,
    user,
    warn,
    watching,
)
from etl.console import (
    AsJson,
    print_checks,
    print_json,
    print_rows,
    progress_bar,
    settings,
    told_in_one_line,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.settings import Settings

app = typer.Typer(
    help="平安地图 Ping'an Map: build, check and serve the safety map of a city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(areas.app, name="areas")
app.add_typer(source.app, name="source")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(matches.app, name="matches")
app.add_typer(token.app, name="token")
app.add_typer(screen.app, name="screen")
app.add_typer(user.app, name="user")
app.add_typer(audit.app, name="audit")
app.add_typer(report.app, name="report")
app.add_typer(deliver.app, name="deliver")
app.add_typer(state.app, name="state")
watching.register(app)
warn.register(app)
keeping.register(app)

_DEFAULT_SEED: Final = 20261115
_ACCOUNT: Final = ("read", "accepted", "quarantined", "duplicate", "refused")


class Size(StrEnum):
    """Sizes of the demonstration city."""

    tiny = "tiny"
    small = "small"
    large = "large"


CityFolder = Annotated[Path, typer.Option("--city", help="City folder.", file_okay=False)]


@app.command()
def demo(
    size: Annotated[Size, typer.Option(help="How large the made city is.")] = Size.small,
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = _DEFAULT_SEED,
    serve: Annotated[bool, typer.Option(help="Serve the map after building it.")] = True,
    port: Annotated[int | None, typer.Option(help="Port instead of PINGAN_PORT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the demonstration city, build its snapshot and serve the map."""
    with told_in_one_line():
        from etl import demo as demo_city

        chosen = settings(port)
        manifest = demo_city.ready_manifest(chosen.home, size=size.value, seed=seed)
        if manifest is None:
            with progress_bar(quiet=as_json) as progress:
                manifest = demo_city.make(
                    chosen.home, size=size.value, seed=seed, progress=progress
                )
        _report(manifest, as_json=as_json)
        if serve:
            with progress_bar(quiet=as_json, lines=True) as told:

                def tell(done: int, of: int) -> None:
                    told(f"weekly report {done}/{of}", done / of)

                demo_city.begin(chosen, progress=tell)
            # Its sources take pushes and uploads, as those of a real city do.
            _serve(replace(chosen, city=chosen.city or str(demo_city.city_folder())))


@app.command()
def build(  # noqa: PLR0917 - typer calls it with names
    city: CityFolder,
    force: Annotated[bool, typer.Option(help="Process all landed rows anew.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(help="Rebuild what was known at this day or time (ISO 8601), beside today's."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Dask workers to start here.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in what is new, process it and publish a snapshot."""
    with told_in_one_line():
        from etl import pipeline

        options = pipeline.Options(
            force=force, workers=workers, cluster=cluster, as_of=_moment(as_of, city)
        )
        with progress_bar(quiet=as_json) as progress:
            built = pipeline.build(city, home=settings().home, progress=progress, options=options)
        if not built.is_new and not as_json:
            typer.echo(f"nothing new; snapshot {built.manifest['snapshot']} is kept")
        _report(built.manifest, as_json=as_json)
        for file, reason in built.failed.items():
            typer.echo(f"pingan: not taken in: {file}: {reason}", err=True)
        if built.failed:
            raise typer.Exit(1)


@app.command()
def verify(
    snapshot: Annotated[str | None, typer.Option(help="Id instead of the published one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every sum and file of a snapshot; exit 1 when one does not hold."""
    with told_in_one_line():
        from etl.verify import verify as check_snapshot

        report = check_snapshot(settings().home, snapshot)
        if as_json:
            print_json(report)
        else:
            print_checks(report["checks"])
            typer.echo(f"snapshot {report['snapshot']}: {'ok' if report['ok'] else 'NOT OK'}")
        if not report["ok"]:
            raise typer.Exit(1)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port instead of PINGAN_PORT.")] = None,
) -> None:
    """Serve the published snapshot."""
    with told_in_one_line():
        from data.store import Store

        chosen = settings(port)
        store = Store(chosen.home)
        _report(store.manifest(store.current_id()).raw, as_json=False)
        _serve(chosen)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this machine, and what 等保 level 3 and the laws ask for; exit 1 at a failure."""
    with told_in_one_line():
        from rich.markup import escape

        from etl.doctor import COLUMNS, heading, report

        found = report(settings(), now=dt.datetime.now(dt.UTC), environ=os.environ)
        if as_json:
            print_json(found)
        else:
            print_checks(found["checks"])
            rows = [[escape(row[name]) for name in COLUMNS] for row in found["controls"]]
            print_rows(heading(found["controls"]), COLUMNS, rows)
        if not found["ok"]:
            raise typer.Exit(1)


def _moment(text: str | None, city: Path) -> dt.datetime | None:
    """A day means its end, in city time."""
    if text is None:
        return None
    from zoneinfo import ZoneInfo

    from data.city import read_city

    zone = ZoneInfo(read_city(city, home=settings().home).time_zone)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no day or time such as 2026-11-16 or 2026-11-16T08:00"
        ) from None
    if len(text) == len("2026-11-16"):
        moment += dt.timedelta(days=1) - dt.timedelta(microseconds=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _serve(chosen: Settings) -> None:
    from etl.serving import serve_map

    first = user.first_address(chosen)
    if first is not None:
        typer.echo(f"no account yet; the first security administrator is made, once, at\n{first}")
    raise typer.Exit(serve_map(chosen, started=typer.echo))


def _report(manifest: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        keys = (
            "snapshot", "code_version", "batch", "periods", "rows", "sources",
            "published_agreement",
        )  # fmt: skip
        print_json({key: manifest[key] for key in keys})
    else:
        _print_account(manifest)


def _print_account(manifest: Mapping[str, Any]) -> None:
    """Print what became of every row."""
    rows = manifest["rows"]
    lines = [
        (entry["title_en"], *(entry[name] for name in _ACCOUNT)) for entry in manifest["sources"]
    ]
    print_rows(
        f"{manifest['city']['name_en']} · snapshot {manifest['snapshot']}",
        ("source", *_ACCOUNT),
        [*lines, ("all", *(rows[name] for name in _ACCOUNT))],
    )
    typer.echo(
        f"incidents: {rows['incidents']:,} (accepted {rows['accepted']:,} less "
        f"{rows['superseded']:,} versions that a later one replaced)"
    )
    for title, counts in (
        ("quarantined", rows["quarantine_reasons"]),
        ("refused", rows["refused_reasons"]),
        ("placed by code, point wrong", rows["points_dropped"]),
        ("incidents not placed", rows["not_placed"] | {"without a point": rows["no_point"]}),
    ):
        if counts:
            listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            typer.echo(f"{title}: {listed}")
    for name, count in manifest["left_out"].items():
        typer.echo(
            f"{name}: {count:,} rows are kept but not counted: the city names no such source"
        )
    if manifest["matches"]["pairs"]:
        typer.echo(
            f"reported by two channels: {manifest['matches']['pairs']:,} pairs proposed, none "
            "merged; `pingan matches list`"
        )
    for entry in manifest["sources"]:
        for column, values in entry["unmapped"].items():
            listed = ", ".join(f"{value} {count:,}" for value, count in list(values.items())[:5])
            typer.echo(f"{entry['name']}: {column} codes that no table knows: {listed}")
