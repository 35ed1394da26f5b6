"""`pingan warn` and `pingan warnings`: open warnings by the rules, look at them."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.warnings import AreaWarning, Warnings
    from data.warnings.kinds import Step
    from etl.warn.run import Done

app = typer.Typer(help="Warnings: list them, show one.", no_args_is_help=True)

CityFolder = Annotated[
    Path | None,
    typer.Option("--city", file_okay=False, exists=True, help="City folder with warnings.toml."),
]


def warn(
    city: CityFolder = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open, raise and escalate warnings by the rules, from the published snapshot."""
    with told_in_one_line():
        from etl.warn.run import told
        from etl.warn.run import warn as run

        chosen = settings()
        folder = city or (Path(chosen.city) if chosen.city else None)
        done = run(chosen, folder, dt.datetime.now(dt.UTC), dry=dry_run)
        if as_json:
            print_json(_figures(done))
            return
        print_rows(
            f"{'would be ' if dry_run else ''}opened or raised · snapshot {done.plan.snapshot}",
            ("action", "rule", "level", "area", "group", "colour", "repeats", "owner"),
            [
                (one.action, one.rule, one.found.level, one.found.code, one.found.group,
                 one.colour, one.repeats, _unit(one.owner))
                for one in done.plan.wanted
            ],
        )  # fmt: skip
        said = told(done) or "warnings: nothing to do"
        typer.echo(f"dry run: {said}" if dry_run else said)
        if done.plan.silent:
            typer.echo(f"no data for the rules {', '.join(done.plan.silent)}")


@app.command("list")
def list_warnings(
    state: Annotated[
        list[str] | None, typer.Option(help="Only these states; all but archived if left out.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """List warnings, the most urgent first."""
    with told_in_one_line(), _warnings() as warnings:
        from data.warnings.life import check_states

        check_states(state)
        found = warnings.listed(_city_scope(), states=state, limit=limit)
        if as_json:
            print_json([_as_dict(one) for one in found])
            return
        columns = (
            "id", "rule", "level", "area", "group", "colour", "state", "owner", "due", "clock",
        )  # fmt: skip
        rows = [
            (one.id, one.rule, one.level, one.code, one.group, one.colour, one.state,
             _unit(one.owner), _moment(one.due_at), one.due_clock)
            for one in found
        ]  # fmt: skip
        print_rows("warnings", columns, rows)


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Id of the warning.")], as_json: AsJson = False
) -> None:
    """Show one warning: its evidence and its history."""
    with told_in_one_line(), _warnings() as warnings:
        found = warnings.get(_city_scope(), number)
        steps = warnings.steps(_city_scope(), number)
        if as_json:
            print_json({**_as_dict(found), "steps": [_step(one) for one in steps]})
            return
        for name, value in _as_dict(found).items():
            typer.echo(f"{name:<12}{value}")
        print_rows(
            "steps",
            ("number", "at", "step", "state", "owner", "by", "reason"),
            [
                (one.number, _moment(one.at), one.step, one.after, _unit(one.owner),
                 one.by or "-", one.reason)
                for one in steps
            ],
        )  # fmt: skip


def register(root: typer.Typer) -> None:
    """Add the command and the group."""
    root.command()(warn)
    root.add_typer(app, name="warnings")


@contextmanager
def _warnings() -> Iterator[Warnings]:
    from data.warnings import Warnings
    from etl.installation import installation

    with installation(settings()) as kept:
        yield Warnings(kept.database)


def _city_scope() -> Any:
    """Whoever may run commands on this machine reads all of it."""
    from data.access import Grant, Scope
    from etl.installation import USER

    return Scope(USER, frozenset({Grant("command")}))


def _unit(unit: Any) -> str:
    return f"{unit.role} {unit.level} {unit.code}"


def _moment(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="minutes")


def _as_dict(one: AreaWarning) -> dict[str, Any]:
    names = (
        "id", "tracking", "rule", "level", "code", "group", "colour", "urgency", "state", "version",
        "repeats", "measure", "tiers", "snapshot", "opened_at", "due_at", "due_clock", "seen_on",
        "ended_on",
    )  # fmt: skip
    told = {name: getattr(one, name) for name in names}
    return {**told, "owner": _unit(one.owner), "evidence": dict(one.evidence)}


def _step(one: Step) -> dict[str, Any]:
    return {**vars(one), "owner": _unit(one.owner), "evidence": dict(one.evidence)}


def _figures(done: Done) -> dict[str, Any]:
    return {
        "snapshot": done.plan.snapshot,
        "wanted": [
            {
                "action": one.action,
                "fingerprint": one.fingerprint,
                "rule": one.rule,
                "colour": one.colour,
                "repeats": one.repeats,
                "owner": _unit(one.owner),
                "evidence": dict(one.found.evidence),
            }
            for one in done.plan.wanted
        ],
        "ended": sorted(done.plan.ended),
        "escalated": [
            {"id": one.id, "clock": one.due_clock, "to": _unit(to)} for one, to in done.escalated
        ],
        "no_data": list(done.plan.silent),
    }
