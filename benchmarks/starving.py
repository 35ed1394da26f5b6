"""
Time one user's clicks while another sends fifty expensive requests: over gunicorn, real accounts.

Run from the root of the project: ``python -m benchmarks.starving --home /path/of/PINGAN_HOME``
(``pingan demo --no-serve`` builds one). The home is linked into a folder beside it, where two
accounts are made; its own state is not touched.
"""

import argparse
import collections
import datetime as dt
import http.client
import json
import multiprocessing
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.installation import open_installation
from data.access import Grant
from data.settings import Settings
from data.store import Store
from tests.browser.served_app import serve

FLOOD = 50
CLICKS = 60
PASSWORD = "Quiet-River-7-Lamps"  # noqa: S105
LEVELS = ("county", "township", "community", "grid")


def linked(home, folder):
    for name in ("snapshots", "manifests", "tiles", "boundaries"):
        if (home / name).is_dir():
            shutil.copytree(home / name, folder / name, copy_function=os.link)
    shutil.copy(home / "CURRENT", folder / "CURRENT")
    return folder


def sessions(home):
    """Secrets of two accounts that may see the whole city."""
    inside = open_installation(Settings(home=home, auth="local"), Store(home))
    now = dt.datetime.now(dt.UTC)
    found = []
    for login in ("heavy-desk", "other-desk"):
        user, _ = inside.accounts.add(login, password=PASSWORD, now=now)
        inside.accounts.grant(login, Grant("leader"), by="setup", now=now)
        policy = inside.accounts.policy()
        found.append(inside.sessions.start(user, address="127.0.0.1", policy=policy, now=now))
    inside.database.close()
    return found


class Asker:
    """One browser's connection; asks for the map of one address after another."""

    def __init__(self, address, secret) -> None:
        self.at = urlsplit(address)
        self.headers = {"Cookie": f"pingan_session={secret}", "Content-Type": "application/json"}
        wired = json.loads(self.send("GET", "/_dash-dependencies")[1])
        (self.spec,) = [one for one in wired if "map-values.data" in one["output"]]

    def send(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=120)
        connection.request(method, path, body, self.headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def draw(self, search):
        """Status of one drawing of the map, and its milliseconds."""
        targets = self.spec["output"].strip(".").split("...")
        body = {
            "output": self.spec["output"], "changedPropIds": [],
            "outputs": [dict(zip(("id", "property"), one.rsplit(".", 1), strict=True)) for one in targets],
            **{part: [{"id": one["id"], "property": one["property"],
                       "value": search if one["property"] == "search" else None}
                      for one in self.spec[part]] for part in ("inputs", "state")},
        }  # fmt: skip
        began = time.perf_counter()
        status, _ = self.send("POST", "/_dash-update-component", json.dumps(body))
        return status, (time.perf_counter() - began) * 1000


def addresses(count, *, seed=0):
    """Views of every area, length, class and severity: more than a cache holds."""
    rng = random.Random(seed)
    for _ in range(count):
        level, length = rng.choice(LEVELS), rng.choice((1, 4, 13, 26, 52))
        layer, end = rng.choice(("areas", "cells")), f"2026-W{rng.randrange(10, 46)}"
        yield f"?level={level}&periods={length}&severity={rng.randint(2, 4)}&layer={layer}&end={end}"


def clicks(asker, *, seed):
    times, statuses = [], collections.Counter()
    for search in addresses(CLICKS, seed=seed):
        status, took = asker.draw(search)
        statuses[status] += 1
        times.append(took)
    return times, statuses


def flood(address, secret, is_over, told):
    """Fifty at a time, again and again, until the other has clicked; a process of its own."""
    asker, statuses = Asker(address, secret), collections.Counter()

    def one(number):
        for search in addresses(10_000, seed=number):
            if is_over.is_set():
                return
            statuses[asker.draw(search)[0]] += 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(FLOOD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(dict(sorted(statuses.items())))


def p95(times):
    return statistics.quantiles(times, n=20)[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.home.parent) as folder:
        home = linked(asked.home, Path(folder))
        heavy, other = sessions(home)
        with serve(home, workers=asked.workers, threads=8, PINGAN_AUTH="local") as address:
            clicking = Asker(address, other)
            clicks(clicking, seed=-1)  # the processes are warm for both measurements
            alone, _ = clicks(clicking, seed=-2)
            is_over, told = multiprocessing.Event(), multiprocessing.Queue()
            process = multiprocessing.Process(target=flood, args=(address, heavy, is_over, told))
            process.start()
            meanwhile, answered = clicks(clicking, seed=-3)
            is_over.set()
            statuses = told.get()
            process.join()
    ratio = p95(meanwhile) / p95(alone)
    print(f"the other alone: p50 {statistics.median(alone):.0f}, p95 {p95(alone):.0f} ms")
    print(
        f"meanwhile: p50 {statistics.median(meanwhile):.0f}, p95 {p95(meanwhile):.0f} ms "
        f"({ratio:.1f} times), answers {dict(answered)}"
    )
    print(f"the one with {FLOOD} at a time: answers {statuses}")


if __name__ == "__main__":
    main()
