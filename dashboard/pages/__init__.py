"""The pages that the server draws whole: sign-in, accounts, audit, settings, errors. No script."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flask import request

from dashboard.pages import (
    account,
    audit,
    command,
    errors,
    external,
    facilities,
    letter,
    letter_changes,
    letter_file,
    letters,
    methods,
    render,
    screen,
    screen_enter,
    settings,
    setup,
    sign_in,
    special,
    special_changes,
    track,
    user,
    user_changes,
    users,
    views,
    warning,
    warning_acts,
    warning_open,
    weekly,
    weekly_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from dashboard.pages.context import PageContext

    View = Callable[..., Response]


def register(server: Flask, context: PageContext) -> None:
    """Add every page to a server; the guard admits each request first."""
    add = functools.partial(_add, server, context)
    add("/signin", "signin", sign_in.show, sign_in.take)
    add("/signin/<provider>", "signin_external", external.leave)
    add("/signin/<provider>/back", "signin_back", external.come_back)
    add("/signout", "signout", None, sign_in.sign_out, home="signin")
    add("/screen", "screen", screen.show)
    add("/screen/enter/<secret>", "screen_enter", screen_enter.show)
    add("/setup/<secret>", "setup", setup.show, setup.take)
    add("/account", "account", account.show)
    add("/account/password", "account_password", None, account.change_password, home="account")
    add("/account/totp", "account_totp", None, account.change_totp, home="account")
    add("/account/sessions", "account_sessions", None, account.end_sessions, home="account")
    add("/views", "views", views.show, views.take)
    add("/methods", "methods", methods.show)
    add("/weekly", "weekly", weekly.show)
    add("/weekly/file", "weekly_file", weekly_file.show, weekly_file.take)
    add("/letters", "letters", letters.show)
    add("/letters/draft", "letters_draft", None, letters.draft, home="letters")
    add("/letters/<letter_id>", "letter", letter.show)
    add("/letters/<letter_id>/change", "letter_change", None, letter_changes.change, home="letter")
    add("/letters/<letter_id>/file", "letter_file", letter_file.show, letter_file.take)
    add("/command", "command", command.show)
    add("/warnings/<int:warning_id>", "warning", warning.show)
    add("/warnings/act", "warnings_act", None, warning_acts.act, home="command")
    add("/facilities", "facilities", facilities.show)
    add("/special", "special", special.show)
    add("/special/change", "special_change", None, special_changes.change, home="special")
    add("/special/check", "special_check", None, special_changes.check, home="special")
    add("/track", "track_form", track.show)
    add("/track/<path:code>", "track", track.take)
    add("/warnings/open", "warnings_open", warning_open.show, warning_open.take)
    add("/users", "users", users.show)
    add("/users/add", "users_add", None, users.add, home="users")
    add("/users/of/<login>", "user", user.show)
    add("/users/of/<login>/change", "user_change", None, user_changes.change, home="user")
    add("/audit", "audit", audit.show)
    add("/audit/verify", "audit_verify", None, audit.verify, home="audit")
    add("/audit/export", "audit_export", None, audit.save, home="audit")
    add("/settings", "settings", settings.show)
    add("/settings/change", "settings_change", None, settings.change, home="settings")
    errors.register(server, context)


def _add(  # noqa: PLR0917 - read as one line of the table above
    server: Flask,
    context: PageContext,
    rule: str,
    endpoint: str,
    show: View | None,
    take: View | None = None,
    *,
    home: str = "",
) -> None:
    """
    Add one page.

    Parameters
    ----------
    show, take
        What answers GET and POST. A form that is no page of its own leads back to `home` when its
        address is opened, as happens on reloading.
    """

    def answer(**values: Any) -> Response:
        if request.method == "POST" and take is not None:
            context.forms.check_token()
            return take(context, **values)
        if show is None:
            return render.go(render.address(home, **values))
        return show(context, **values)

    methods = ["GET", "POST"] if take else ["GET"]
    server.add_url_rule(rule, endpoint, answer, methods=methods)
