"""What the request being answered does, in the words of the audit; one row for each request."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import abort, current_app, g, request

from data.access import NOBODY
from data.audit import AuditError

if TYPE_CHECKING:
    from flask import Flask, Response

    from data.access import Scope
    from data.audit import AuditLog

_LOG: Final = "pingan_audit"
TOO_MANY: Final = 429
"""Recorded once a user and minute: rows for a flood would only help it."""

MOST_KNOWN: Final = 10_000

DENIED: Final = (401, 403, 404, 429)
"""Answers that refuse, whatever the request was called before."""


@dataclass
class Doing:
    """What a request does; `is_written` once the row of it is on disk."""

    action: str
    target: str = ""
    detail: str = ""
    is_written: bool = False


class _Crowd:
    """Who was told in this minute already that he asks too much."""

    def __init__(self) -> None:
        self._minutes: dict[str, int] = {}

    def is_first(self, who: str) -> bool:
        minute = int(time.monotonic() // 60)
        if self._minutes.get(who) == minute:
            return False
        if len(self._minutes) >= MOST_KNOWN:
            self._minutes.clear()
        self._minutes[who] = minute
        return True


def describe(action: str, target: str = "", detail: str = "") -> None:
    """Name what this request does; the row is written with its result when it is answered."""
    g.doing = Doing(action, target, detail)


def before(action: str, target: str = "", detail: str = "") -> None:
    """
    Write the row now, before anything is changed or given out.

    Where it cannot be written the request ends here with 503: no change without a record.
    """
    g.doing = Doing(action, target, detail, is_written=True)
    if not _write(g.doing, "ok"):
        abort(503)


def install(server: Flask, log: AuditLog) -> None:
    """
    Write one row for each request that is described, and for each one that is refused.

    Nothing is written for static files and for geometry that was given: neither holds a figure.
    """
    server.extensions[_LOG] = log
    crowd = _Crowd()

    @server.after_request
    def record(answer: Response) -> Response:
        doing: Doing | None = g.get("doing")
        status = answer.status_code
        if doing is not None and doing.is_written:
            if status >= 400:
                _write(_answered(doing, status), "failed")
        elif g.get("is_guarded", False) and (
            status in DENIED or (doing is None and status >= 400)  # forged calls among these
        ):
            if status == TOO_MANY and not crowd.is_first(_who()):
                return answer
            told = doing or Doing("denied", request.path)
            result = "denied" if status < 500 else "failed"
            _write(_answered(told, status), result)
        elif doing is not None:
            _write(doing, "ok" if status < 400 else "failed")
        return answer


def _who() -> str:
    scope: Scope = g.get("scope", NOBODY)
    return scope.user or address()


def _answered(doing: Doing, status: int) -> Doing:
    detail = f"{doing.detail}; answered {status}" if doing.detail else f"answered {status}"
    return Doing(doing.action, doing.target, detail)


def address() -> str:
    """Network address of whoever asks."""
    return request.remote_addr or ""


def _write(doing: Doing, result: str) -> bool:
    """Write one row; False, and a line in the program's log, where that fails."""
    log: AuditLog | None = current_app.extensions.get(_LOG)
    if log is None:
        return True
    scope: Scope = g.get("scope", NOBODY)
    try:
        log.write(
            at=dt.datetime.now(dt.UTC),
            user=scope.user,
            roles=",".join(scope.roles),
            address=address(),
            session=scope.session,
            action=doing.action,
            target=doing.target,
            result=result,
            detail=doing.detail,
        )
    except AuditError:
        current_app.logger.exception("the audit cannot be written")
        return False
    return True
