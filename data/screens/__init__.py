"""Wall screens: read-only tokens that count from some network addresses only; docs/screens.md."""

from data.screens.store import Screen, ScreenError, ScreenStore

__all__ = ["Screen", "ScreenError", "ScreenStore"]
