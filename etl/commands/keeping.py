"""Commands that keep things: backup, restore, retention, frozen maps, snapshots in a bucket."""
# ruff: noqa: PLC0415 - libraries are imported inside the commands, see `etl.cli`

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, settings, told_in_one_line

if TYPE_CHECKING:
    from data.remote import Moved

_ADDRESS = "Folder, file:// or s3://bucket/prefix?endpoint_override=host:port."
Address = Annotated[str, typer.Argument(metavar="FOLDER_OR_URL", help=_ADDRESS)]


def backup(
    target: Address,
    with_source: Annotated[
        bool, typer.Option(help="Also the raw files under source/; they may name persons.")
    ] = False,
    keep: Annotated[int, typer.Option(min=1, help="Backups that stay in the target.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Back up the home while it is in use; copies only what the target lacks."""
    with told_in_one_line():
        from etl.keeping.backup import backup as back_up
        from etl.keeping.backup import summary

        done = back_up(settings().home, target, with_source=with_source, keep=keep)
        figures = summary(done)
        if as_json:
            print_json(figures)
        else:
            typer.echo(
                f"backup {figures['backup']}: {figures['files']:,} files, "
                f"{_size(figures['bytes'])}; copied {figures['copied_files']:,}, "
                f"{_size(figures['copied_bytes'])}"
            )


def restore(
    target: Address,
    backup_id: Annotated[
        str | None, typer.Option("--backup", help="Id instead of the newest.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Keep what is in the home aside.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read and compare the whole backup.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty home; every file is compared with its hash first."""
    with told_in_one_line():
        from etl.keeping.restore import check_backup
        from etl.keeping.restore import restore as put_back

        home = settings().home
        if check:
            listing = check_backup(target, backup_id=backup_id)
        else:
            listing = put_back(target, home, backup_id=backup_id, force=force)
        if as_json:
            print_json(
                {
                    "backup": listing.id,
                    "snapshot": listing.snapshot,
                    "batches": listing.batches,
                    "files": len(listing.files),
                    "bytes": listing.size,
                }
            )
        else:
            said = "is whole" if check else f"is in {home}; run `pingan verify`"
            typer.echo(
                f"backup {listing.id} of {listing.created_at} {said}: "
                f"{len(listing.files):,} files, {_size(listing.size)}"
            )


def prune(
    keep: Annotated[int, typer.Option(min=1, help="Newest snapshots to keep.")] = 14,
    days: Annotated[int, typer.Option(min=0, help="Days back for `build --as-of`.")] = 400,
    dry_run: Annotated[bool, typer.Option(help="Only tell what would be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete old snapshots and what only they need; landed rows and frozen maps stay."""
    with told_in_one_line():
        from etl.keeping.prune import prune as delete_old
        from etl.keeping.retention import Retention

        done = delete_old(settings().home, Retention(keep, days), dry_run=dry_run)
        if as_json:
            print_json({"dry_run": dry_run, **vars(done)})
            return
        for kind, count in done.files.items():
            typer.echo(f"{kind:<12}{count:>10,} files{_size(done.bytes[kind]):>12}")
        verb = "would free" if dry_run else "freed"
        typer.echo(f"{verb} {_size(sum(done.bytes.values()))}; {len(done.kept)} snapshots stay")


def freeze(
    name: Annotated[str, typer.Argument(help="Name of the issued map, such as 2026-W47.")],
    snapshot: Annotated[str | None, typer.Option(help="Id instead of the published one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy a snapshot out under issued/, where it never changes and is never deleted."""
    with told_in_one_line():
        from etl.keeping.freeze import freeze as issue

        issued = issue(settings().home, snapshot, name)
        if as_json:
            print_json(vars(issued))
        else:
            typer.echo(f"{issued.name}: snapshot {issued.snapshot}, frozen {issued.frozen_at}")


def push_snapshot(address: Address, as_json: AsJson = False) -> None:
    """Publish the current snapshot and its incidents in a bucket or folder."""
    with told_in_one_line():
        from data.remote import push

        _report(push(settings().home, address), as_json=as_json)


def pull_snapshot(address: Address, as_json: AsJson = False) -> None:
    """Fetch the newest snapshot of a bucket or folder and publish it under this home."""
    with told_in_one_line():
        from data.remote import pull

        _report(pull(address, settings().home), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(prune)
    app.command()(freeze)
    app.command("push-snapshot")(push_snapshot)
    app.command("pull-snapshot")(pull_snapshot)


def _report(moved: Moved, *, as_json: bool) -> None:
    if as_json:
        print_json(vars(moved))
    else:
        typer.echo(
            f"snapshot {moved.snapshot}: copied {moved.copied_files:,} files, "
            f"{_size(moved.copied_bytes)}"
        )


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
