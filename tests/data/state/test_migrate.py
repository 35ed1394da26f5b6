import multiprocessing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from data.permissions import NOT_HELD, matrix
from data.state import migrate
from data.state.database import StateDatabase, StateError
from data.state.models import Base, Role

NAMES = {table.name for table in Base.metadata.sorted_tables}


def described(database):
    """What the engine itself says of every table."""
    inspector = sa.inspect(database.engine)
    return {
        name: {
            "columns": [
                {**column, "type": str(column["type"].compile(database.engine.dialect))}
                for column in inspector.get_columns(name)
            ],
            "primary key": inspector.get_pk_constraint(name),
            "foreign keys": sorted(inspector.get_foreign_keys(name), key=str),
            "unique": sorted(inspector.get_unique_constraints(name), key=str),
            "indexes": sorted(inspector.get_indexes(name), key=str),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def run(database, statement):
    with database.writing() as session:
        session.execute(sa.text(statement))


def test_the_migrated_tables_are_those_of_the_models(empty_database):
    assert migrate.upgrade(empty_database) == migrate.newest()
    assert set(described(empty_database)) == NAMES
    with empty_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrated_tables_are_those_that_the_models_would_make(empty_database):
    """Stricter than Alembic's comparison, which sees no names of keys."""
    migrate.upgrade(empty_database)
    migrated = described(empty_database)
    run(empty_database, "DROP TABLE alembic_version")
    Base.metadata.drop_all(empty_database.engine)
    Base.metadata.create_all(empty_database.engine)
    assert described(empty_database) == migrated


def test_a_column_that_no_revision_makes_is_seen(empty_database):
    migrate.upgrade(empty_database)
    run(empty_database, "ALTER TABLE users ADD COLUMN surplus INTEGER")
    with empty_database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [change[0] for change in found] == ["remove_column"]


def test_the_roles_are_those_of_the_matrix_that_an_account_can_hold(database):
    with database.reading() as session:
        roles = {
            role.name: (role.title_zh, role.title_en) for role in session.scalars(sa.select(Role))
        }
    wanted = {
        name: (entry.title_zh, entry.title_en)
        for name, entry in matrix().roles.items()
        if name not in NOT_HELD
    }
    assert roles == wanted


def test_an_upgrade_again_changes_nothing_but_repairs_the_titles(database):
    run(database, "UPDATE roles SET title_en = 'old' WHERE name = 'leader'")
    run(database, "DELETE FROM roles WHERE name = 'analyst'")
    assert migrate.upgrade(database) == migrate.revision(database) == migrate.newest()
    with database.reading() as session:
        assert session.get_one(Role, "leader").title_en == matrix().roles["leader"].title_en
        assert session.get(Role, "analyst") is not None


def test_an_empty_database_has_no_revision(empty_database):
    assert migrate.revision(empty_database) == ""


def test_a_database_of_a_newer_version_is_left_alone(database):
    run(database, "UPDATE alembic_version SET version_num = 'later'")
    with pytest.raises(
        StateError,
        match="has revision later, which this version of the program does not know",
    ):
        migrate.upgrade(database)
    assert migrate.revision(database) == "later"


def test_an_upgrade_that_fails_half_way_leaves_nothing(empty_database):
    run(empty_database, "CREATE TABLE settings (name INTEGER)")
    with pytest.raises(StateError, match=r"the state database failed: .*settings"):
        migrate.upgrade(empty_database)
    assert migrate.revision(empty_database) == ""
    assert sa.inspect(empty_database.engine).get_table_names() == ["settings"]


def upgraded(url):
    return migrate.upgrade(StateDatabase(url))


def test_processes_that_start_at_once_upgrade_once(empty_url):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        assert pool.map(upgraded, [empty_url] * 8, chunksize=1) == [migrate.newest()] * 8


def test_the_revisions_are_one_line_of_small_steps():
    scripts = migrate._scripts()
    assert len(scripts.get_heads()) == 1
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert all(len(revision) == 4 for revision in revisions)
