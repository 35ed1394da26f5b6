"""What every page works with, handed over once at the start."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from dashboard.forms import Forms
from dashboard.pages.area_names import AreaNames
from dashboard.signin.steps import Steps
from dashboard.signin.throttle import Throttle
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboard.signin.external import ExternalProvider
    from data.accounts.sessions import Sessions
    from data.accounts.users import Accounts
    from data.audit import AuditLog
    from data.settings import Settings
    from data.state.database import StateDatabase
    from data.store import Store

ZONE: Final = "Asia/Shanghai"
"""Zone of a city that has published nothing yet."""


def utc_now() -> dt.datetime:
    """The present moment, aware."""
    return dt.datetime.now(dt.UTC)


class CityFacts(NamedTuple):
    """What the bar and the clocks of the pages need to know of the city."""

    name_zh: str
    name_en: str
    zone: ZoneInfo


@dataclass(frozen=True)
class PageContext:
    """Everything that pages read and write; `clock` gives the moment in UTC."""

    settings: Settings
    store: Store
    database: StateDatabase
    accounts: Accounts
    sessions: Sessions
    audit: AuditLog
    externals: Mapping[str, ExternalProvider]
    key: bytes = field(repr=False)
    clock: Callable[[], dt.datetime] = utc_now
    throttle: Throttle = field(default_factory=Throttle)
    tries: Throttle = field(default_factory=Throttle)
    """Of tracking codes, which anybody may ask for."""
    forms: Forms = field(init=False)
    steps: Steps = field(init=False)
    names: AreaNames = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", Forms(self.key, self.settings))
        object.__setattr__(self, "steps", Steps(self.key))
        object.__setattr__(self, "names", AreaNames(self.store))

    @property
    def is_demo(self) -> bool:
        """Whether anyone at this machine may take any account."""
        return self.settings.auth == "demo"

    def city(self) -> CityFacts:
        """Names and time zone of the published city; without one, no name."""
        try:
            city = self.store.current().manifest.city
        except SnapshotError:
            return CityFacts("", "", ZoneInfo(ZONE))
        return CityFacts(city["name_zh"], city.get("name_en", ""), ZoneInfo(city["time_zone"]))

    def today(self) -> dt.date:
        """The day in the city."""
        return self.clock().astimezone(self.city().zone).date()
