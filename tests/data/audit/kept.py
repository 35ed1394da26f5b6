"""Rows to audit, and an attacker who can change the database but has no key."""

import datetime as dt

import sqlalchemy as sa

from data.audit.log import HEAD, ROWS
from data.audit.protect import guard, lift

KEY = b"k" * 32
AT = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)


def written(log, count, *, at=AT, every=dt.timedelta(hours=1), user="grid.01"):
    """Append rows, an hour apart; their numbers."""
    return [
        log.write(
            at=at + number * every,
            user=user,
            roles="grid_chief",
            address="10.1.2.3",
            session="0f0f0f0f",
            action="view",
            target=f"map ?area=9901{number:02d}",
            result="ok",
            detail=f"第 {number} 次",
        )
        for number in range(count)
    ]


class Attacker:
    """Owns the tables: drops the guards, changes what it likes, puts the guards back."""

    def __init__(self, database) -> None:
        self.database = database

    def run(self, *statements):
        with self.database.writing() as transaction:
            connection = transaction.connection()
            lift(connection)
            for statement in statements:
                connection.execute(statement)
            guard(connection)

    def rows(self):
        with self.database.reading() as reading:
            asked = sa.select(ROWS).order_by(ROWS.c.seq)
            return [dict(row) for row in reading.execute(asked).mappings()]

    def head(self):
        with self.database.reading() as reading:
            return dict(reading.execute(sa.select(HEAD)).mappings().one())

    def put_back(self, rows, head):
        """Make the tables what they were."""
        self.run(
            sa.delete(ROWS), sa.delete(HEAD), sa.insert(HEAD).values(head),
            *([sa.insert(ROWS).values(rows)] if rows else []),
        )  # fmt: skip

    def edit(self, seq, **values):
        self.run(sa.update(ROWS).where(ROWS.c.seq == seq).values(values))

    def delete(self, *seqs):
        self.run(sa.delete(ROWS).where(ROWS.c.seq.in_(seqs)))

    def insert(self, *rows):
        self.run(*(sa.insert(ROWS).values(row) for row in rows))

    def forge_head(self, **values):
        self.run(sa.update(HEAD).values(values))
