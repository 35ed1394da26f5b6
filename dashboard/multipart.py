"""A form with a file, part by part as it comes; nothing is kept but what the caller keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from data.upload_error import UploadError
from data.uploads import too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

BLOCK: Final = 1 << 16
MOST_PARTS: Final = 8
LONGEST_FIELD: Final = 2_048
LONGEST_BOUNDARY: Final = 70
SECONDS: Final = 300.0
"""Time in which a form must be here."""


class Value(NamedTuple):
    """A field and what stands in it."""

    name: str
    text: str


class Start(NamedTuple):
    """A file begins."""

    name: str
    filename: str


Part: TypeAlias = Value | Start | bytes
"""A field, the beginning of a file, or some bytes of the file that has begun."""


def read_parts(stream: IO[bytes], boundary: str, *, clock: Callable[[], float]) -> Iterator[Part]:
    """
    Read a form.

    Parameters
    ----------
    clock
        Seconds.

    Raises
    ------
    UploadError
        It is no form, breaks off, has too many or too long fields, is too large or too slow.
    """
    if not 0 < len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise UploadError("form")
    decoder = MultipartDecoder(boundary.encode(), 4 * BLOCK, max_parts=MOST_PARTS)
    try:
        yield from _parts(_events(stream, decoder, clock, clock() + SECONDS))
    except RequestEntityTooLarge:
        raise too_large() from None
    except UploadError:
        raise
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        # The decoder's own words for bytes that are no form.
        raise UploadError("form") from error


def _parts(events: Iterator[object]) -> Iterator[Part]:
    held: _Held | None = None
    for event in events:
        if isinstance(event, Field):
            held = _Held(_named(event.name))
        elif isinstance(event, File):
            held = None
            yield Start(_named(event.name), event.filename)
        elif isinstance(event, Data) and held is None:
            yield event.data
        elif isinstance(event, Data) and held is not None:
            held.add(event.data)
            if not event.more_data:
                yield Value(held.name, held.text())


class _Held:
    """A field that is being read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._bytes = b""

    def add(self, more: bytes) -> None:
        self._bytes += more
        if len(self._bytes) > LONGEST_FIELD:
            raise UploadError("form")

    def text(self) -> str:
        return self._bytes.decode()


def _named(name: str | None) -> str:
    if name is None:
        raise UploadError("form")
    return name


def _events(
    stream: IO[bytes], decoder: MultipartDecoder, clock: Callable[[], float], until: float
) -> Iterator[object]:
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue):
            return
        if not isinstance(event, NeedData):
            yield event
            continue
        if clock() > until:
            raise UploadError("slow")
        decoder.receive_data(stream.read(BLOCK) or None)
