"""
History: which epoch was in force when, so that an earlier day can be rebuilt as it was.

Each epoch is kept with the city as it was read; a line of `activations.jsonl` says from when on it
was published under.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.seals import seal
from data.store import file_sha256
from data.writer import replace_text, sync
from etl.ledger import EPOCHS

if TYPE_CHECKING:
    from pathlib import Path

    from etl.epoch import Epoch

_EPOCH: Final = "epoch.pickle"
_ACTIVATIONS: Final = "activations.jsonl"


class HistoryError(ValueError):
    """What was known at a moment cannot be told any more; the message says why."""


@dataclass(frozen=True)
class Activation:
    """From when on an epoch was published under, and the hash of what is kept of it."""

    at: str
    epoch: str
    content: str

    def line(self) -> str:
        """Line of the file, with a hash of what it says."""
        said = [self.at, self.epoch, self.content]
        names = ("from", "epoch", "content", "seal")
        return json.dumps(dict(zip(names, [*said, seal(said)], strict=True))) + "\n"


def activate(epoch: Epoch, now: dt.datetime) -> None:
    """
    Keep an epoch and note that it is in force from now on, unless it is already.

    Raises
    ------
    HistoryError
        The notes are damaged.
    """
    known = activations(epoch.home)
    content = _keep(epoch, {one.content for one in known if one.epoch == epoch.id})
    if known and (known[-1].epoch, known[-1].content) == (epoch.id, content):
        return
    # A clock that was set back must not hide an epoch.
    stamp = max([now.astimezone(dt.UTC).isoformat(), *(one.at for one in known[-1:])])
    lines = [one.line() for one in [*known, Activation(stamp, epoch.id, content)]]
    replace_text(epoch.home / EPOCHS / _ACTIVATIONS, "".join(lines))


def _keep(epoch: Epoch, sound: set[str]) -> str:
    """Write the epoch, unless it is there as it was noted; the hash of its file."""
    kept = epoch.home / EPOCHS / epoch.id / _EPOCH
    if kept.is_file() and (found := file_sha256(kept)) in sound:
        return found
    kept.parent.mkdir(parents=True, exist_ok=True)
    content = pickle.dumps(epoch)
    waiting = kept.with_suffix(f".{os.getpid()}")
    waiting.write_bytes(content)
    sync(waiting)
    waiting.replace(kept)
    sync(kept.parent)
    return hashlib.sha256(content).hexdigest()


def epoch_as_of(home: Path, moment: dt.datetime) -> Epoch:
    """
    Epoch under which snapshots were published at a moment.

    Raises
    ------
    HistoryError
        Nothing had been published yet, or the epoch is damaged, no longer kept or of another
        program.
    """
    stamp = moment.astimezone(dt.UTC).isoformat()
    known = [one for one in activations(home) if one.at <= stamp]
    if not known:
        raise HistoryError(f"nothing had been published at {moment:%Y-%m-%d %H:%M}; choose later")
    name = known[-1].epoch
    path = home / EPOCHS / name / _EPOCH
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise HistoryError(f"epoch {name} was pruned; restore a backup of that time") from None
    if hashlib.sha256(content).hexdigest() not in {
        one.content for one in known if one.epoch == name
    }:
        raise HistoryError(f"{path} is damaged (sha256 differs); restore a backup of that time")
    try:
        # Written by `activate` under the same home, which only the operator can write to.
        found: Epoch = pickle.loads(content)  # noqa: S301  # nosec B301
    except (pickle.UnpicklingError, AttributeError, ImportError, TypeError, EOFError) as error:
        raise HistoryError(
            f"epoch {name} was kept by another version of the program; rebuild with that one"
        ) from error
    return found.under(home)


def activations(home: Path) -> list[Activation]:
    """
    Read which epochs were in force, oldest first.

    Raises
    ------
    HistoryError
        The notes are damaged.
    """
    path = home / EPOCHS / _ACTIVATIONS
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            said = json.loads(line)
            one = Activation(said["from"], said["epoch"], said["content"])
            sound = said["seal"] == seal([one.at, one.epoch, one.content])
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise HistoryError(f"line {number} of {path} is damaged; restore a backup of it")
        found.append(one)
    return found
