"""A small CAS server: it makes tickets for exact services, takes each once, and lies if asked."""

import secrets
from urllib.parse import urlencode

from tests.dashboard.signin.served import Served

USER = "post-0417"
SUCCESS = """<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">
  <cas:authenticationSuccess>
    <cas:user>{}</cas:user>
    <cas:attributes><cas:user>leader</cas:user><cas:mail>x</cas:mail></cas:attributes>
  </cas:authenticationSuccess>
</cas:serviceResponse>"""
FAILURE = """<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">
  <cas:authenticationFailure code="{}">no</cas:authenticationFailure>
</cas:serviceResponse>"""


class CasServer(Served):
    def __init__(self, **more) -> None:
        super().__init__(**more)
        self.base = self.url + "/cas"
        self.tickets = {}
        self.validations = {"/cas/p3/serviceValidate", "/cas/serviceValidate"}
        self.success = SUCCESS.format(USER)

    def answer(self, asked):
        query = {name: values[0] for name, values in asked.query.items()}
        if asked.path == "/cas/login":
            ticket = self.ticket_for(query["service"])
            return 302, {"Location": f"{query['service']}&{urlencode({'ticket': ticket})}"}, b""
        if asked.path not in self.validations:
            return 404, {}, b""
        service = self.tickets.pop(query["ticket"], None)
        if service is None:
            told = FAILURE.format("INVALID_TICKET")
        elif service != query["service"]:
            told = FAILURE.format("INVALID_SERVICE")
        else:
            told = self.success
        return 200, {"Content-Type": "application/xml"}, told.encode()

    def ticket_for(self, service):
        ticket = f"ST-{len(self.tickets)}-{secrets.token_urlsafe(20)}-cas1.example"
        self.tickets[ticket] = service
        return ticket
