"""`pingan ingest` and `pingan watch`: take in what has arrived, once or all the time."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from etl.console import AsJson, print_json, settings, told_in_one_line

if TYPE_CHECKING:
    from etl.arriving.beside import Beside
    from etl.connectors.taken import Taken
    from etl.delivering.rounds import Rounds
    from etl.reporting import Schedule
    from etl.warn.run import Round

CityFolder = Annotated[Path, typer.Option("--city", help="City folder.", file_okay=False)]

GIVES_WAY: Final = 5
"""Niceness of the builds of `pingan watch`; not of the feed, which was started before."""


def ingest(city: CityFolder, as_json: AsJson = False) -> None:
    """Take in files and views without processing them; the next build does that."""
    with told_in_one_line():
        from data.city import read_city
        from data.intake import Intake
        from etl.connectors.files import take_files
        from etl.connectors.view import take_views

        home, now = settings().home, dt.datetime.now(dt.UTC)
        found, intake = read_city(city, home=home), Intake(home)
        taken = [
            *take_files(found, intake, now),
            *take_views(found, intake, now, environ=os.environ),
        ]
        if as_json:
            print_json([_as_dict(one) for one in taken])
        else:
            for one in taken:
                typer.echo(_line(one))
            typer.echo(f"{sum(one.is_new for one in taken)} new batches")
        if any(one.error for one in taken):
            raise typer.Exit(1)


def watch(city: CityFolder) -> None:
    """Take in whatever arrives and publish, until stopped."""
    with told_in_one_line():
        from etl import pipeline
        from etl.arriving.beside import Beside
        from etl.connectors.watch import stopped_by_signals
        from etl.connectors.watch import watch as run
        from etl.delivering.rounds import Rounds
        from etl.reporting import Schedule
        from etl.warn.run import Round

        home, due = settings().home, pipeline.Options(analyse="due")
        schedule, warned = Schedule(home, city), Round(settings(), city)
        sent = Rounds(settings(), city)
        with stopped_by_signals() as stopped, Beside(settings(), city) as fed:
            os.nice(GIVES_WAY)  # a build takes every core; screens and clicks go first
            run(
                city,
                home,
                build=lambda: int(pipeline.build(city, home=home, options=due).manifest["batch"]),
                clock=lambda: dt.datetime.now(dt.UTC),
                wait=stopped.wait,
                stop=stopped.is_set,
                environ=os.environ,
                report=lambda one: typer.echo(_line(one)),
                is_stale=lambda now: pipeline.analysis_waits(pipeline.published(home), now),
                after=lambda now: _tell(now, fed, warned, schedule, sent),
            )


def _tell(now: dt.datetime, *parts: Beside | Schedule | Round | Rounds) -> None:
    """See to the feed, warn, issue and send what is due, and say so; a fault is said once."""
    for part in parts:
        said = part.round(now)
        if said:
            typer.echo(said)


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command()(ingest)
    app.command()(watch)


def _as_dict(one: Taken) -> dict[str, object]:
    return {
        "source": one.source,
        "name": one.name,
        "batch": one.batch.number if one.batch else None,
        "rows": one.batch.read if one.batch else 0,
        "refused": one.batch.refused if one.batch else {},
        "is_new": one.is_new,
        "error": one.error,
    }


def _line(one: Taken) -> str:
    from data import refusals

    where = f"{one.source or 'city'}: {one.name}"
    if one.error:
        return f"{where}: not taken in: {one.error}"
    assert one.batch is not None
    told = [f"{where}: batch {one.batch.number}, {one.batch.read:,} rows"]
    for reason, count in one.batch.refused.items():
        told.append(f"  {refusals.message(reason, count, one.source).en}")
    return "\n".join(told)
