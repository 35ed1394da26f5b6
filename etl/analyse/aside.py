"""
Work beside this process: a forked worker shares the bed as it stands, without a copy.

Jobs are methods of one object that need nothing of each other. What the worker has not begun when
this process is done with its own work, this process does itself.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from etl.engine import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

_held: list[Any] = []
"""The object that the worker works on: what is here when it is forked."""


class Aside:
    """
    Jobs of one object, done by a worker process where there is a second core.

    Give the jobs out first, the longest first, and ask for their results last.
    """

    def __init__(self, worked_on: object, *, cores: int | None = None) -> None:
        self._on = worked_on
        self._jobs: list[tuple[str, tuple[Any, ...], Future[Any] | None]] = []
        self._pool: ProcessPoolExecutor | None = None
        if (cores or len(os.sched_getaffinity(0))) > 1:
            self._pool = ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("fork"), initializer=end_with_parent
            )

    def give(self, method: str, *arguments: Any) -> None:
        """Give out one job: a method by its name."""
        self._jobs.append((method, arguments, self._given(method, arguments)))

    def results(self) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """Arguments and result of every job, in no particular order."""
        for method, arguments, future in reversed(self._jobs):
            if future is None or future.cancel():
                yield arguments, getattr(self._on, method)(*arguments)
            else:
                yield arguments, future.result()

    def close(self) -> None:
        """End the worker."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _given(self, method: str, arguments: tuple[Any, ...]) -> Future[Any] | None:
        if self._pool is None:
            return None
        if self._jobs:
            return self._pool.submit(_work, method, arguments)
        _held[:] = [self._on]
        # A worker that collected what threads of this process still hold would crash.
        gc.freeze()
        try:
            return self._pool.submit(_work, method, arguments)
        finally:
            gc.unfreeze()
            _held.clear()


def _work(method: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(_held[0], method)(*arguments)
