"""Warnings that stand about some areas: for lists of what lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.warnings import life
from data.warnings.models import WarningRow
from data.warnings.rights import seen
from data.warnings.rows import as_warnings

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.access import Scope
    from data.warnings.kinds import AreaWarning, Place
    from data.warnings.reading import Reading


def about(
    kept: Reading, scope: Scope, rules: Collection[str], places: Collection[Place]
) -> dict[Place, AreaWarning]:
    """
    Find the newest warning of some rules about each of some areas, but for those that are archived.

    Parameters
    ----------
    places
        Level and code of the areas themselves; nothing is found about what lies in them.

    Raises
    ------
    DeniedError
        The scope may not read warnings.
    """
    row = WarningRow
    asked = (
        sa.select(row)
        .where(
            seen(scope),
            row.rule.in_(sorted(rules)),
            row.state != life.ARCHIVED,
            sa.tuple_(row.level, row.area_code).in_(sorted(places)),
        )
        .order_by(row.id)
    )
    with kept.database.reading() as session:
        found = as_warnings(session, session.scalars(asked).all(), kept.settings)
    return {(one.level, one.code): one for one in found}
