"""The security settings: what holds, what is the default, and changing one with a reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flask import request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import deliveries, render
from dashboard.pages.reasons import given_reason, written_reason
from data.access import decide
from data.accounts import stored_settings
from data.accounts.stored_settings import SETTINGS, SettingError, SettingSpec, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words


class Entry(NamedTuple):
    """One setting as the page shows it."""

    name: str
    text: str
    value: str
    default: str
    bounds: str
    is_changed: bool
    is_weaker: bool
    href: str
    written: str
    """The value as a form holds it."""
    choices: list[tuple[str, str]]
    """Values of a setting that is no number, with their words."""
    reason: str = ""


def show(context: PageContext) -> Response:
    """Show every setting."""
    audited.describe("view", "/settings")
    changed = request.args.get("told", "")
    done = ""
    if changed in SETTINGS:
        told = render.words()
        done = told("settings_done", name=_title(SETTINGS[changed], told))
    return _page(context, request.args.get("change", ""), done=done)


def change(context: PageContext) -> Response:
    """Store one setting."""
    told = render.words()
    name, written = request.form.get("name", ""), request.form.get("value", "").strip()[:40]
    reason = given_reason()
    try:
        spec = _spec(name)
        value = spec.parse(written)
    except SettingError:
        spec_here = SETTINGS.get(name)
        bounds = _bounds(spec_here, told) if spec_here else ""
        audited.describe("configure", name[:64], "not understood")
        return _page(context, name, written=written, faulty=[told("settings_fault", bounds=bounds)])
    if not reason:
        audited.describe("configure", name, "no reason")
        return _page(context, name, written=written, faulty=[told("reason_missing")])
    old = stored_settings.read(context.database)[name]
    audited.before("configure", name, f"{old} -> {value}: {reason}")
    by = current_scope().user
    stored_settings.change(context.database, name, value, by=by, now=context.clock())
    return render.go(render.address("settings", told=name))


def _page(
    context: PageContext,
    chosen: str,
    *,
    written: str = "",
    faulty: Sequence[str] = (),
    done: str = "",
) -> Response:
    told = render.words()
    values = stored_settings.read(context.database)
    entries = {name: _entry(SETTINGS[name], value, told) for name, value in values.items()}
    open_entry = entries.get(chosen)
    if open_entry is not None and written:
        open_entry = open_entry._replace(written=written, reason=written_reason())
    return render.page(
        context,
        "settings.html",
        status=400 if faulty else 200,
        entries=list(entries.values()),
        chosen=open_entry,
        weaker=sum(entry.is_weaker for entry in entries.values()),
        may_change=decide(current_scope(), "settings_change").is_allowed,
        faulty=faulty,
        done=done,
        delivery=deliveries.standing(context),
    )


def _entry(spec: SettingSpec, value: Value, told: Words) -> Entry:
    return Entry(
        spec.name,
        _title(spec, told),
        _said(value, told),
        _said(spec.default, told),
        _bounds(spec, told),
        value != spec.default,
        spec.is_weaker(value),
        render.address("settings", change=spec.name, _anchor="change"),
        _written(value),
        _choices(spec, told),
    )


def _title(spec: SettingSpec, told: Words) -> str:
    """Text of a setting; its words are explained beside, so not in the title."""
    text = told.pick(spec.text_zh, spec.text_en)
    return re.split("[:\uff1a]", text)[0] if isinstance(spec.default, str) else text


def _spec(name: str) -> SettingSpec:
    if name not in SETTINGS:
        raise SettingError(f"there is no setting {name!r}")
    return SETTINGS[name]


def _said(value: Value, told: Words) -> str:
    if isinstance(value, bool):
        return told("yes") if value else told("no")
    return told(f"setting_{value}") if isinstance(value, str) else f"{value:,d}"


def _written(value: Value) -> str:
    return str(value).lower()


def _choices(spec: SettingSpec, told: Words) -> list[tuple[str, str]]:
    if isinstance(spec.default, bool):
        return [("true", told("yes")), ("false", told("no"))]
    if isinstance(spec.default, str):
        return [(str(word), _said(str(word), told)) for word in spec.bounds]
    return []


def _bounds(spec: SettingSpec, told: Words) -> str:
    if choices := _choices(spec, told):
        return told("list_comma").join(text for _, text in choices)
    least, most = (int(bound) for bound in spec.bounds)
    return f"{least:,d} – {most:,d}"
