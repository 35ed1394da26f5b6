"""A browser between the map and an outside system, and the map's two routes."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from flask import Flask, Response, request

from dashboard.signin.external import SignInError

PUBLIC = "https://map.example.gov.cn"


def routes_of(provider, public=PUBLIC):
    """The routes of one provider, as the pages register them."""
    app = Flask("map")

    @app.get(f"/signin/{provider.name}")
    def leave():
        try:
            return provider.start(request.args.get("return_to", ""))
        except SignInError as error:
            return Response(str(error), 403)

    @app.get(f"/signin/{provider.name}/back")
    def back():
        try:
            identity = provider.finish(request)
            answer = Response(json.dumps(vars(identity)))
        except SignInError as error:
            answer = Response(str(error), 403)
        provider.forget(answer)
        return answer

    return app


class Browser:
    """Follows the map to the other system, and what that says back to the map."""

    def __init__(self, provider, public=PUBLIC) -> None:
        self.name, self.public = provider.name, public
        self.client = routes_of(provider).test_client()

    def leave(self, return_to="/?level=county"):
        """Address at the other system that the map sends to."""
        query = urlencode({"return_to": return_to})
        self.left = self.client.get(f"/signin/{self.name}?{query}", base_url=self.public)
        return self.left.headers["Location"]

    def visit(self, address):
        """Address at the map that the other system sends to."""
        answer = requests.get(address, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(f"{self.public}/signin/{self.name}/back?")
        return answer.headers["Location"]

    def come_back(self, address, **changed):
        """The map's answer; some parameters changed, dropped by None, repeated by a list."""
        parts = urlsplit(address)
        query = {**parse_qs(parts.query), **changed}
        query = {name: value for name, value in query.items() if value is not None}
        return self.client.get(f"{parts.path}?{urlencode(query, doseq=True)}", base_url=self.public)

    def sign_in(self, **changed):
        return self.come_back(self.visit(self.leave()), **changed)
