"""Serving: start the web processes and say where they answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.settings import Settings

# Named, not imported: the pipeline and the dashboard meet only in stored tables.
_APP: Final = "dashboard.app:create_server()"
_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.1


class ServeError(RuntimeError):
    """The web processes did not start."""


def serve_map(settings: Settings, *, started: Callable[[str], None]) -> int:
    """
    Run the web server until it is stopped.

    Parameters
    ----------
    started
        Called once with the address, when it answers.

    Returns
    -------
    code
        Exit code of the server.

    Raises
    ------
    ServeError
        It ended before it answered, or does not answer within a minute.
    """
    command = [
        sys.executable, "-m", "gunicorn", _APP,
        "--bind", f"{settings.host}:{settings.port}",
        "--workers", str(settings.workers),
        "--threads", str(settings.threads),
        "--log-level", "warning",
        "--no-control-socket",
    ]  # fmt: skip
    chosen = {
        "PINGAN_HOME": str(settings.home.resolve()),
        "PINGAN_PORT": str(settings.port),
        "PINGAN_CITY": settings.city,
    }
    server = subprocess.Popen(command, env=os.environ | chosen)  # noqa: S603 - our own words  # nosec B603

    def stop(number: int, _frame: Any) -> None:
        server.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    address = f"http://{settings.host}:{settings.port}/"
    try:
        _wait_for(address, server)
        started(address)
    except ServeError:
        server.terminate()
        server.wait()
        raise
    return server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            if server.returncode in (0, -signal.SIGINT, -signal.SIGTERM):
                return
            raise ServeError(
                f"the web server did not start at {address}; the lines above say why "
                "(is the port in use?)"
            )
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own http address  # nosec B310
                return
        except urllib.error.HTTPError:
            # It answers, if only to ask who is there.
            return
        except OSError:
            time.sleep(_POLL_S)
    raise ServeError(f"the web server does not answer at {address} after {_PATIENCE_S:.0f} s")
