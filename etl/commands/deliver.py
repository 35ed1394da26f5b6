"""`pingan deliver`: send what waits in the outbox, look at it, try a channel."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.delivering.sender import Sender

app = typer.Typer(help="Messages by mail and bots: send, list, retry, test.")

INTERVAL_S: Final = 10.0

CityFolder = Annotated[
    Path | None,
    typer.Option("--city", file_okay=False, exists=True, help="City folder with delivery.toml."),
]


@app.callback(invoke_without_command=True)
def deliver(
    context: typer.Context,
    city: CityFolder = None,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
) -> None:
    """Send what waits, until stopped; without a channel nothing is sent."""
    context.obj = city
    if context.invoked_subcommand is not None:
        return
    from etl.connectors.watch import stopped_by_signals
    from etl.delivering.rounds import Rounds

    with told_in_one_line():
        if once:
            with _opened(city) as sender:
                raise typer.Exit(_once(sender))
        rounds = Rounds(settings(), city)
        with stopped_by_signals() as stopped:
            while not stopped.is_set():
                if said := rounds.round(dt.datetime.now(dt.UTC)):
                    typer.echo(said)
                stopped.wait(INTERVAL_S)


@app.command("list")
def list_deliveries(context: typer.Context, as_json: AsJson = False) -> None:
    """List the channels with their counts by state, and the newest deliveries."""
    with told_in_one_line(), _opened(context.obj) as sender:
        standings = sender.outbox.standings()
        newest = sender.outbox.newest(most=50)
        if as_json:
            print_json(
                {
                    "channels": [one.name for one in sender.settings().channels],
                    "waiting_for_a_channel": sender.outbox.unrouted(),
                    "standings": [one._asdict() for one in standings],
                    "newest": [one._asdict() for one in newest],
                }
            )
            return
        typer.echo(_channels(sender))
        print_rows(
            "channels",
            ("channel", "waiting", "failed", "sent", "given up", "last reason"),
            [(one.channel, *one.counts.values(), one.reason) for one in standings],
        )
        print_rows(
            "newest deliveries",
            ("message", "kind", "place", "channel", "state", "tries", "reason"),
            [
                (one.message, one.kind, one.place, one.channel, one.state, one.tries, one.reason)
                for one in newest
            ],
        )


@app.command()
def retry(
    context: typer.Context,
    channel: Annotated[str, typer.Option(help="Only of this channel.")] = "",
) -> None:
    """Try anew what failed or was given up."""
    with told_in_one_line(), _opened(context.obj) as sender:
        count = sender.outbox.retry(dt.datetime.now(dt.UTC), channel=channel)
        typer.echo(f"{count:,} deliveries are tried again in the next round")


@app.command()
def test(
    context: typer.Context, channel: Annotated[str, typer.Argument(help="Name of a channel.")]
) -> None:
    """Send a test message by a channel now."""
    with told_in_one_line(), _opened(context.obj) as sender:
        from data.deliveries.message import Place
        from data.manifest import SnapshotError
        from data.store import Store

        store = Store(settings().home)
        try:
            city = store.manifest(store.current_id()).city
            place = Place("city", str(city["code"]), city["name_zh"], city["name_en"])
        except (SnapshotError, KeyError):
            place = Place("city", "0", "本市", "the city")
        sender.test(channel, place=place)
        typer.echo(f"{channel} took the test message")


@contextmanager
def _opened(city: Path | None) -> Iterator[Sender]:
    from etl.delivering.rounds import opened

    with opened(settings(), city) as sender:
        yield sender


def _once(sender: Sender) -> int:
    done = sender.round()
    for line in filter(None, (*done.lines(), done.fault)):
        typer.echo(line)
    if not done.sent and not done.failures:
        typer.echo(_channels(sender) if done.waiting else "delivery: nothing waits")
    return int(bool(done.failures or done.fault))


def _channels(sender: Sender) -> str:
    found = sender.settings().channels
    if not found:
        return (
            "delivery: no channel is configured, nothing is sent "
            f"({sender.outbox.unrouted():,} messages wait); see delivery.toml"
        )
    return "delivery: channels " + ", ".join(f"{one.name} ({one.kind})" for one in found)
