"""
Reading what a stranger sent: in a process of its own, with a limit of memory and of time.

A reader of a complicated format may be led to allocate without end, to loop, or to abort. It then
takes only its own process with it. That process knows no secret of ours: its environment is empty,
and it is no copy of this one (`etl.sources.nursery`).
"""

from __future__ import annotations

import pickle
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pyarrow as pa

from etl.sources import nursery
from etl.sources.chunks import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

MEMORY: Final = 1 << 30
"""Bytes that a reader may take beyond what its process starts with."""
SECONDS: Final = 30.0

_STATM: Final = Path("/proc/self/statm")
_DATA_PAGES: Final = 5
"""Field of the pages that may be written: what `RLIMIT_DATA` counts."""


class LimitError(SourceError):
    """A confined function was stopped: it took too much memory or time, or broke down."""


def confined(
    function: Callable[..., Result],
    *args: Any,
    memory: int | None = MEMORY,
    seconds: float = SECONDS,
) -> Result:
    """
    Call a function in a new process and give back what it returns.

    Parameters
    ----------
    function
        Found by its module and name; it, its arguments and its result are pickled.
    memory
        Bytes that may be written beyond what the new process starts with; None = any.
    seconds
        Of wall clock, the start of the process included.

    Raises
    ------
    LimitError
        The limits were reached, or the process broke down.
    Exception
        What the function itself raised.
    """
    # Not forked from this process: that would inherit the locks of other threads, and what starts
    # as a copy of a worker (as `multiprocessing` does) is refused where that worker is one itself.
    task = pickle.dumps((function, args, memory, seconds))
    try:
        code, said = nursery.ask(function.__module__, task, seconds=seconds)
    except TimeoutError:
        raise LimitError(f"takes longer than {seconds:g} s to read; split it") from None
    if code or not said:
        # A library that gets no memory aborts, and so cannot say why.
        raise LimitError(
            f"cannot be read: its reader broke down ({code}), or it {_too_large(memory)}"
        )
    # What our own program wrote; the file's reader could not get at the pipe by mistake.
    is_result, value = pickle.loads(said)  # noqa: S301  # nosec B301
    if not is_result:
        raise value
    result: Result = value
    return result


def serve() -> None:
    """Be the nursery; run in a new process."""
    nursery.serve(_work)


def _work(task: bytes) -> bytes:
    """Do one task, as the reader; its outcome."""
    function, args, memory, seconds = pickle.loads(task)  # noqa: S301 - from our parent  # nosec B301
    return pickle.dumps(_outcome(function, args, memory, seconds))


def _outcome(
    function: Callable[..., Any], args: Any, memory: int | None, seconds: float
) -> tuple[bool, Any]:
    # Arrow's own allocator reserves a gigabyte at its first use.
    pa.set_memory_pool(pa.system_memory_pool())
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    if memory is not None:
        taken = int(_STATM.read_text(encoding="ascii").split()[_DATA_PAGES])
        _lower(resource.RLIMIT_DATA, taken * resource.getpagesize() + memory)
    _lower(resource.RLIMIT_CPU, int(seconds) + 1)
    _lower(resource.RLIMIT_CORE, 0)
    try:
        return True, function(*args)
    except MemoryError:
        return False, LimitError(_too_large(memory))
    except Exception as error:  # noqa: BLE001 -- it is raised again on the other side
        return False, _portable(error)


def _portable(error: Exception) -> Exception:
    """An error as it is, or its kind alone where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made on this line  # nosec B301
    except Exception:  # noqa: BLE001 - of a foreign class, whatever it raises
        return RuntimeError(type(error).__name__)
    return error


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (lowest, lowest))


def _too_large(memory: int | None) -> str:
    if memory is None:
        return "needs more memory to read than there is; split it"
    return f"needs more than {memory / (1 << 20):,.0f} MiB of memory to read; split it"
