"""A message: kind, level, place, counts and a link; never a text that a person wrote."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa

from data.deliveries.words import words
from data.personal import names_a_person

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

MOST_LEVEL: Final = 4
MOST_COUNTS: Final = 8
MOST_COUNT: Final = 10**9
LONGEST_NAME: Final = 80
LONGEST_PATH: Final = 300
_ID_LENGTH: Final = 12

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")
_AREA: Final = re.compile(r"[a-z]{1,16}\.[0-9A-Za-z_-]{1,40}")
_PATH: Final = re.compile(r"/[a-z0-9/_-]*(?:\?[A-Za-z0-9_.=&-]*)?")


class MessageError(ValueError):
    """A message that cannot be posted."""


class PersonalMessageError(MessageError):
    """A message that would hold what looks like a person; it is not kept."""


class Place(NamedTuple):
    """
    The area of a message.

    Attributes
    ----------
    above
        The areas above it, as `county.990103`, in any order; a channel may be for one of them.
    """

    level: str
    code: str
    name_zh: str
    name_en: str
    above: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Name of the area in settings, as `county.990103`."""
        return f"{self.level}.{self.code}"


@dataclass(frozen=True)
class Message:
    """
    What is told once by each channel.

    Attributes
    ----------
    key
        What is told, as `issue:2026-W46:v1:city.990100`: a second message of the same key is none.
    kind, counts
        Names of `delivery_words.toml`.
    level
        0 none, 1 blue to 4 red.
    path
        Page of this installation, from `/` on.
    """

    key: str
    kind: str
    level: int
    place: Place
    counts: Mapping[str, int]
    path: str
    posted_at: dt.datetime

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that stand in the message: who gets it twice sees that."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:_ID_LENGTH]


def check(message: Message) -> None:
    """
    Refuse what is no message.

    Raises
    ------
    MessageError
        A part has not the form of its kind; all faults at once.
    PersonalMessageError
        A name holds a number, plate or address of a person; the text is not repeated.
    """
    faults = _faults(message)
    if faults:
        raise MessageError(f"message {message.key[:120]!r}: {'; '.join(faults)}")
    names, codes = personal_parts(message)
    if _personal(names, is_number=False) or _personal(codes, is_number=True):
        raise PersonalMessageError(
            f"a message of kind {message.kind} is refused: its place or its link holds what looks "
            "like a number, a plate or an address of a person"
        )


def personal_parts(message: Message) -> tuple[list[str], list[str]]:
    """Names, and codes, that must not be those of a person."""
    place = message.place
    return [place.name_zh, place.name_en], [place.code, message.path, message.key]


def _personal(texts: list[str], *, is_number: bool) -> bool:
    return bool(names_a_person(pa.array(texts, pa.string()), is_number=is_number).any())


def _faults(message: Message) -> list[str]:
    known, place = words(), message.place
    faults = []
    if not _KEY.fullmatch(message.key):
        faults.append("the key has 1 to 120 letters, digits or . _ : -")
    if message.kind not in known.kinds:
        faults.append(f"kind is one of {', '.join(known.kinds)}")
    if not 0 <= message.level <= MOST_LEVEL:
        faults.append(f"level is 0 to {MOST_LEVEL}")
    if message.posted_at.tzinfo is None:
        faults.append("the moment needs its zone")
    faults += _count_faults(message.counts)
    for name in (place.name_zh, place.name_en):
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            faults.append(f"names of a place have 1 to {LONGEST_NAME} printable characters")
    if not all(_AREA.fullmatch(one) for one in (place.reference, *place.above)):
        faults.append("areas are named as county.990103")
    if len(message.path) > LONGEST_PATH or not _PATH.fullmatch(message.path):
        faults.append("the path is that of a page of this installation, without free text")
    return faults


def _count_faults(counts: Mapping[str, int]) -> list[str]:
    known = words().counts
    faults = []
    if unknown := sorted(set(counts) - set(known)):
        faults.append(f"counts {unknown} are unknown; known are {', '.join(known)}")
    if len(counts) > MOST_COUNTS:
        faults.append(f"{MOST_COUNTS} counts at most")
    if not all(type(one) is int and 0 <= one < MOST_COUNT for one in counts.values()):
        faults.append("counts are whole numbers from 0 on")
    return faults
