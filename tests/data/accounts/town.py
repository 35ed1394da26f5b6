"""Accounts of a town, and people who do something at the same time."""

import datetime as dt
import threading

from data.access import Grant

KEY = b"k" * 32
NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
PASSWORD = "Kx7-mPq2-Rt9w"
OTHER = "Wy4_nQv8_Hs3z"
TOWNSHIP = Grant("township", "township", "620102001")
SECURITY = Grant("security_admin")


def made(accounts, login="duty", *, password=PASSWORD, grants=(), now=NOW):
    """An account that may sign in."""
    user, _ = accounts.add(login, password=password, now=now)
    for grant in grants:
        accounts.grant(login, grant, by="cli", now=now)
    return user


def at_once(work, count):
    """Results of a function of a number, called by as many threads at the same moment."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number):
        gate.wait()
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
