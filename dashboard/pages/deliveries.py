"""How the delivery of messages stands, for the administrators: a part of the settings page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dashboard.pages import render
from data.deliveries.channels import DeliverySettingsError, read_delivery_settings
from data.deliveries.outbox import FAILED, GIVEN_UP, STATES, Outbox

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from data.deliveries.outbox import Standing


class Way(NamedTuple):
    """A channel: its kind, deliveries by state, why the last one failed, since when it waits."""

    name: str
    kind: str
    counts: dict[str, str]
    reason: str
    since: str
    is_bad: bool


class Deliveries(NamedTuple):
    """Every channel, in use now or before; messages that wait for one; a fault of the settings."""

    ways: list[Way]
    unrouted: int
    fault: str
    failed: int


def standing(context: PageContext) -> Deliveries:
    """Read the settings and the outbox."""
    folder, fault, kinds = context.settings.city, "", dict[str, str]()
    try:
        found = read_delivery_settings(
            Path(folder) if folder else None, public_url=context.settings.public_url
        )
        kinds = {one.name: one.kind for one in found.channels}
    except DeliverySettingsError as error:
        fault = str(error)
    outbox = Outbox(context.database)
    known = {one.channel: one for one in outbox.standings()}
    ways = [
        _way(context, name, kinds.get(name, ""), known.get(name))
        for name in dict.fromkeys((*kinds, *known))
    ]
    failed = sum(one.counts[FAILED] + one.counts[GIVEN_UP] for one in known.values())
    return Deliveries(ways, outbox.unrouted(), fault, failed)


def _way(context: PageContext, name: str, kind: str, known: Standing | None) -> Way:
    counts = known.counts if known else dict.fromkeys(STATES, 0)
    oldest = known.oldest if known else None
    told = render.words()
    return Way(
        name=name,
        kind=kind or told("delivery_gone"),
        counts={state: f"{n:,d}" for state, n in counts.items()},
        reason=known.reason if known else "",
        since=f"{oldest.astimezone(context.city().zone):%Y-%m-%d %H:%M}" if oldest else "",
        is_bad=bool(counts[FAILED] or counts[GIVEN_UP]),
    )
