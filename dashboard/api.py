"""
The push interface: `POST /api/v1/incidents` takes rows in, `GET /api/v1/batches/<number>` tells on.

An answer 202 is given only after the rows are on disk. What is wrong with single rows is not judged
here: they are quarantined with their reason when the batch is processed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from zoneinfo import ZoneInfo

from flask import Response, abort, request

from dashboard.pushed import JSON, NDJSON, PushError, check_rows, read_push
from dashboard.senders import KEY_HEADER, Limiter, sender
from data.city import CityError, folder_hash, read_city
from data.intake import Intake, IntakeError
from data.manifest import SnapshotError
from data.records import rows_chunk
from data.state.database import StateError
from data.tokens import TokenError, TokenStore

if TYPE_CHECKING:
    from flask import Flask

    from data.intake import Batch
    from data.settings import Settings
    from data.source import Source
    from data.state.database import StateDatabase
    from data.store import Store
    from data.tokens import Token

log = logging.getLogger("dashboard")

LARGEST_PUSH: Final = 20 * 1024 * 1024

_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_RETRY_S: Final = "30"
_TOO_LARGE: Final = f"send at most {LARGEST_PUSH:,} bytes at once"


def utc_now() -> dt.datetime:
    """The clock of requests."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Api:
    """What the two endpoints work with."""

    settings: Settings
    store: Store
    database: StateDatabase
    limiter: Limiter = field(default_factory=Limiter)

    def __post_init__(self) -> None:
        self.intake = Intake(self.settings.home)
        self.tokens = TokenStore(self.database)
        self._sources: dict[str, Source] = {}
        self._rules = ""

    def source(self, name: str) -> Source | None:
        """
        Source of the city folder as it stands now; None where there is none that takes pushes.

        Raises
        ------
        CityError
            The folder cannot be read.
        """
        folder = Path(self.settings.city)
        if not folder.is_dir():
            raise CityError(f"PINGAN_CITY: {folder} is no folder")
        rules = folder_hash(folder)
        if rules != self._rules:
            city = read_city(folder, home=self.settings.home)
            self._sources = {source.name: source for source in city.sources if source.push}
            self._rules = rules
        return self._sources.get(name)


def register(server: Flask, api: Api) -> None:
    """Add the two endpoints; the guard lets them pass, they ask for a token themselves."""

    @server.post("/api/v1/incidents", endpoint="push")
    def push() -> Response:
        return push_answer(api)

    @server.get("/api/v1/batches/<int:number>", endpoint="batch")
    def batch(number: int) -> Response:
        return batch_answer(api, number)


def push_answer(api: Api) -> Response:
    """Take in the rows of this request, or say why not."""
    token = admitted(api)
    key = request.headers.get(KEY_HEADER, "")
    if not _KEY.fullmatch(key):
        refuse(400, f"give {KEY_HEADER}: 1 to 128 visible ASCII characters, new for each batch")
    body = request.get_data(cache=True)
    if len(body) > LARGEST_PUSH:
        refuse(413, _TOO_LARGE)
    try:
        named, rows = read_push(body, request.mimetype, request.args.get("source"))
        source = _source(api, token, named)
        headings = check_rows(rows, source)
    except PushError as error:
        refuse(error.status, str(error))
    # Neither a key nor a body of a sender is stored, only what tells them from others.
    hashed_key = hashlib.sha256(key.encode()).hexdigest()
    content = hashlib.sha256(hashed_key.encode() + body).hexdigest()
    now = utc_now()
    try:
        batch, _ = api.intake.land(
            source,
            [rows_chunk(source, rows)],
            kind="push",
            name=f"push {now.astimezone(ZoneInfo(source.time_zone)).date()}",
            content=content,
            now=now,
            headings=headings,
            idempotency_key=hashed_key,
        )
    except (IntakeError, sqlite3.Error):
        log.exception("a push for %s was not taken in", source.name)
        refuse(503, "not taken in; send it again with the same key", retry=True)
    log.info("push of token %s for %s: batch %d", token.name, source.name, batch.number)
    if batch.content != content:
        refuse(409, f"{KEY_HEADER} was used for another body; use a new key for each batch")
    answer = json_answer(202, _taken_in(batch))
    answer.headers["Location"] = f"/api/v1/batches/{batch.number}"
    return answer


