"""`pingan state`: the database of accounts, sessions, audit and settings."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from etl.console import AsJson, print_json, settings, told_in_one_line

if TYPE_CHECKING:
    from data.state.database import StateDatabase

app = typer.Typer(help="State database: bring it up to date, look at it.", no_args_is_help=True)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the tables, or bring those of an older version up to date; again = nothing to do."""
    with told_in_one_line():
        from data.state import migrate
        from data.state.database import open_state
        from data.tokens import TokenStore

        chosen = settings()
        database = open_state(chosen.state, chosen.home)
        before = migrate.revision(database)
        after = migrate.upgrade(database)
        tokens = TokenStore(database).import_file(chosen.home)
        database.close()
        if as_json:
            print_json({"before": before, "revision": after, "tokens_taken_in": tokens})
            return
        typer.echo(f"revision {after}" + ("" if before == after else f" (was {before or 'none'})"))
        if tokens:
            typer.echo(f"{tokens:,} tokens of tokens.json are in the database now")


@app.command()
def info(as_json: AsJson = False) -> None:
    """Tell where the database is, its revision and how much it holds; nothing is changed."""
    with told_in_one_line():
        from data.state.database import StateDatabase, state_url

        chosen = settings()
        database = StateDatabase(state_url(chosen.state, chosen.home))
        figures = _figures(database)
        database.close()
        if as_json:
            print_json(figures)
        else:
            for name, value in figures.items():
                typer.echo(f"{name:<16}{f'{value:,}' if isinstance(value, int) else value}")


def _figures(database: StateDatabase) -> dict[str, Any]:
    import sqlalchemy as sa

    from data.state import migrate
    from data.state.database import StateError
    from data.state.models import ApiToken, AuditRow, Base, SavedView, User, UserSession

    _check_there(database)
    found = migrate.revision(database)
    if found != migrate.newest():
        raise StateError(
            f"the state database has revision {found or 'none'}, this program needs "
            f"{migrate.newest()}; run `pingan state upgrade`"
        )
    counted: dict[str, type[Base]] = {
        "users": User,
        "sessions": UserSession,
        "api_tokens": ApiToken,
        "saved_views": SavedView,
        "audit_rows": AuditRow,
    }
    with database.reading() as session:
        counts = {
            name: session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for name, model in counted.items()
        }
    place = database.url.render_as_string(hide_password=True)
    return {"database": place, "revision": found, **counts}


def _check_there(database: StateDatabase) -> None:
    from pathlib import Path

    from data.state.database import StateError

    # To open a file that is not there would make it.
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        raise StateError(
            f"there is no state database at {database.url.database}; `pingan state upgrade` "
            "makes it"
        )
