"""`pingan screen`: wall screens that show an area without anybody signing in; each is audited."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt  # noqa: TC003 - typer reads the annotations
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.user import WHOLE, base_address, split_area, tell_unknown
from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.screens import Screen
    from etl.installation import Installation

app = typer.Typer(
    help="Wall screens: a read-only token that counts from some addresses.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Name of the screen, such as duty-hall.")]
Area = Annotated[str, typer.Option(metavar="LEVEL:CODE", help="Area, such as county:620102.")]


@app.command()
def create(
    name: Name,
    address: Annotated[
        list[str], typer.Option(help="IP address or network of the screen; repeatable.")
    ],
    area: Area = WHOLE,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Last day; else without end."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a screen; the address that it opens is printed once, with its token."""
    with _opened() as installed:
        from data.screens import ScreenStore

        level, code = split_area(area)
        last = until.date() if until else None
        detail = f"create for {area} from {', '.join(address)}" + (f" until {last}" if last else "")
        with installed.recorded("configure", f"screen {name}", detail):
            screen, secret = ScreenStore(installed.database).create(
                name, (level, code), address, valid_until=last, now=installed.now
            )
        tell_unknown(screen.level, screen.code)
        opens = f"{base_address(settings())}/screen/enter/{secret}"
        if as_json:
            print_json({"name": screen.name, "address": opens})
            return
        typer.echo(f"screen {screen.name} of {screen.level}:{screen.code}; open this on it:")
        typer.echo(opens)
        typer.echo("keep it: it is shown once, and counts from its addresses alone")


@app.command("list")
def list_screens(as_json: AsJson = False) -> None:
    """Print the screens and when each was there last, without their tokens."""
    with _opened() as installed:
        from data.screens import ScreenStore

        screens = [_told(one) for one in ScreenStore(installed.database).list()]
        if as_json:
            print_json(screens)
            return
        names = ("name", "area", "addresses", "created_at", "valid_until", "seen_at")
        lines = [tuple(str(one[name] or "") for name in names) for one in screens]
        heads = ("name", "area", "from", "created", "last day", "last seen")
        print_rows("screens", heads, lines)


@app.command()
def revoke(name: Name) -> None:
    """Delete a screen; what it shows ends with its next request."""
    with _opened() as installed:
        from data.screens import ScreenStore

        with installed.recorded("configure", f"screen {name}", "revoke"):
            ScreenStore(installed.database).revoke(name)
        typer.echo(f"screen {name} is revoked")


def _told(one: Screen) -> dict[str, Any]:
    return {
        "name": one.name,
        "area": f"{one.level}:{one.code}",
        "addresses": ", ".join(one.addresses),
        "created_at": one.created_at.isoformat(timespec="seconds"),
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
        "seen_at": one.seen_at.isoformat(timespec="seconds") if one.seen_at else None,
    }


@contextmanager
def _opened() -> Iterator[Installation]:
    with told_in_one_line():
        from etl.installation import installation

        with installation(settings()) as installed:
            yield installed
