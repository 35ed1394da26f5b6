"""
The console command `pingan`.

Libraries are imported inside the commands: `pingan serve` and a second `pingan demo` must not
wait for those of the pipeline.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from data.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etl.pipeline import Progress

app = typer.Typer(
    help="平安地图 Ping'an Map: build, check and serve the safety map of a city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_OWN_PACKAGES: Final = ("geo", "data", "etl")
_DEFAULT_SEED: Final = 20261115


class Size(StrEnum):
    """Sizes of the demonstration city."""

    tiny = "tiny"
    small = "small"
    large = "large"


AsJson = Annotated[bool, typer.Option("--json", help="Print figures as one JSON object.")]


@app.command()
def demo(
    size: Annotated[Size, typer.Option(help="How large the made city is.")] = Size.small,
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = _DEFAULT_SEED,
    serve: Annotated[bool, typer.Option(help="Serve the map after building it.")] = True,
    port: Annotated[int | None, typer.Option(help="Port instead of PINGAN_PORT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the demonstration city, build its snapshot and serve the map."""
    with _told_in_one_line():
        from etl import demo as demo_city

        settings = _settings(port)
        manifest = demo_city.ready_manifest(settings.home, size=size.value, seed=seed)
        if manifest is None:
            with _progress(quiet=as_json) as progress:
                manifest = demo_city.make(
                    settings.home, size=size.value, seed=seed, progress=progress
                )
        _report(manifest, as_json=as_json)
        if serve:
            _serve(settings)


@app.command()
def build(
    city: Annotated[Path, typer.Option(help="City folder.", file_okay=False)],
    force: Annotated[bool, typer.Option(help="Build even if nothing has changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the files of a city and publish a snapshot."""
    with _told_in_one_line():
        from etl import pipeline

        with _progress(quiet=as_json) as progress:
            built = pipeline.build(city, home=_settings().home, progress=progress, force=force)
        if not built.is_new and not as_json:
            typer.echo(f"nothing new; snapshot {built.manifest['snapshot']} is kept")
        _report(built.manifest, as_json=as_json)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Check every sum and file of the published snapshot; exit 1 when one does not hold."""
    with _told_in_one_line():
        from etl.verify import verify as check_snapshot

        report = check_snapshot(_settings().home)
        if as_json:
            typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            _print_checks(report["checks"])
            typer.echo(f"snapshot {report['snapshot']}: {'ok' if report['ok'] else 'NOT OK'}")
        if not report["ok"]:
            raise typer.Exit(1)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port instead of PINGAN_PORT.")] = None,
) -> None:
    """Serve the published snapshot."""
    with _told_in_one_line():
        from data.store import Store

        settings = _settings(port)
        store = Store(settings.home)
        _report(store.manifest(store.current_id()).raw, as_json=False)
        _serve(settings)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check what this machine needs to build and serve; exit 1 when something is missing."""
    with _told_in_one_line():
        from etl.doctor import examine

        checks = examine(_settings())
        healthy = all(check["ok"] for check in checks)
        if as_json:
            typer.echo(json.dumps({"ok": healthy, "checks": checks}, ensure_ascii=False, indent=1))
        else:
            _print_checks(checks)
        if not healthy:
            raise typer.Exit(1)


def _settings(port: int | None = None) -> Settings:
    environ = dict(os.environ)
    if port is not None:
        environ["PINGAN_PORT"] = str(port)
    return Settings.from_env(environ)


def _serve(settings: Settings) -> None:
    from etl.serving import serve_map

    raise typer.Exit(serve_map(settings, started=typer.echo))


@contextmanager
def _told_in_one_line() -> Iterator[None]:
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
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """Show a progress bar on the error stream, so that figures can be piped."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("start", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


def _report(manifest: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        keys = ("snapshot", "code_version", "periods", "rows", "sources", "published_agreement")
        typer.echo(json.dumps({key: manifest[key] for key in keys}, ensure_ascii=False, indent=1))
    else:
        _print_account(manifest)


def _print_account(manifest: Mapping[str, Any]) -> None:
    """Print what became of every row."""
    from rich.console import Console
    from rich.table import Table

    rows, names = manifest["rows"], ("read", "accepted", "quarantined", "duplicate")
    table = Table(title=f"{manifest['city']['name_en']} · snapshot {manifest['snapshot']}")
    table.add_column("source")
    for name in names:
        table.add_column(name, justify="right")
    for source in manifest["sources"]:
        table.add_row(source["title_en"], *(f"{source[name]:,}" for name in names))
    table.add_section()
    table.add_row("all", *(f"{rows[name]:,}" for name in names))
    console = Console()
    console.print(table)
    refused = ", ".join(f"{why} {count:,}" for why, count in rows["quarantine_reasons"].items())
    missed = ", ".join(f"{level} {count:,}" for level, count in rows["not_placed"].items())
    console.print(f"quarantined: {refused or 'none'}")
    console.print(f"accepted but not placed: {missed}; without a point {rows['no_point']:,}")


def _print_checks(checks: list[dict[str, Any]]) -> None:
    for check in checks:
        typer.echo(f"{'ok  ' if check['ok'] else 'FAIL'}  {check['name']}: {check['detail']}")
