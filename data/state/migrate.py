"""Bring the tables of the state database to what this program needs, by Alembic's revisions."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from data.arrivals import models as arrivals_models  # noqa: F401 - its tables are the state's
from data.audit import protect
from data.deliveries import models as deliveries_models  # noqa: F401 - its tables are the state's
from data.letters import models as letters_models  # noqa: F401 - its tables are the state's
from data.permissions import NOT_HELD, matrix
from data.resources import models as resources_models  # noqa: F401 - its tables are the state's
from data.screens import models as screens_models  # noqa: F401 - its tables are the state's
from data.special import models as special_models  # noqa: F401 - its tables are the state's
from data.state.alone import TABLES, alone
from data.state.database import StateError
from data.state.models import Role
from data.warnings import models as warnings_models  # noqa: F401 - its tables are the state's

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from data.state.database import StateDatabase


def upgrade(database: StateDatabase) -> str:
    """
    Run the missing revisions and fill in the roles; all of it or nothing.

    Several processes may do so at once: the first works, the others find nothing left to do.

    Returns
    -------
    revision
        The newest one.

    Raises
    ------
    StateError
        The database fails, or a newer version of this program has changed its tables.
    """
    scripts = _scripts()
    with database.writing() as session:
        alone(session, TABLES)
        connection = session.connection()
        _check_known(_found(connection), scripts)
        _run(connection, scripts)
        protect.guard(connection)
        _fill_in_roles(session)
        return _found(connection)


def revision(database: StateDatabase) -> str:
    """
    Revision of the tables as they are; "" where there are none.

    Raises
    ------
    StateError
        The database fails.
    """
    with database.reading() as session:
        return _found(session.connection())


def newest() -> str:
    """Revision that this program needs."""
    return _scripts().get_current_head() or ""


def _scripts() -> ScriptDirectory:
    folder = resources.files("data.state").joinpath("migrations")
    return ScriptDirectory(str(folder))


def _found(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def _check_known(found: str, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found and found not in known:
        raise StateError(
            f"the state database has revision {found}, which this version of the program does "
            f"not know (newest: {newest()}); install the newer version or restore a backup"
        )


def _run(connection: Connection, scripts: ScriptDirectory) -> None:
    # The caller's transaction holds the lock, so every step runs inside it.
    with EnvironmentContext(
        Config(),
        scripts,
        fn=lambda now, _context: scripts._upgrade_revs("head", now),  # noqa: SLF001
    ) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()


def _fill_in_roles(session: Session) -> None:
    held = {role.name: role for role in session.scalars(sa.select(Role))}
    for entry in matrix().roles.values():
        if entry.name in NOT_HELD:
            continue
        role = held.get(entry.name) or Role(name=entry.name)
        role.title_zh, role.title_en = entry.title_zh, entry.title_en
        session.add(role)
