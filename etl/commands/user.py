"""`pingan user`: accounts and their roles, from the machine itself; each change is audited."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.access import Grant
    from data.accounts.users import Account
    from data.settings import Settings
    from data.state.models import UserScope
    from etl.installation import Installation

app = typer.Typer(
    help="Accounts: posts and offices that may sign in, never persons.", no_args_is_help=True
)

Login = Annotated[str, typer.Argument(help="Login of the post or office.")]
Role = Annotated[str, typer.Argument(help="Role of the permission matrix, such as township.")]
Area = Annotated[str, typer.Option(metavar="LEVEL:CODE", help="Area, such as township:620102001.")]
Day = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]

WHOLE: Final = "city:*"


@app.command()
def add(
    login: Login,
    *,
    unit: Annotated[str, typer.Option(help="Post or office, as screens show it.")] = "",
    role: Annotated[str | None, typer.Option(help="First role; more with `user grant`.")] = None,
    area: Area = WHOLE,
    provider: Annotated[str, typer.Option(help="local, oidc, cas or header.")] = "local",
    subject: Annotated[str | None, typer.Option(help="Who this is there; else the login.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an account; its first password is printed once and must be changed at sign-in."""
    with _changing() as installed:
        from data.accounts import duties

        grant = duties.checked(_grant(role, area)) if role else None
        detail = f"add, {provider}" + (f", {_words(grant)}" if grant else "")
        with installed.recorded("users", login, detail):
            user, password = installed.accounts.add(
                login, unit=unit, provider=provider, subject=subject, now=installed.now
            )
            if grant:
                installed.accounts.grant(user.login, grant, by="cli", now=installed.now)
        if as_json:
            print_json(
                {
                    "login": user.login,
                    "password": password,
                    "must_change": user.must_change,
                    "grants": [_words(grant)] if grant else [],
                }
            )
            return
        typer.echo(
            f"account {user.login}" + (f": {_words(grant)}" if grant else ", without a role")
        )
        _tell_password(password)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Print every account with its roles."""
    with _changing() as installed:
        accounts = [_told(account, installed) for account in installed.accounts.all()]
        if as_json:
            print_json(accounts)
            return
        lines = [
            (one["login"], one["unit"], one["provider"], "; ".join(one["roles"]), one["state"])
            for one in accounts
        ]
        print_rows("accounts", ("login", "unit", "signs in by", "roles", "state"), lines)


@app.command()
def show(login: Login, as_json: AsJson = False) -> None:
    """Print one account."""
    with _changing() as installed:
        from data.accounts.sessions import Sessions

        account = installed.accounts.account(login)
        user = account.user
        sessions = Sessions(installed.database).open_of(user.id, now=installed.now)
        found = _told(account, installed) | {
            "subject": user.subject,
            "password_changed_at": user.password_changed_at,
            "must_change": user.must_change,
            "one_time_codes": user.totp_secret is not None,
            "failures": user.failures,
            "locked_until": user.locked_until,
            "created_at": user.created_at,
            "open_sessions": len(sessions),
        }
        if as_json:
            print_json(found)
            return
        for name, value in found.items():
            text = "; ".join(value) if isinstance(value, list) else value
            typer.echo(f"{name:<22}{'' if text is None else text}")


@app.command()
def disable(login: Login) -> None:
    """Keep an account from signing in; its sessions and shared links end at once."""
    with _changing() as installed:
        with installed.recorded("users", login, "disable"):
            installed.accounts.disable(login, now=installed.now)
        typer.echo(f"{login} is disabled")


@app.command()
def enable(login: Login) -> None:
    """Let a disabled account sign in again."""
    with _changing() as installed:
        with installed.recorded("users", login, "enable"):
            installed.accounts.enable(login)
        typer.echo(f"{login} is enabled")


@app.command()
def unlock(login: Login) -> None:
    """Forget the failed sign-ins of an account."""
    with _changing() as installed:
        with installed.recorded("users", login, "unlock"):
            installed.accounts.unlock(login)
        typer.echo(f"{login} is unlocked")


@app.command()
def password(login: Login, as_json: AsJson = False) -> None:
    """Give an account a new first password, printed once; its sessions end."""
    with _changing() as installed:
        with installed.recorded("users", login, "new password"):
            made = installed.accounts.reset_password(login, now=installed.now)
        if as_json:
            print_json({"login": login, "password": made})
        else:
            _tell_password(made)


@app.command("codes-off")
def codes_off(login: Login) -> None:
    """Ask an account for no one-time codes any more: its telephone is lost."""
    with _changing() as installed:
        from data.accounts import totp

        with installed.recorded("users", login, "one-time codes off"):
            totp.remove(installed.accounts, login)
        typer.echo(f"{login} is asked for no one-time codes")


@app.command()
def grant(
    login: Login, role: Role, area: Area = WHOLE, first: Day = None, last: Day = None
) -> None:
    """Give an account a role in an area and all below it; again = with other days."""
    with _changing() as installed:
        from data.accounts import duties

        given = duties.checked(_grant(role, area))
        begins, ends = (day.date() if day else None for day in (first, last))
        with installed.recorded("users", login, f"grant {_words(given)}, {begins} to {ends}"):
            installed.accounts.grant(
                login, given, by="cli", now=installed.now, valid_from=begins, valid_until=ends
            )
        tell_unknown(given.level, given.code)
        typer.echo(f"{login} holds {_words(given)}")


@app.command()
def revoke(login: Login, role: Role, area: Area = WHOLE) -> None:
    """Take a role in an area away from an account; it no longer counts from now on."""
    with _changing() as installed:
        taken = _grant(role, area)
        with installed.recorded("users", login, f"revoke {_words(taken)}"):
            installed.accounts.revoke(login, taken, by="cli", now=installed.now)
        typer.echo(f"{login} no longer holds {_words(taken)}")


@app.command("setup-link")
def setup_link(as_json: AsJson = False) -> None:
    """Print the link that makes the first security administrator; it works once, for 24 hours."""
    with _changing() as installed:
        from data.accounts import links

        with installed.recorded("users", "set-up link", "made"):
            secret = links.setup_link(installed.database, now=installed.now)
        address = f"{base_address(settings())}/setup/{secret}"
        if as_json:
            print_json({"address": address, "hours": links.SETUP_HOURS})
        else:
            typer.echo(f"open within {links.SETUP_HOURS} hours; it works once:\n{address}")


def first_address(chosen: Settings) -> str | None:
    """
    Address that makes the first security administrator; None where there is one, or no accounts.

    Raises
    ------
    StateError, UnsafeKeyError
        The state database or the key cannot be used.
    """
    if chosen.auth in ("demo", "header"):
        return None
    from data.accounts import links
    from etl.installation import installation

    with installation(chosen) as installed:
        with installed.database.reading() as session:
            if links.has_security_admin(session):
                return None
        with installed.recorded("users", "set-up link", "made at the start"):
            secret = links.setup_link(installed.database, now=installed.now)
    return f"{base_address(chosen)}/setup/{secret}"


@contextmanager
def _changing() -> Iterator[Installation]:
    with told_in_one_line():
        from etl.installation import installation

        with installation(settings()) as installed:
            yield installed


def _grant(role: str, area: str) -> Grant:
    from data.access import Grant

    return Grant(role, *split_area(area))


def split_area(area: str) -> tuple[str, str]:
    """
    Level and code of an area as it is written on the command line.

    Raises
    ------
    BadParameter
        It is not written so.
    """
    level, colon, code = area.partition(":")
    if not colon:
        raise typer.BadParameter(f"area {area!r}: write LEVEL:CODE, such as township:620102001")
    return level, code


def _words(grant: Grant) -> str:
    return f"{grant.role} of {grant.level}:{grant.code}"


def _told(account: Account, installed: Installation) -> dict[str, Any]:
    user = account.user
    if user.disabled:
        state = "disabled"
    elif user.locked_until is not None and user.locked_until > installed.now:
        state = f"locked until {user.locked_until:%Y-%m-%d %H:%M} UTC"
    else:
        state = "open"
    roles = [_held(one) for one in account.held]
    return {
        "login": user.login,
        "unit": user.unit,
        "provider": user.provider,
        "roles": roles,
        "state": state,
    }


def _held(held: UserScope) -> str:
    days = f" {held.valid_from or ''}/{held.valid_until or ''}"
    bounded = held.valid_from or held.valid_until
    return f"{held.role} of {held.level}:{held.area_code}{days if bounded else ''}"


def _tell_password(made: str) -> None:
    if made:
        typer.echo(f"first password, shown once; it must be changed at sign-in:\n{made}")


def tell_unknown(level: str, code: str) -> None:
    """Say so where the published map has no such area: the code may be mistyped."""
    from data.access import WHOLE_CITY
    from data.manifest import SnapshotError
    from data.store import Store

    if code == WHOLE_CITY:
        return
    try:
        areas = Store(settings().home).current().areas
    except SnapshotError:
        return
    if not ((areas["level"] == level) & (areas["code"] == code)).any():
        told = f"pingan: the published map has no {level} {code}; check the code"
        typer.echo(told, err=True)


def base_address(chosen: Settings) -> str:
    """Address under which people reach the installation."""
    return chosen.public_url.rstrip("/") or f"http://{chosen.host}:{chosen.port}"
