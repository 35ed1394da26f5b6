"""
Reviews: what people decided about proposed pairs, kept beside the snapshots.

A decision is one line of `reviews.jsonl` under the home, appended and flushed; the last one on a
pair counts. It names the role that decided, never a person.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

REVIEWS: Final = "reviews.jsonl"
ROLES: Final = ("operator", "dispatcher", "analyst", "supervisor")
"""Who may be named as the one who decided; a closed list, so that no person's name gets in."""

Decision = Literal["same", "different"]
DECISIONS: Final[tuple[Decision, ...]] = ("same", "different")


class ReviewError(ValueError):
    """A decision cannot be taken or read; the message says why."""


@dataclass(frozen=True)
class Review:
    """One decision about one pair; `at` is ISO 8601 in UTC."""

    first_id: str
    second_id: str
    decision: Decision
    by: str
    at: str


def decide(
    home: Path,
    matches: pd.DataFrame,
    pair: tuple[str, str],
    *,
    decision: Decision,
    by: str,
    now: dt.datetime,
) -> Review:
    """
    Keep a decision about a proposed pair.

    Parameters
    ----------
    matches
        The published `matches` table.
    pair
        Two incident ids, in either order.
    by
        One of `ROLES`.
    now
        With a time zone.

    Raises
    ------
    ReviewError
        The pair is not proposed, or the role or the decision is unknown.
    """
    if by not in ROLES:
        raise ReviewError(f"role {by!r} is unknown; write one of {', '.join(ROLES)}")
    if decision not in DECISIONS:
        raise ReviewError(f"decision {decision!r} is unknown; write one of {', '.join(DECISIONS)}")
    named = matches["first_id"].isin(pair) & matches["second_id"].isin(pair)
    if not named.any() or pair[0] == pair[1]:
        raise ReviewError(
            f"no proposed pair of {pair[0]} and {pair[1]}; `pingan matches list` prints them"
        )
    found = matches[named].iloc[0]
    at = now.astimezone(dt.UTC).isoformat(timespec="seconds")
    review = Review(str(found["first_id"]), str(found["second_id"]), decision, by, at)
    _append(home / REVIEWS, review)
    return review


def read_reviews(home: Path) -> list[Review]:
    """
    Read all decisions, oldest first; a last line that was cut short is not one.

    Raises
    ------
    ReviewError
        A line is damaged.
    """
    file = home / REVIEWS
    if not file.is_file():
        return []
    *lines, _cut = file.read_bytes().split(b"\n")
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Review(**json.loads(line)))
        except (ValueError, TypeError):
            raise ReviewError(
                f"{REVIEWS}: line {number} of {len(lines)} is damaged; restore the file from a "
                "backup or delete the line"
            ) from None
    return found


def apply_reviews(matches: pd.DataFrame, reviews: list[Review]) -> pd.DataFrame:
    """
    Add what was decided to the proposed pairs.

    Returns
    -------
    matches
        The same rows and `decision`, `decided_by`, `decided_at` (null = nobody has decided).
        A pair is the same in either order: a corrected time may turn it.
    """
    last = {frozenset((review.first_id, review.second_id)): review for review in reviews}
    pairs = zip(matches["first_id"], matches["second_id"], strict=True)
    found = [last.get(frozenset(pair)) for pair in pairs]
    told = [(None,) * 3 if one is None else (one.decision, one.by, one.at) for one in found]
    columns = pd.DataFrame(
        told, columns=["decision", "decided_by", "decided_at"], index=matches.index, dtype="str"
    )
    return pd.concat([matches, columns], axis=1)


def _append(file: Path, review: Review) -> None:
    """Write one line; what a writer that was killed left of its line is taken away first."""
    with file.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)
        stream.write(json.dumps(asdict(review), ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
