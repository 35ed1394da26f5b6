"""`pingan audit`: prove that the audit is whole, search it, move old rows into sealed files."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.audit import AuditLog
    from data.audit.archive import Archived
    from data.audit.verify import Verdict
    from data.state.database import StateDatabase
    from data.state.models import AuditRow

app = typer.Typer(
    help="Audit: verify the rows, search them, archive old ones.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(file_okay=False, help="Folder of the sealed files.")]
Archives = Annotated[
    Path | None,
    typer.Option("--archives", exists=True, file_okay=False, help="Check these sealed files too."),
]
Noted = Annotated[
    str | None,
    typer.Option("--noted", metavar="SEQ:HASH", help="Row that an earlier run named; repeat it."),
]
Moment = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], metavar="TIME"),
]

_USER: Final = "cli"
_SHOWN: Final = 50
_SHORTEST_NOTE: Final = 16
_COLUMNS: Final = (
    "seq", "at", "user", "roles", "address", "session", "action", "target", "result", "detail",
)  # fmt: skip


@app.command()
def verify(noted: Noted = None, archives: Archives = None, as_json: AsJson = False) -> None:
    """Check every row, both ends and the anchor; exit 1 when anything was changed or is gone."""
    with _opened() as log:
        from data.audit.verify import verify as check

        verdict = check(log, noted=_note(noted), archives=archives)
        if as_json:
            print_json({"ok": verdict.is_sound, **vars(verdict)})
        else:
            _tell(verdict)
        if not verdict.is_sound:
            raise typer.Exit(1)


@app.command()
def search(
    *,
    user: Annotated[str | None, typer.Option(help="Login.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as export.")] = None,
    result: Annotated[str | None, typer.Option(help="ok, denied or failed.")] = None,
    text: Annotated[str | None, typer.Option(help="Part of target, detail or address.")] = None,
    since: Moment = None,
    until: Moment = None,
    before: Annotated[int | None, typer.Option(help="Only rows with a smaller number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows to print.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Print rows, the newest first; times are UTC."""
    with _opened() as log:
        rows = log.search(
            user=user, action=action, result=result, text=text, since=_utc(since),
            until=_utc(until), before=before, limit=limit,
        )  # fmt: skip
        lines = [_told(row) for row in rows]
        if as_json:
            print_json(lines)
        else:
            from rich.markup import escape

            cells = [[escape(str(line[name])) for name in _COLUMNS] for line in lines]
            print_rows(f"{len(rows):,} rows of the audit", _COLUMNS, cells)


@app.command()
def archive(
    folder: Folder,
    days: Annotated[
        int | None, typer.Option(help="Days that stay, 180 or more; else the setting's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Move rows older than the setting `audit_keep_days` into sealed files."""
    with _opened() as log:
        from data.accounts import stored_settings
        from data.audit.archive import archive as move

        now = dt.datetime.now(dt.UTC)
        kept = days if days is not None else stored_settings.read(log.database)["audit_keep_days"]
        older = now - dt.timedelta(days=int(kept))
        _report(move(log, folder, older_than=older, now=now, by=_USER), as_json=as_json)


@app.command("set-aside")
def set_aside(
    folder: Folder,
    reason: Annotated[str, typer.Option(help="What was found; the new audit begins with it.")],
    as_json: AsJson = False,
) -> None:
    """Put an audit that does not verify into a sealed file, and begin a new one."""
    with _opened() as log:
        from data.audit.archive import set_aside as move

        now = dt.datetime.now(dt.UTC)
        _report(move(log, folder, reason=reason, now=now, by=_USER), as_json=as_json)


@contextmanager
def _opened() -> Iterator[AuditLog]:
    """The audit as it is: an upgrade would mend guards that verification must miss."""
    with told_in_one_line():
        from data.audit import AuditLog
        from data.secrets import derived, installation_key
        from data.state.database import open_state

        chosen = settings()
        key = installation_key(chosen.home, chosen.secret_key)
        database = open_state(chosen.state, chosen.home)
        try:
            _check_revision(database)
            yield AuditLog(database, derived(key, "audit"), home=chosen.home)
        finally:
            database.close()


def _check_revision(database: StateDatabase) -> None:
    from data.state import migrate
    from data.state.database import StateError

    found = migrate.revision(database)
    if found != migrate.newest():
        raise StateError(
            f"the state database has revision {found or 'none'}, this program needs "
            f"{migrate.newest()}; run `pingan state upgrade`"
        )


def _tell(verdict: Verdict) -> None:
    for fault in verdict.faults[:_SHOWN]:
        typer.echo(f"FAIL  {fault}")
    if len(verdict.faults) > _SHOWN:
        typer.echo(f"FAIL  and {len(verdict.faults) - _SHOWN:,} more; --json lists all")
    anchored = f"row {verdict.anchor}" if verdict.anchor is not None else "none yet"
    typer.echo(
        f"{verdict.rows:,} rows, {verdict.first_seq} to {verdict.last_seq}; anchor: {anchored}"
    )
    if verdict.is_sound:
        typer.echo(f"audit: ok; note {verdict.last_seq}:{verdict.hash}")
    else:
        typer.echo(f"audit: NOT OK, {len(verdict.faults):,} faults")


def _note(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    seq, _, digest = text.partition(":")
    is_hash = len(digest) >= _SHORTEST_NOTE and set(digest) <= set("0123456789abcdef")
    if not (seq.isascii() and seq.isdigit() and is_hash):
        raise typer.BadParameter(
            f"{text!r}: write SEQ:HASH, with {_SHORTEST_NOTE} or more digits of the hash"
        )
    return int(seq), digest


def _told(row: AuditRow) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in _COLUMNS}
    return told | {"at": f"{row.at:%Y-%m-%d %H:%M:%S}"}


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(tzinfo=dt.UTC) if moment else None


def _report(done: Archived, *, as_json: bool) -> None:
    files = [str(path) for path in done.files]
    if as_json:
        print_json({"rows": done.rows, "files": files})
        return
    typer.echo(f"{done.rows:,} rows moved" + (":" if files else ""))
    for file in files:
        typer.echo(file)
