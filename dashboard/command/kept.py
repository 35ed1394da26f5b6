"""The warnings of this installation with its city's rules, and what each rule's kind is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from flask import abort

from data.warnings.kinds import PERSON
from data.warnings.settings import WarningSettingsError, read_warning_settings
from data.warnings.store import Warnings
from data.warnings.tree import Trees

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from data.store import Store

OTHER = "other"
"""Kind of a warning whose rule the city has taken away since."""

_TREES: WeakKeyDictionary[Store, Trees] = WeakKeyDictionary()
log = logging.getLogger("dashboard.command")


def register(context: PageContext) -> Warnings:
    """
    Open the warnings of this installation; without an audit: the request's row is the record.

    It ends the request with 503 where the city's rules cannot be used.
    """
    folder = Path(context.settings.city) if context.settings.city else None
    try:
        settings = read_warning_settings(folder, time_zone=context.city().zone.key)
    except WarningSettingsError:
        log.exception("warnings.toml of the city cannot be used")
        abort(503)
    return Warnings(context.database, settings=settings, tree=trees(context))


def trees(context: PageContext) -> Trees:
    """Which areas lie in which, read once for each snapshot."""
    return _TREES.setdefault(context.store, Trees(context.store))


def kinds(kept: Warnings) -> dict[str, str]:
    """Kind of each rule in force."""
    return {PERSON: PERSON} | {rule.name: rule.kind for rule in kept.settings.rules}


def kind_of(kept: Warnings, rule: str) -> str:
    """Kind of a rule."""
    return kinds(kept).get(rule, OTHER)
