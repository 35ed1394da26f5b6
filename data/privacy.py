"""
What may be shown beyond a user's own areas: the `[privacy]` table of a city.

The defaults are the product's promise; a city can only be stricter with its least counts. What
the figures do is told in `docs/privacy.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from data.codebooks import taxonomy
from data.tables import Keys, check_choice, take
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

EDITIONS: Final = ("internal", "public")
"""Figures for signed-in users outside their own areas, and figures for everybody."""

Edition = Literal["internal", "public"]

LEAST_K: Final[Mapping[str, int]] = {"internal": 5, "public": 10}
"""Counts smaller than this are withheld in each edition, whatever a city says."""

RULES: Final = 1
"""Raised when the same counts and settings would be published otherwise than before."""


@dataclass(frozen=True)
class Privacy:
    """
    Settings of the protected tier.

    Attributes
    ----------
    k_internal, k_public
        Least count that each edition gives.
    finest_internal, finest_public
        Lowest level with totals over all categories.
    categories_internal, categories_public
        Lowest level with upper categories.
    delay_periods
        Whole periods between the end of a period and its release.
    sensitive_delay_periods
        The same for the sensitive categories, which are told together and never below the county.
    keep_periods
        Released periods that a snapshot holds, the newest.
    rare_below
        Upper categories with fewer incidents a period in the whole city are not told by name.
    sensitive
        Codes of the city's own categories that are sensitive, besides those of the taxonomy.
    """

    k_internal: int = 5
    k_public: int = 10
    finest_internal: str = "grid"
    finest_public: str = "township"
    categories_internal: str = "township"
    categories_public: str = "county"
    delay_periods: int = 1
    sensitive_delay_periods: int = 13
    keep_periods: int = 53
    rare_below: float = 20
    sensitive: tuple[str, ...] = ()

    def k(self, edition: str) -> int:
        """Least count that an edition gives."""
        return self.k_internal if edition == "internal" else self.k_public

    def finest(self, edition: str) -> tuple[str, str]:
        """Lowest level of an edition's totals, and of its upper categories."""
        if edition == "internal":
            return self.finest_internal, self.categories_internal
        return self.finest_public, self.categories_public

    @property
    def rules(self) -> str:
        """Sixteen hexadecimal digits that name these settings and the rules of this program."""
        told = repr((RULES, sorted(asdict(self).items())))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def sensitive_codes(self) -> frozenset[str]:
        """Codes of the sensitive categories: the taxonomy's and the city's own."""
        return frozenset(code.code for code in taxonomy() if code.sensitive).union(self.sensitive)


def read_privacy(
    table: Mapping[str, Any], known_categories: Collection[str], where: str, faults: list[str]
) -> Privacy:
    """Settings of a `[privacy]` table; what is missing has its default."""
    standard = Privacy()
    keys: Keys = {
        name: ((float, int) if name == "rare_below" else type(value), value)
        for name, value in asdict(standard).items()
    }
    keys["sensitive"] = (list, [])
    where = f"{where}: [privacy]"
    taken = take(table, keys, where, faults)
    taken["sensitive"] = tuple(map(str, taken["sensitive"]))
    privacy = Privacy(**taken)
    _check_numbers(privacy, where, faults)
    _check_levels(privacy, where, faults)
    unknown = [code for code in privacy.sensitive if code not in known_categories]
    if unknown:
        faults.append(f"{where}: `sensitive` names {unknown}, which categories.csv does not hold")
    return privacy


def _check_numbers(privacy: Privacy, where: str, faults: list[str]) -> None:
    for edition, least in LEAST_K.items():
        if privacy.k(edition) < least:
            faults.append(f"{where}: `k_{edition}` must be {least} or more")
    if privacy.k_public < privacy.k_internal:
        faults.append(f"{where}: `k_public` must not be smaller than `k_internal`")
    if privacy.delay_periods < 0:
        faults.append(f"{where}: `delay_periods` must be 0 or more")
    if privacy.sensitive_delay_periods < max(privacy.delay_periods, 1):
        faults.append(
            f"{where}: `sensitive_delay_periods` must be 1 or more, and at least `delay_periods`"
        )
    if privacy.keep_periods < 1:
        faults.append(f"{where}: `keep_periods` must be 1 or more")
    if not privacy.rare_below >= 0:
        faults.append(f"{where}: `rare_below` must be 0 or more")


def _check_levels(privacy: Privacy, where: str, faults: list[str]) -> None:
    names = ("finest_internal", "finest_public", "categories_internal", "categories_public")
    before = len(faults)
    for name in names:
        check_choice(getattr(privacy, name), LEVELS, f"{where}: `{name}`", faults)
    if len(faults) > before:
        return
    depth = {name: LEVELS.index(getattr(privacy, name)) for name in names}
    for finer, coarser in (
        ("finest_internal", "finest_public"),
        ("categories_internal", "categories_public"),
        ("finest_internal", "categories_internal"),
        ("finest_public", "categories_public"),
    ):
        if depth[coarser] > depth[finer]:
            faults.append(f"{where}: `{coarser}` must not be a lower level than `{finer}`")
