"""What stands round every view whatever it shows: the account menu and the watermark."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dashboard.account_menu import account_menu
from dashboard.text import Words
from dashboard.view import settle
from dashboard.watermark import watermark_style, watermark_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.access import Scope
    from data.store import Snapshot


@dataclass(frozen=True)
class Chrome:
    """
    Draws the menu and the watermark.

    Attributes
    ----------
    token
        Gives the form token of the browser that asks.
    """

    is_demo: bool
    token: Callable[[], str]

    def draw(self, scope: Scope, snapshot: Snapshot, search: str) -> dict[str, Any]:
        """`account` and `watermark` for one answer."""
        state = settle(scope, snapshot, search).state
        words = Words(state.lang)
        now = dt.datetime.now(ZoneInfo(snapshot.manifest.city["time_zone"]))
        return {
            "account": account_menu(
                scope,
                words,
                search=state.to_search(),
                is_demo=self.is_demo and not scope.is_protected,
                token=self.token(),
            ),
            "watermark": {"backgroundImage": watermark_style(watermark_text(scope, now))},
        }
