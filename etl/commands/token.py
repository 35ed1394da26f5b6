"""`pingan token`: who may push rows over HTTP."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.installation import Installation

app = typer.Typer(help="Tokens for POST /api/v1/incidents.", no_args_is_help=True)

TokenName = Annotated[str, typer.Argument(help="Name of the sending system.")]


@app.command()
def create(
    name: TokenName,
    source: Annotated[list[str], typer.Option(help="Source that it may push; repeatable.")],
) -> None:
    """Make a token; its secret is printed once and stored only as a hash."""
    with _opened() as installed:
        with installed.recorded("configure", f"token {name}", f"create for {', '.join(source)}"):
            token, secret = installed.tokens.create(name, source, now=installed.now)
        typer.echo(f"token {token.name} for {', '.join(token.sources)}; keep it, it is shown once:")
        typer.echo(secret)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """Print the tokens, without their secrets."""
    with _opened() as installed:
        tokens = installed.tokens.list()
        lines = [(token.name, ", ".join(token.sources), str(token.created_at)) for token in tokens]
        if as_json:
            names = ("name", "sources", "created_at")
            print_json([dict(zip(names, line, strict=True)) for line in lines])
        else:
            print_rows("tokens", ("name", "sources", "created"), lines)


@app.command()
def revoke(name: TokenName) -> None:
    """Delete a token; the next push with it is refused."""
    with _opened() as installed:
        with installed.recorded("configure", f"token {name}", "revoke"):
            installed.tokens.revoke(name)
        typer.echo(f"token {name} is revoked")


@contextmanager
def _opened() -> Iterator[Installation]:
    with told_in_one_line():
        from etl.installation import installation

        with installation(settings()) as installed:
            yield installed
