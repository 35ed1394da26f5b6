"""A store of the pages' small city that has measured effects, and letters as they are drafted."""

from types import SimpleNamespace

from tests.dashboard.pages.conftest import SmallStore

MEASURED = (40, 20, 26, 12, 20, 800, 790, 0.506, 0.301, 0.851, "fell", None)


class MeasuredStore(SmallStore):
    """Answers the one query of the effects with a row that a test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.row = None
        city = self.snapshot.manifest.city
        self.snapshot = SimpleNamespace(
            id="s1",
            home="nowhere",
            areas=self.snapshot.areas,
            manifest=SimpleNamespace(city=city, grain="week", raw={}),
            tables=lambda: {"effects"},
            rows=lambda _sql, _values: [self.row] if self.row else [],
        )
