"""
The nursery: a process that has the readers loaded, and forks one reader for each file.

A new interpreter takes most of a second to load what reads a file, and most files that must be
read apart are small. So an interpreter is started once, with an empty environment, loads the
readers, and then only forks: it has one thread and no lock that another could hold, opens no
file of ours, and unpickles no argument, so that each reader begins as the first did.

It ends with the thread that started it, when its input ends, or when nobody asks for a while.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS: Final = 20.0
"""After so long without a file the process ends, and gives back its memory."""

_PROGRAM: Final = "from etl.sources.confined import serve; serve()"
# Each thread of a pool reserves memory, and one reader needs one thread; what is forked must have
# no other, and Arrow's allocator starts one when it is loaded.
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Workbooks are read by the parser of the standard library, which defusedxml guards.
    "OPENPYXL_LXML": "False",
    "LC_ALL": "C.UTF-8",
}
_HEAD: Final = struct.Struct("<qq")
"""Of an order: bytes of the module's name and of the task; of an answer: exit code, bytes."""
_PR_SET_PDEATHSIG: Final = 1
_OWN: Final = threading.local()


def ask(module: str, task: bytes, *, seconds: float) -> tuple[int, bytes]:
    """
    Let a new reader do a task.

    Parameters
    ----------
    module
        Loaded before the reader is forked.
    task
        Given to the function that the nursery runs in the reader.
    seconds
        Of wall clock, the start of a nursery included.

    Returns
    -------
    code, said
        Exit code of the reader, as of `subprocess`, and what it gave back.

    Raises
    ------
    TimeoutError
        It took longer; the reader has been killed.
    """
    until = time.monotonic() + seconds
    order = _HEAD.pack(len(module), len(task)) + module.encode("ascii") + task
    while True:
        nursery = _own_nursery()
        answer = nursery.ask(order, until)
        if answer is not None:
            return answer
        code = nursery.end()
        if code:
            return code, b""
        # Nobody had asked it for a while: it had ended before the order came.


def _own_nursery() -> _Nursery:
    """Of this thread and process: what a fork has inherited belongs to another."""
    found: _Nursery | None = getattr(_OWN, "nursery", None)
    if found is None or not found.is_ours():
        found = _OWN.nursery = _Nursery()
    return found


class _Nursery:
    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program  # nosec B603
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._owner = os.getpid()
        self._end = weakref.finalize(self, _end, self._process, self._owner)

    def is_ours(self) -> bool:
        return self._owner == os.getpid() and self._end.alive

    def ask(self, order: bytes, until: float) -> tuple[int, bytes] | None:
        """Answer to an order; None if the process has ended."""
        try:
            self._write(order)
            head = self._read(_HEAD.size, until)
            if head is None:
                return None
            code, size = _HEAD.unpack(head)
            said = self._read(size, until)
        except BrokenPipeError:
            return None
        except BaseException:
            # Whoever asks next must not get this answer.
            self.end()
            raise
        return None if said is None else (code, said)

    def end(self) -> int:
        """End the process, and so its reader; its exit code."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0)
        self._end()
        return self._process.wait()

    def _write(self, order: bytes) -> None:
        assert self._process.stdin
        rest = memoryview(order)
        while rest:
            rest = rest[self._process.stdin.write(rest) :]

    def _read(self, size: int, until: float) -> bytes | None:
        assert self._process.stdout
        number, found = self._process.stdout.fileno(), bytearray()
        poll = select.poll()
        poll.register(number, select.POLLIN)
        while len(found) < size:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise TimeoutError
            piece = os.read(number, min(size - len(found), 1 << 20))
            if not piece:
                return None
            found += piece
        return bytes(found)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Close the pipes; in the process that started it, end it too."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    if os.getpid() != owner:
        # After a fork: it is not our child, and says so by a warning unless it is known to be over.
        process.returncode = 0
        return
    process.kill()
    process.wait()


def serve(work: Callable[[bytes], bytes]) -> None:
    """Fork a reader for each order that comes in, as the new process; `work` runs in the reader."""
    end_with_parent()
    orders, answers = os.dup(0), os.dup(1)
    # What libraries print must not stand in an answer.
    with Path(os.devnull).open("r+b", buffering=0) as nowhere:
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    while select.select([orders], [], [], IDLE_SECONDS)[0]:
        head = _exactly(orders, _HEAD.size)
        if head is None:
            return
        name, task = (_exactly(orders, size) for size in _HEAD.unpack(head))
        if name is None or task is None:
            return
        # What cannot be loaded fails again in the reader, which is told of.
        with contextlib.suppress(Exception):
            importlib.import_module(name.decode("ascii"))
        gc.freeze()
        code, said = _fork(work, task, (orders, answers))
        with os.fdopen(os.dup(answers), "wb") as stream:
            stream.write(_HEAD.pack(code, len(said)) + said)


def _fork(work: Callable[[bytes], bytes], task: bytes, ours: tuple[int, int]) -> tuple[int, bytes]:
    """Exit code of a new reader, and what it gave back."""
    nursery = os.getpid()
    source, sink = os.pipe()
    reader = os.fork()
    if not reader:
        _read_apart(work, task, sink, closed=(source, *ours), nursery=nursery)
    os.close(sink)
    with os.fdopen(source, "rb") as stream:
        said = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]), said


def _read_apart(
    work: Callable[[bytes], bytes],
    task: bytes,
    sink: int,
    *,
    closed: tuple[int, ...],
    nursery: int,
) -> None:
    """Do the task, as the reader; never returns."""
    code = 1
    try:
        end_with_parent()
        for number in closed:
            os.close(number)
        if os.getppid() == nursery:
            said = work(task)
            with os.fdopen(sink, "wb") as stream:
                stream.write(said)
            code = 0
    finally:
        # Nothing of the nursery's is to be finished here.
        os._exit(code)


def _exactly(number: int, size: int) -> bytes | None:
    """So many bytes; None if the input ends before."""
    found = bytearray()
    while len(found) < size:
        piece = os.read(number, min(size - len(found), 1 << 20))
        if not piece:
            return None
        found += piece
    return bytes(found)


def end_with_parent() -> None:
    """End when the thread ends that started this process, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
