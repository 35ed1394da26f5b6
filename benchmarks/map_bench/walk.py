"""A walk down the areas of a city: which of them can be clicked next."""

import random


class Walk:
    """Where a reader stands, and an area below it that the page can be clicked at."""

    def __init__(self, snapshot, seed):
        areas = snapshot.areas
        self.current = areas[areas["valid_to"].isna()]
        self.levels = [entry["level"] for entry in snapshot.manifest.levels]
        self.chance = random.Random(seed)
        self.top()

    def top(self):
        self.depth, self.index = 1, 0
        """Depth of the level on the map, and the area in focus above it."""

    @property
    def level(self):
        return self.levels[self.depth]

    @property
    def below(self):
        """The level that a click leads to; None where a click only picks."""
        return self.levels[self.depth + 1] if self.depth + 1 < len(self.levels) else None

    def next_spot(self, page):
        """Step down to an area that nothing covers; gives where it is to be clicked."""
        rows = self.current[
            (self.current["level"] == self.level) & (self.current["parent_index"] == self.index)
        ]
        rows = rows.iloc[self.chance.sample(range(len(rows)), len(rows))]
        found = page.spot(rows)
        if found is None:
            raise SystemExit(f"no {self.level} can be clicked")
        at, x, y = found
        self.index = int(rows.iloc[at]["area_index"])
        self.depth += 1
        return x, y
