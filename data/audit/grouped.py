"""Do what several threads ask for at once in one go: one transaction, one flush to disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Asked = TypeVar("Asked")
Given = TypeVar("Given")


@dataclass(eq=False)
class _Call(Generic[Asked, Given]):
    asked: Asked
    given: Given | None = None
    error: BaseException | None = None
    is_done: bool = False


class Grouped(Generic[Asked, Given]):
    """
    Collects calls while one is being worked on; the next thread in turn works on all of them.

    Threads that write one by one would poll for SQLite's lock and, under load, miss their time.

    Parameters
    ----------
    work
        Does all that is asked, in order, or nothing of it.
    """

    def __init__(self, work: Callable[[list[Asked]], list[Given]]) -> None:
        self._work = work
        self._waiting: list[_Call[Asked, Given]] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, asked: Asked) -> Given:
        """
        Get one call done, in whatever group.

        Raises
        ------
        Exception
            What the work raised; to each caller of the group.
        """
        call: _Call[Asked, Given] = _Call(asked)
        with self._gate:
            self._waiting.append(call)
        with self._turn:
            if not call.is_done:
                self._work_off()
        if call.error is not None:
            raise call.error
        assert call.given is not None
        return call.given

    def _work_off(self) -> None:
        with self._gate:
            group, self._waiting = self._waiting, []
        try:
            done = self._work([call.asked for call in group])
            for call, given in zip(group, done, strict=True):
                call.given = given
        except BaseException as error:
            for call in group:
                call.error = error
            raise
        finally:
            for call in group:
                call.is_done = True
