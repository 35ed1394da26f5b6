"""A message in words: a title and lines of level, counts, link and number; or as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from data.deliveries.message import MessageError, check
from data.deliveries.words import words
from etl.delivering.error import DeliveryError

if TYPE_CHECKING:
    from data.deliveries.channels import DeliverySettings
    from data.deliveries.message import Message


class Written(NamedTuple):
    """A message as it is sent."""

    title: str
    body: str
    fields: dict[str, Any]
    """The same for a program: the body of a `json` channel."""


def write(message: Message, settings: DeliverySettings) -> Written:
    """
    Write a message in the language of the settings.

    Raises
    ------
    DeliveryError
        What is stored is no message, or would hold something personal; it is never sent.
    """
    try:
        check(message)
    except MessageError as error:
        raise DeliveryError(str(error), is_final=True) from None
    known, chinese = words(), settings.lang == "zh"
    at = 0 if chinese else 1
    place, link = message.place, settings.link + message.path
    name = (place.name_zh, place.name_en)[at]
    title = f"【{known.kinds[message.kind][at]}】{name}"
    if not chinese:
        title = f"[{known.kinds[message.kind][at]}] {name}"
    colon, comma = ("：", "，") if chinese else (": ", ", ")
    counts = comma.join(f"{known.counts[one][at]} {n:,d}" for one, n in message.counts.items())
    lines = known.lines
    level = known.levels[str(message.level)][at]
    body = [
        *([f"{lines['level'][at]}{colon}{level}"] if message.level else []),
        *([counts] if counts else []),
        link,
        f"{lines['id'][at]} {message.id}{comma}{lines['again'][at]}",
    ]
    return Written(title, "\n".join(body), _fields(message, link))


def _fields(message: Message, link: str) -> dict[str, Any]:
    place = message.place
    return {
        "id": message.id,
        "kind": message.kind,
        "level": message.level,
        "place": {
            "level": place.level,
            "code": place.code,
            "name_zh": place.name_zh,
            "name_en": place.name_en,
        },
        "counts": dict(message.counts),
        "link": link,
        "posted_at": message.posted_at.isoformat(timespec="seconds"),
    }
