"""A bot and a mail server of this machine, as the other side of a delivery."""

import contextlib
import http.server
import json
import socketserver
import threading


class Bot:
    """What a bot was sent, and what it answers."""

    def __init__(self) -> None:
        self.calls, self.status, self.answer, self.url = [], 200, {"errcode": 0, "code": 0}, ""

    @property
    def bodies(self):
        return [body for _path, _headers, body in self.calls]


@contextlib.contextmanager
def bot():
    """Answer on a free port as long as the block lasts."""
    found = Bot()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.calls.append((self.path, dict(self.headers), body))
            content = json.dumps(found.answer).encode()
            self.send_response(found.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_values):
            pass

    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        found.url = f"http://127.0.0.1:{port}/hook"
        yield found


@contextlib.contextmanager
def mail():
    """Take mail on a free port: the port, and the messages as they came."""
    taken = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.say("220 here")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.say("354 go on")
                    lines = []
                    while (line := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(line)
                    taken.append(b"".join(lines))
                self.say("221 bye" if verb == b"QUIT" else "250 well")

        def say(self, text):
            self.wfile.write(f"{text}\r\n".encode())

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, taken


@contextlib.contextmanager
def serving(server):
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
