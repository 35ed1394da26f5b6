"""The real product in a subprocess: a tiny demo city, built and served as its user would."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRIES = 600


def pingan(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pingan")), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(home), check=True, capture_output=True, text=True
    )


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
    return kept | {"PINGAN_HOME": str(home), **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(
    home: Path,
    *,
    workers: int = 1,
    threads: int = 4,
    application: str = "dashboard.app:create_server()",
    **environ: str,
) -> Iterator[str]:
    """Serve a built home on a free port; gives the address once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", str(threads),
               "--workers", str(workers), application]  # fmt: skip
    log = home.parent / f"server-{port}.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment(home, **environ), stdout=stream, stderr=stream
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_for(address + "healthz", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until it answers; each try waits on the server's own port, not on a clock."""
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if server.poll() is not None:
                break
            try:
                server.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
    raise RuntimeError(f"the server did not answer:\n{log.read_text()}")


def manifest(home: Path) -> dict:
    name = (home / "CURRENT").read_text().strip()
    return json.loads((home / "manifests" / f"{name}.json").read_text())
