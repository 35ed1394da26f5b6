"""A PostgreSQL server of our own for tests and benchmarks, and fresh databases on it."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import sqlalchemy as sa


class NoServerError(RuntimeError):
    """PostgreSQL is not installed, or does not start here."""


def server_program(name):
    """Where Debian keeps the server's programs, outside the path; None without them."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else shutil.which(name)


@contextlib.contextmanager
def postgres_server(*, fsync="off"):
    """URL of a server whose data lie in a folder of its own; both are gone when the block ends."""
    initdb, pg_ctl = server_program("initdb"), server_program("pg_ctl")
    if not (initdb and pg_ctl):
        raise NoServerError("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, socket.socket() as free:
        # PostgreSQL refuses to run as root.
        other = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if other:
            shutil.chown(folder, **other)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def run(*command):
            options = {"capture_output": True, "timeout": 60, "cwd": folder, **other}
            subprocess.run(command, check=True, **options)

        options = f"-p {port} -h 127.0.0.1 -k '' -c fsync={fsync}"
        access = ("-U", "city", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        try:
            run(initdb, "-D", "data", *access)
            run(pg_ctl, "-D", "data", "-o", options, "-l", "log", "-w", "start")
        except (subprocess.SubprocessError, OSError) as error:
            raise NoServerError(f"PostgreSQL does not start here: {error}") from error
        try:
            yield f"postgresql+psycopg://city@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", "data", "-m", "immediate", "stop")


@contextlib.contextmanager
def fresh_database(server, *, like="template0"):
    """URL of a new database on a server, a copy of another one; dropped when the block ends."""
    name = f"t{uuid.uuid4().hex}"
    run_on(server, f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


def run_on(server, statement):
    """Run a statement outside of any transaction."""
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
