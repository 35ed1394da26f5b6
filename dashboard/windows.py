"""Windows on offer: the periods that a view may end with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import released
from data import periods
from data.access import NotVisibleError

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot


def ends(scope: Scope, snapshot: Snapshot) -> list[dt.date]:
    """
    Window ends on offer, the newest first: the last 104 periods, or those that are released.

    Raises
    ------
    NotVisibleError
        Nothing is released that the scope may see.
    """
    manifest = snapshot.manifest
    if scope.is_protected:
        starts = released.released_starts(scope, snapshot)
        if not starts:
            raise NotVisibleError("nothing is released")
        return list(starts[::-1])
    return periods.span(manifest.first_period, manifest.last_period, grain=manifest.grain)[-104:][
        ::-1
    ]
