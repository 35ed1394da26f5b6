"""Sign-in by CAS 2.0 and 3.0: the browser brings a ticket, this process asks whose it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from dashboard.signin.addresses import base_address, is_plain_http
from dashboard.signin.external import AnswerError, Identity, checked_subject, refused
from dashboard.signin.outgoing import TIMEOUT_S, fetch
from dashboard.signin.round_trip import Trips, only, utc_now
from dashboard.text import catalogue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from flask import Request, Response

NAME: Final = "cas"
BACK: Final = "/signin/cas/back"

_CAS: Final = "{http://www.yale.edu/tp/cas}"
_TICKET: Final = re.compile(r"ST-[A-Za-z0-9._-]{1,253}")
_VALIDATIONS: Final = ("/p3/serviceValidate", "/serviceValidate")
"""Of CAS 3.0; of CAS 2.0, where the first one is not found."""

_OK, _NOT_FOUND = 200, 404


class CasProvider:
    """
    One CAS server.

    The service that a ticket is for holds the state of one way out. So the server itself refuses
    a ticket that another browser was given.
    """

    name: Final = NAME

    def __init__(
        self,
        *,
        url: str,
        public_url: str,
        key: bytes,
        insecure_http: bool = False,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._server = base_address(url, setting="PINGAN_CAS_URL", insecure_http=insecure_http)
        public = base_address(public_url, setting="PINGAN_PUBLIC_URL", insecure_http=insecure_http)
        self.title_zh, self.title_en = catalogue()["signin_by_cas"]
        self._home, self._back = public + "/", public + BACK
        self._timeout_s = timeout_s
        self._trips = Trips(NAME, key=key, is_secure=not is_plain_http(public), clock=clock)

    def start(self, return_to: str) -> Response:
        """Send the browser to the CAS server."""
        trip = self._trips.begin(return_to)
        query = urlencode({"service": self._service(trip.state)})
        return self._trips.sent(f"{self._server}/login?{query}", trip)

    def finish(self, request: Request) -> Identity:
        """
        Whose ticket the browser came back with.

        Raises
        ------
        SignInError
            Nothing is proved.
        """
        trip = self._trips.returned(request)
        try:
            subject = owner(self._answer(_ticket(request), self._service(trip.state)))
        except AnswerError as error:
            raise refused(NAME, str(error)) from error
        return Identity(NAME, subject, subject, f"server {self._server}", trip.return_to)

    def forget(self, answer: Response) -> None:
        """Take away what `start` left in the browser."""
        self._trips.forget(answer)

    def sign_out_url(self) -> str | None:
        """Where the CAS server ends its own session."""
        return f"{self._server}/logout?{urlencode({'service': self._home})}"

    def _service(self, state: str) -> str:
        """What a ticket is for, letter by letter the same when it is made and when it is asked."""
        return f"{self._back}?{urlencode({'state': state})}"

    def _answer(self, ticket: str, service: str) -> bytes:
        """What the server says of a ticket."""
        for path in _VALIDATIONS:
            answer = fetch(
                self._server,
                self._server + path,
                params={"service": service, "ticket": ticket},
                timeout_s=self._timeout_s,
            )
            if answer.status_code != _NOT_FOUND:
                break
        if answer.status_code != _OK:
            raise AnswerError(f"the CAS server answered {answer.status_code}")
        content: bytes = answer.content
        return content


def _ticket(request: Request) -> str:
    ticket = only(request, "ticket")
    if not _TICKET.fullmatch(ticket):
        raise AnswerError("the answer has no service ticket")
    return ticket


def owner(answer: bytes) -> str:
    """
    User whom a validation answer names.

    Raises
    ------
    AnswerError
        It is not exactly one success that names one user, in plain XML.
    """
    try:
        root = fromstring(answer, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise AnswerError(f"the CAS server's answer is refused: {type(error).__name__}") from error
    results = list(root)
    if root.tag != f"{_CAS}serviceResponse" or len(results) != 1:
        raise AnswerError("the CAS server's answer is no service response")
    (result,) = results
    if result.tag == f"{_CAS}authenticationFailure":
        raise AnswerError(f"the CAS server refused the ticket: {result.get('code', '')!r}")
    users = [item for item in result if item.tag == f"{_CAS}user"]
    if result.tag != f"{_CAS}authenticationSuccess" or len(users) != 1 or len(users[0]):
        raise AnswerError("the CAS server's answer names not exactly one user")
    if any(item.tag == f"{_CAS}proxies" for item in result):
        raise AnswerError("the ticket was had by a proxy")
    return checked_subject((users[0].text or "").strip())