def batch_answer(api: Api, number: int) -> Response:
    """Tell what became of one batch, to a sender of its source only."""
    token = admitted(api)
    try:
        found = api.intake.batches(after=number - 1, upto=number)
    except OverflowError:
        found = []
    if not found or found[0].source not in token.sources:
        refuse(404, "there is no such batch")
    return json_answer(200, _taken_in(found[0]) | _processed(api.store, found[0]))


def admitted(api: Api) -> Token:
    """Sender of this request; everything that can be refused before the body is read is."""
    if not api.settings.city:
        log.warning("a push came, but PINGAN_CITY is not set: set it to the city folder")
        refuse(404, "this installation takes no pushes")
    if request.method == "POST":
        if request.mimetype not in (JSON, *NDJSON) or "Content-Encoding" in request.headers:
            refuse(415, f"send {JSON} or {NDJSON[0]}, not compressed")
        if (request.content_length or 0) > LARGEST_PUSH:
            refuse(413, _TOO_LARGE)
        # Only here: every other request keeps the small limit of the whole server. A body of
        # unknown length is cut off at the limit without a word, so one byte more is let in.
        request.max_content_length = LARGEST_PUSH + 1
    try:
        token = sender(request, api.tokens, utc_now())
    except (TokenError, StateError):
        log.exception("tokens cannot be used")
        refuse(503, "tokens cannot be checked now", retry=True)
    if token is None:
        refuse(401, "a valid bearer token or signature is needed")
    if not api.limiter.admits(token):
        refuse(429, "too many requests; wait and send it again with the same key", retry=True)
    return token


def _source(api: Api, token: Token, name: str) -> Source:
    try:
        source = api.source(name) if name in token.sources else None
    except (CityError, OSError):
        log.exception("the city folder cannot be read")
        refuse(503, "sources cannot be read now; send it again with the same key", retry=True)
    if source is None:
        refuse(403, "this token may not push to this source, or the source takes no pushes")
    return source


def _taken_in(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.number,
        "source": batch.source,
        "ingested_at": batch.ingested_at.isoformat(),
        "read": batch.read,
        "refused": batch.refused,
        "malformed": len(batch.malformed),
    }


def _processed(store: Store, batch: Batch) -> dict[str, Any]:
    """State of a batch by the published snapshot: `waiting`, or `processed` and its counts."""
    try:
        snapshot = store.current()
        if batch.number > int(snapshot.manifest.raw["batch"]):
            return {"state": "waiting"}
        found = snapshot.arrays(
            "SELECT reason, count(*) AS rows FROM quarantine WHERE batch = ? GROUP BY 1 ORDER BY 1",
            [batch.number],
        )
    except (SnapshotError, KeyError):
        return {"state": "waiting"}
    reasons = {
        str(reason): int(rows) for reason, rows in zip(found["reason"], found["rows"], strict=True)
    }
    quarantined = sum(reasons.values())
    return {
        "state": "processed",
        "snapshot": snapshot.id,
        "accepted_or_duplicate": batch.read - sum(batch.refused.values()) - quarantined,
        "quarantined": quarantined,
        "reasons": reasons,
    }


def json_answer(status: int, content: dict[str, Any]) -> Response:
    """Answer with one JSON object."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return Response(text + "\n", status=status, mimetype=JSON)


def refuse(status: int, reason: str, *, retry: bool = False) -> NoReturn:
    """End the request with a status and its reason."""
    answer = json_answer(status, {"error": reason})
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="pingan"'
    if retry:
        answer.headers["Retry-After"] = _RETRY_S
    abort(answer)
