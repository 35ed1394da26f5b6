"""
Engines: where the tasks of the pipeline run.

A task is a function of paths and small values that writes files and returns a small result. It may
run twice and anywhere: files appear under their final name only when whole. So the engines differ
in nothing but speed, and the same input gives the same bytes under each of them.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Task = TypeVar("Task")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG: Final = 1


class EngineError(RuntimeError):
    """The workers cannot be had, or died; what was computed before is not lost."""


class Engine(Protocol):
    """Runs a function over tasks."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        ...


class InProcess:
    """One task after the other, here."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        return map(function, tasks)


class Local:
    """
    Processes on this machine, a core each, for two tasks or more.

    They are forked when they are first needed, so that they share what is loaded by then.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results in the order of the tasks; the work begins at once."""
        if self._cores < 2 or len(tasks) < 2:
            return map(function, tasks)
        if self._pool is not None:
            return self._pool.map(function, tasks)
        self._pool = ProcessPoolExecutor(
            self._cores,
            mp_context=multiprocessing.get_context("fork"),
            initializer=end_with_parent,
        )
        # A worker that collected what threads of this process still hold would crash.
        gc.freeze()
        try:
            return self._pool.map(function, tasks)
        finally:
            gc.unfreeze()

    def close(self) -> None:
        """End the processes; tasks that have not begun are dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class Dask:
    """Workers of a Dask cluster; a task of a worker that dies is given to another."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        futures = self._client.map(function, tasks, pure=False, retries=2)
        return iter(self._client.gather(futures))


@contextmanager
def open_engine(*, cluster: str | None = None, workers: int | None = None) -> Iterator[Engine]:
    """
    Open the engine that was asked for; without a word, the processes of this machine.

    Parameters
    ----------
    cluster
        Address of a Dask scheduler (`tcp://host:8786`) whose workers see the same home.
    workers
        Number of Dask workers to start on this machine.

    Raises
    ------
    EngineError
        Dask is not installed, or the scheduler does not answer.
    """
    if cluster is not None or workers is not None:
        with _dask(cluster, workers) as engine:
            yield engine
        return
    local = Local(len(os.sched_getaffinity(0)))
    try:
        yield local
    except BrokenProcessPool as error:
        raise EngineError(
            "a worker process died (was the memory full?); what was taken in is safe: run it again"
        ) from error
    finally:
        local.close()


@contextmanager
def _dask(cluster: str | None, workers: int | None) -> Iterator[Engine]:
    try:
        import distributed  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise EngineError(
            "`--cluster` and `--workers` need `pip install pingan-map[cluster]`"
        ) from error
    try:
        if cluster is not None:
            with distributed.Client(cluster, timeout=10) as client:
                yield Dask(client)
            return
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=None
            ) as local,
            distributed.Client(local) as client,
        ):
            yield Dask(client)
    except OSError as error:
        raise EngineError(f"the cluster at {cluster} does not answer: {error}") from error


def end_with_parent() -> None:
    """End a worker when its parent ends, however that happens; it would hold the lock otherwise."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
