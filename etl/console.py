"""What every command shares: settings, one-line errors, the progress bar, lists of checks."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from data.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etl.pipeline import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print figures as one JSON object.")]

_OWN_PACKAGES: Final = ("geo", "data", "etl")


def settings(port: int | None = None) -> Settings:
    """Settings of the environment, with another port where one is given."""
    environ = dict(os.environ)
    if port is not None:
        environ["PINGAN_PORT"] = str(port)
    return Settings.from_env(environ)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Turn an error that the program itself words into one line and an exit code."""
    try:
        yield
    except Exception as error:
        own = type(error).__module__.partition(".")[0] in _OWN_PACKAGES
        if not own and not isinstance(error, OSError):
            raise
        typer.echo(f"pingan: {error}", err=True)
        raise typer.Exit(getattr(error, "exit_code", 1)) from None


@contextmanager
def progress_bar(*, quiet: bool, lines: bool = False) -> Iterator[Progress]:
    """
    Show a progress bar on the error stream, so that figures can be piped.

    Parameters
    ----------
    lines
        Where the stream is no terminal, print a line for each tenth instead of nothing.
    """
    if lines and not quiet and not sys.stderr.isatty():
        yield _tenths()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("start", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


def _tenths() -> Progress:
    """Print a line whenever a further tenth is done."""
    told = -1

    def tell(step: str, share: float) -> None:
        nonlocal told
        if int(share * 10) != told:
            told = int(share * 10)
            typer.echo(f"{step} ({share:.0%})", err=True)

    return tell


def print_json(value: Any) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def print_checks(checks: Sequence[dict[str, Any]]) -> None:
    """Print a line per check."""
    for check in checks:
        typer.echo(f"{'ok  ' if check['ok'] else 'FAIL'}  {check['name']}: {check['detail']}")


def print_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers stand to the right."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title)
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[position], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    Console().print(table)
