"""
The door for ledgers: one file of a form, checked and stored for the pipeline.

The browser is believed in nothing: not in the file's name, size or kind. What the checks are is in
`data.uploads`, what becomes of a stored file in `data.upload_store`.
"""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from dashboard import audited
from dashboard.forms import FIELD as TOKEN
from dashboard.multipart import Start, Value, read_parts
from data.city import CityError, folder_hash, read_city
from data.intake import Intake, IntakeError
from data.upload_error import UploadError
from data.upload_store import Arriving, Record
from data.uploads import MAX_BYTES, check_name, endings, shown_name, too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dashboard.multipart import Part
    from data.settings import Settings
    from data.source import Source

log = logging.getLogger("dashboard")

AT_ONCE: Final = 2
"""Uploads that a web process receives at a time; its other threads stay free."""
SHORTEST_REASON: Final = 5
LONGEST_REASON: Final = 200
AROUND: Final = 64 * 1024
"""Bytes of a form besides its file."""

FILE: Final = "file"
FIELDS: Final = frozenset({TOKEN, "source", "reason"})
"""Fields of the form, which stand before the file."""

STATUSES: Final[Mapping[str, int]] = {
    "busy": 429, "form": 400, "reason": 400, "reason_long": 400, "source": 400,
    "file_missing": 400, "files_many": 400, "too_large": 413, "slow": 408, "known": 409,
    "many_waiting": 409, "storage": 503,
}  # fmt: skip
REFUSED: Final = 422
"""Status of every other refusal: the form was right, the file is not."""


@dataclass
class Door:
    """
    Receives uploads for one application.

    Attributes
    ----------
    check_token
        Ends the request where `request.form` was not given to this browser.
    """

    settings: Settings
    check_token: Callable[[], None]
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    seconds: Callable[[], float] = time.monotonic
    _slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )
    _known: tuple[str, dict[str, Source]] = ("", {})

    def sources(self) -> dict[str, Source]:
        """
        Sources of the city folder that read files, by name; none where no folder is set.

        Raises
        ------
        CityError, OSError
            The folder cannot be read.
        """
        if not self.settings.city:
            return {}
        folder = Path(self.settings.city)
        if not folder.is_dir():
            raise CityError(f"PINGAN_CITY: {folder} is no folder")
        rules = folder_hash(folder)
        if rules != self._known[0]:
            city = read_city(folder, home=self.settings.home)
            self._known = (rules, {one.name: one for one in city.sources if endings(one)})
        return self._known[1]

    def receive(self) -> tuple[Record, str]:
        """
        Take the file of this request; when this returns, it is on disk.

        Returns
        -------
        record, name
            `name` is the browser's, to be shown only.

        Raises
        ------
        UploadError
            Nothing is stored.
        """
        audited.describe("upload")
        # Whoever asks for the form later must not read the rest of the body.
        request.form = MultiDict()  # type: ignore[assignment]
        request.files = MultiDict()  # type: ignore[assignment]
        if not self._slots.acquire(blocking=False):
            raise UploadError("busy")
        try:
            return self._receive()
        except RequestEntityTooLarge:
            raise too_large() from None
        except (CityError, IntakeError, OSError, sqlite3.Error) as error:
            log.exception("an upload was not stored")
            raise UploadError("storage") from error
        finally:
            self._slots.release()

    def _receive(self) -> tuple[Record, str]:
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data" or "Content-Encoding" in request.headers:
            raise UploadError("form")
        # Only here: every other request keeps the small limit of the whole server.
        request.max_content_length = MAX_BYTES + AROUND
        parts = read_parts(request.stream, boundary, clock=self.seconds)
        fields, start = _fields(parts)
        # The form is checked before its file is read; the rest of the request sees the fields.
        request.form = MultiDict(fields)  # type: ignore[assignment]
        self.check_token()
        source, reason = self._source(fields), _reason(fields)
        audited.describe("upload", source.name)
        ending = check_name(source, start.filename)
        with told_to_the_audit(source), Arriving(self.settings.home, self.clock()) as file:
            _fill(file, parts)
            file.check(ending)
            known = Intake(self.settings.home).find(source.name, file.sha256)
            if known is not None:
                raise UploadError("known", batch=known.number)
            what = f"{ending} of {file.size:,} bytes, sha256 {file.sha256}"
            audited.before("upload", source.name, f"{what}: {reason}")
            record = file.keep(source.name, ending, self.clock())
        log.info("upload for %s: %s", source.name, record.name)
        return record, shown_name(start.filename)

    def _source(self, fields: Mapping[str, str]) -> Source:
        source = self.sources().get(fields.get("source", ""))
        if source is None:
            raise UploadError("source")
        return source


@contextmanager
def told_to_the_audit(source: Source) -> Iterator[None]:
    """Let the row of a refused upload say why."""
    try:
        yield
    except UploadError as error:
        audited.describe("upload", source.name, f"refused: {error}")
        raise


def status_of(error: UploadError) -> int:
    """Status of the answer to a refused upload."""
    return STATUSES.get(error.code, REFUSED)


def _fields(parts: Iterator[Part]) -> tuple[dict[str, str], Start]:
    """Everything before the file, and the file's beginning."""
    fields: dict[str, str] = {}
    for part in parts:
        if isinstance(part, Value):
            if part.name not in FIELDS or part.name in fields:
                raise UploadError("form")
            fields[part.name] = part.text
        elif isinstance(part, Start):
            # A browser sends the field of a file that was not chosen with an empty name.
            if part.name != FILE or not part.filename:
                raise UploadError("file_missing")
            return fields, part
    raise UploadError("file_missing")


def _fill(file: Arriving, parts: Iterator[Part]) -> None:
    """Write the bytes of the one file; it must be the last part."""
    for part in parts:
        if not isinstance(part, bytes):
            raise UploadError("files_many" if isinstance(part, Start) else "form")
        file.write(part)


def _reason(fields: Mapping[str, str]) -> str:
    reason = " ".join(fields.get("reason", "").split())
    if len(reason) < SHORTEST_REASON:
        raise UploadError("reason", least=SHORTEST_REASON)
    if len(reason) > LONGEST_REASON:
        raise UploadError("reason_long", most=LONGEST_REASON)
    return reason
