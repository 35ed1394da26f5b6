"""A real HTTP server on loopback, in threads, for the systems that people sign in by."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    method: str
    path: str
    query: dict
    form: dict
    headers: dict


class Served:
    """Answers by `answer`, or raw by what stands in `instead` for a path."""

    def __init__(self, *, host="127.0.0.1", context=None) -> None:
        self.asked = []
        self.instead = {}
        self.is_over = threading.Event()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length", 0))
                parts = urlsplit(self.path)
                form = parse_qs(self.rfile.read(length).decode())
                asked = Asked(
                    self.command, parts.path, parse_qs(parts.query), form, dict(self.headers)
                )
                served.asked.append(asked)
                if parts.path in served.instead:
                    served.instead[parts.path](self)
                else:
                    send(self, *served.answer(asked))

            do_POST = do_GET  # noqa: N815 - the server looks for this name

            def log_message(self, *_args):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """Clients that hang up are what some tests want."""

        self._server = Quiet((host, 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if context else 'http'}://{host}:{self.port}"
        # The interval only says how soon `close` is noticed.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, _asked):
        return 404, {}, b""

    def paths(self):
        return [asked.path for asked in self.asked]

    def close(self):
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()


def send(handler, status, headers, body):
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def huge(handler):
    """More than is taken, never ending by itself, without a length."""
    handler.send_response(200)
    handler.end_headers()
    piece = b" " * 65_536
    while True:
        handler.wfile.write(piece)


def silent(served):
    """Take the request and say nothing until the test is over."""
    return lambda _handler: served.is_over.wait()


def dripping(served):
    """One byte at a time, each in time, the whole much too late."""

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(500):
            handler.wfile.write(b" ")
            if served.is_over.wait(0.02):
                return

    return answer


def elsewhere(address):
    return lambda handler: send(handler, 302, {"Location": address}, b"")


def body(content, status=200, **headers):
    return lambda handler: send(handler, status, headers, content)
