"""Incidents that have just arrived: kept for two days, for the screens that are open."""

from data.arrivals.kinds import Account, Arrival, Fed
from data.arrivals.store import ArrivalStore

__all__ = ["Account", "Arrival", "ArrivalStore", "Fed"]
