"""
Reading what a stranger sent: in a process of its own, with a limit of memory and of time.

A reader of a complicated format may be led to allocate without end, to loop, or to abort. It then
takes only its own process with it.
"""

from __future__ import annotations

import multiprocessing
import resource
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pyarrow as pa

from etl.sources.chunks import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

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
    memory: int = MEMORY,
    seconds: float = SECONDS,
) -> Result:
    """
    Call a function in a new process and give back what it returns.

    Parameters
    ----------
    function
        Found by its module and name; it, its arguments and its result are pickled.
    memory
        Bytes that may be written beyond what the new process has after its imports.
    seconds
        Of wall clock, the start of the process included.

    Raises
    ------
    LimitError
        The limits were reached, or the process broke down.
    Exception
        What the function itself raised.
    """
    # A fork would inherit the locks of the web process's other threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_call, args=(theirs, function, args, memory, seconds), daemon=True
    )
    stopped = threading.Event()
    with ours:
        process.start()
        theirs.close()
        timer = threading.Timer(seconds, _stop, (process, stopped))
        timer.start()
        try:
            is_result, value = ours.recv()
        except EOFError:
            process.join()
            raise _broken(process.exitcode, stopped, memory, seconds) from None
        finally:
            timer.cancel()
            process.kill()
            process.join()
            process.close()
    if is_result:
        result: Result = value
        return result
    raise value


def _call(
    pipe: Connection, function: Callable[..., Any], args: Any, memory: int, seconds: float
) -> None:
    """Run in the new process."""
    with pipe:
        # Arrow's own allocator reserves a gigabyte at its first use.
        pa.set_memory_pool(pa.system_memory_pool())
        taken = int(_STATM.read_text(encoding="ascii").split()[_DATA_PAGES])
        _lower(resource.RLIMIT_DATA, taken * resource.getpagesize() + memory)
        _lower(resource.RLIMIT_CPU, int(seconds) + 1)
        _lower(resource.RLIMIT_CORE, 0)
        try:
            answer = True, function(*args)
        except MemoryError:
            answer = False, LimitError(_too_large(memory))
        except Exception as error:  # noqa: BLE001 -- it is raised again on the other side
            answer = False, error
        pipe.send(answer)


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (lowest, lowest))


def _stop(process: Any, stopped: threading.Event) -> None:
    stopped.set()
    process.kill()


def _too_large(memory: int) -> str:
    return f"needs more than {memory / (1 << 20):,.0f} MiB of memory to read; split it"


def _broken(code: int | None, stopped: threading.Event, memory: int, seconds: float) -> LimitError:
    if stopped.is_set():
        return LimitError(f"takes longer than {seconds:g} s to read; split it")
    # A library that gets no memory aborts, and so cannot say why.
    return LimitError(f"cannot be read: its reader broke down ({code}), or it {_too_large(memory)}")
