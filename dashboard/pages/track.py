"""`/track`: by its code anybody learns how far a matter has come, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flask import abort, current_app, request

from dashboard import audited
from dashboard.command.kept import register
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.phone.tracking import Codes, spaced
from data.access import decide

if TYPE_CHECKING:
    import datetime as dt

    from flask import Response

    from dashboard.pages.context import PageContext
    from data.warnings.kinds import Tracked

STAGES: Final = ("received", "passed_on", "in_hand", "done", "archived")
"""Of `Tracked`, in their order."""

LONGEST: Final = 64
"""Characters of a code that are looked at."""


class Stage(NamedTuple):
    """One stage; `at` is when it was first reached, None = not yet."""

    title: str
    at: dt.datetime | None
    is_now: bool


def show(context: PageContext) -> Response:
    """Show the form; a code that was typed there leads to its own address."""
    audited.describe("view", "/track")
    typed = request.args.get("code", "").strip()
    if typed:
        return render.go(render.address("track", code=_plain(typed) or "-"))
    return _page(context)


def take(context: PageContext, code: str) -> Response:
    """
    Tell the stage of a code.

    Whatever is wrong with one, the answer is the same; each that tells nothing counts against the
    address that asked.
    """
    audited.describe("view", "/track")  # no code: the audit need not tell who looked at what
    if not context.tries.admits(audited.address()):
        abort(429)
    if where := _own_report(context, code):
        context.tries.put_back(audited.address())
        return render.go(where)
    found = register(context).tracked(_plain(code))
    if found is None:
        return _page(context, is_unknown=True)
    context.tries.put_back(audited.address())
    return _page(context, code=_plain(code), found=found)


def _page(
    context: PageContext, *, code: str = "", found: Tracked | None = None, is_unknown: bool = False
) -> Response:
    told = render.words()
    return render.page(
        context,
        "track.html",
        status=404 if is_unknown else 200,
        title=told("track_title"),
        code=spaced(code) if found else "",
        stages=_stages(found) if found else [],
        is_unknown=is_unknown,
    )


def _stages(found: Tracked) -> list[Stage]:
    told, times = render.words(), dict(found.times)
    return [Stage(told(f"track_{one}"), times.get(one), one == found.stage) for one in STAGES]


def _own_report(context: PageContext, code: str) -> str:
    """Address of the reader's own report from the phone with this code; "" where it is none."""
    scope = current_scope()
    has_reports = "phone_progress" in current_app.view_functions
    if not has_reports or not decide(scope, "report_event").is_allowed:
        return ""
    own = Codes(context.key).read(scope.user, _plain(code))
    return render.address("phone_progress", code=own) if own else ""


def _plain(code: str) -> str:
    """A code as it is compared: letters and digits alone."""
    return "".join(one for one in code[:LONGEST].upper() if one.isascii() and one.isalnum())
