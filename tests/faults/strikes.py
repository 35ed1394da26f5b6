"""
Strikes: a process that is cut down, or a disk that is full, at the n-th step that matters.

A step is a flush, a rename, a Parquet file or a transaction; each is counted before and after,
over all processes of a build. Nothing in the product knows of this.
"""

import contextlib
import ctypes
import fcntl
import mmap
import os
import pickle
import select
import shutil
import signal
import sqlite3
import struct
import time
from pathlib import Path

import pyarrow.parquet as pq

CLOCK = time.monotonic


class Counter:
    """Number of steps so far, shared with forked processes; each may write its name."""

    def __init__(self, strike_at=None, act=None, names=None) -> None:
        self._shared = mmap.mmap(-1, 8)
        self._lock = os.memfd_create("steps")
        self._strike_at, self._act, self._names = strike_at, act, names

    def step(self, name):
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        number = struct.unpack("q", self._shared[:8])[0] + 1
        self._shared[:8] = struct.pack("q", number)
        fcntl.lockf(self._lock, fcntl.LOCK_UN)
        if self._names is not None:
            with self._names.open("a") as stream:
                stream.write(name + "\n")
        if number == self._strike_at:
            self._act(name)


def kill_group(_name):
    os.killpg(os.getpgrp(), signal.SIGKILL)


def no_space(name):
    if name.startswith("commit"):
        raise sqlite3.OperationalError("database or disk is full")
    raise OSError(28, "No space left on device")


class StruckError(Exception):
    """What a strike raises inside a process that goes on."""


def interrupt(name):
    raise StruckError(name)


@contextlib.contextmanager
def watched(counter, *, both=True):
    """Count the steps of this process and of those that it forks from now on."""

    def around(function, name):
        def call(*args, **options):
            counter.step(f"{name} before")
            found = function(*args, **options)
            if both:
                counter.step(f"{name} after")
            return found

        return call

    class Connection(sqlite3.Connection):
        def execute(self, sql, *args):
            ends = sql == "COMMIT"
            if ends:
                counter.step("commit before")
            found = super().execute(sql, *args)
            if ends and both:
                counter.step("commit after")
            return found

    def connect(*args, **options):
        return kept_connect(*args, **{"factory": Connection, **options})

    kept_connect = sqlite3.connect
    places = [
        (os, "fsync", "flush"), (Path, "replace", "rename"), (Path, "rename", "rename"),
        (pq, "write_table", "table"), (shutil, "rmtree", "delete"),
    ]  # fmt: skip
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    sqlite3.connect = connect
    for owner, name, said in places:
        setattr(owner, name, around(getattr(owner, name), said))
    try:
        yield
    finally:
        sqlite3.connect = kept_connect
        for owner, name, function in kept:
            setattr(owner, name, function)


class Child:
    """A forked process with a process group of its own; its outcome comes back through a file."""

    def __init__(self, work) -> None:
        self._outcome = os.memfd_create("outcome")
        self.pid = os.fork()
        if self.pid == 0:
            os.setpgid(0, 0)
            _end_with_parent()
            try:
                said = ("done", work())
            except BaseException as error:
                own = type(error).__module__.partition(".")[0] in ("geo", "data", "etl")
                known = own or isinstance(error, OSError)
                said = ("told" if known else "trace", f"{type(error).__name__}: {error}")
            _write_all(self._outcome, pickle.dumps(said))
            os._exit(0)
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self):
        """`done`, `told` (an error in words), `trace` or `killed`, and what came of it."""
        status = os.waitpid(self.pid, 0)[1]
        with os.fdopen(self._outcome, "rb") as stream:
            stream.seek(0)
            said = stream.read()
        if os.WIFSIGNALED(status):
            # Its workers hold the lock until they are gone, too.
            with contextlib.suppress(ProcessLookupError):
                until = CLOCK() + 5
                while CLOCK() < until:
                    os.killpg(self.pid, 0)
                    os.sched_yield()
            return "killed", None
        return pickle.loads(said)  # noqa: S301 - our own words


def apart(work):
    """Run something in a process of its own and hand back what came of it."""
    return Child(work).wait()


def killed_after(work, seconds):
    """Kill a process after some time, unless it ends before."""
    child = Child(work)
    handle = os.pidfd_open(child.pid)
    try:
        select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
    child.kill()
    return child.wait()


def _write_all(handle, content):
    while content:
        content = content[os.write(handle, content) :]


def _end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
