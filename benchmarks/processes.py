"""A program run to its end, with its seconds and the most memory that it and its children held."""

import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.1


@dataclass
class Run:
    """
    What a finished program used.

    `peak_mb` is the largest sum over the process tree of proportional set sizes (shared pages
    counted once), looked at ten times a second; `largest_mb` the exact peak of the resident set of
    the process that had the largest one; `files_mb` the part of the peak that is pages of mapped
    files, which the system can take back. `cpu_s` is the time of all cores in it and the children it
    waited for; on a busy machine it tells more than `seconds`.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    largest_mb: float
    files_mb: float
    output: str


class Watch(threading.Thread):
    """Looks at a process tree until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.stopped = pid, threading.Event()
        self.peak_kb = self.largest_kb = self.files_kb = 0

    def run(self):
        while not self.stopped.wait(SAMPLE_S):
            sizes = [memory(pid) for pid in tree(self.pid)]
            total = sum(size["Pss"] for size in sizes)
            if total > self.peak_kb:
                self.peak_kb = total
                self.files_kb = sum(size["Pss_File"] for size in sizes)
            self.largest_kb = max([self.largest_kb, *(size["VmHWM"] for size in sizes)])


def tree(pid):
    """A process and everything below it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def memory(pid):
    """Kilobytes of a process by name; nothing where it has just ended."""
    sizes = dict.fromkeys(("Pss", "Pss_File", "VmHWM"), 0)
    for name in ("smaps_rollup", "status"):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition(":")
            if key in sizes:
                sizes[key] = int(value.split()[0])
    return sizes


def cpu_seconds():
    """Of all finished children, their finished children included."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def run(command, *, environment, during=None):
    """
    Run a program; its output is shown only where it fails.

    Parameters
    ----------
    during
        Called once with the running program, for those who want to disturb it.
    """
    start, used = time.perf_counter(), cpu_seconds()
    program = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watch = Watch(program.pid)
    watch.start()
    if during is not None:
        threading.Thread(target=during, args=(program,), daemon=True).start()
    output, _ = program.communicate()
    seconds = time.perf_counter() - start
    watch.stopped.set()
    watch.join()
    if program.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {program.returncode}:\n{output[-4000:]}")
    return Run(
        seconds,
        cpu_seconds() - used,
        watch.peak_kb / 1024,
        watch.largest_kb / 1024,
        watch.files_kb / 1024,
        output,
    )
