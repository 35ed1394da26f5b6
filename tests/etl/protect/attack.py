"""
Attack random releases and print what was found.

    python -m tests.etl.protect.attack --releases 200

Each release is of a random city: two adjacent periods in both editions. It is attacked from outside
and by insiders, each of whom knows one area exactly; with the public edition alone, and with both.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from data.privacy import EDITIONS
from geo.divisions import LEVELS
from tests.etl.protect.attacker import TOTAL, attack, withheld
from tests.etl.protect.worlds import publish, random_privacy, random_worlds


@dataclass
class Figures:
    """What was attacked and what came of it."""

    releases: int = 0
    areas: int = 0
    published: int = 0
    withheld: int = 0
    attacks: int = 0
    programs: int = 0
    unequal_totals: int = 0
    beyond_internal: int = 0
    exact: list = field(default_factory=list)
    narrow: list = field(default_factory=list)

    def lines(self):
        yield f"releases attacked                      {self.releases:>9,}"
        yield f"areas, published cells                 {self.areas:>9,} {self.published:>9,}"
        yield f"withheld cells                         {self.withheld:>9,}"
        yield f"attacks (outsider and insiders)        {self.attacks:>9,}"
        yield f"linear programs                        {self.programs:>9,}"
        yield f"exact recoveries                       {len(self.exact):>9,}"
        yield f"intervals narrower than 3              {len(self.narrow):>9,}"
        yield f"city totals that differ from the truth {self.unequal_totals:>9,}"
        yield f"public cells that are not internal     {self.beyond_internal:>9,}"


def attack_release(seed, figures, *, insiders=6, largest=40):
    """Publish and attack one random release; adds to the figures."""
    draw = np.random.default_rng(seed)
    worlds = random_worlds(draw, largest=largest)
    privacy = random_privacy(draw, max(worlds[0].level.values()) + 1)
    listed = draw.random(worlds[0].classes) > 0.2
    told = [publish(world, privacy, listed=listed) for world in worlds]
    figures.releases += 1
    figures.areas += len(worlds[0].areas)
    for edition in EDITIONS:
        seen = EDITIONS if edition == "internal" else (edition,)
        cells = {
            (period, *cell): count
            for period, by_edition in enumerate(told)
            for one in seen
            for cell, count in by_edition[one].items()
        }
        figures.published += len(cells)
        figures.unequal_totals += sum(
            cells.get((period, "0", TOTAL), world.count("0")) != world.count("0")
            for period, world in enumerate(worlds)
        )
        finest = [LEVELS.index(level) for level in privacy.finest(edition)]
        targets = withheld(worlds, cells, k=privacy.k(edition), finest=finest)
        figures.withheld += len(targets)
        heads = [a for a in worlds[0].areas if a != "0" and a not in worlds[0].secret]
        draw.shuffle(heads)
        for insider in (None, *heads[:insiders]):
            found, made = attack(worlds, cells, targets, insider=insider)
            figures.attacks += 1
            figures.programs += made.solved
            for target, interval in found.items():
                known = (seed, edition, insider, target, interval)
                figures.narrow.append(known)
                if interval[0] == interval[1]:
                    figures.exact.append(known)
    for by_edition in told:
        for cell, count in by_edition["public"].items():
            # A sum of several classes can differ in which they are; the attack takes it in.
            of_several = isinstance(cell[1], tuple)
            figures.beyond_internal += not of_several and by_edition["internal"].get(cell) != count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--releases", type=int, default=200)
    parser.add_argument("--insiders", type=int, default=6)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    figures, begun = Figures(), time.monotonic()
    for seed in range(arguments.first, arguments.first + arguments.releases):
        attack_release(seed, figures, insiders=arguments.insiders)
    print(*figures.lines(), sep="\n")
    print(
        f"seconds, of them on a core             {time.monotonic() - begun:>9.0f} {time.process_time():>9.0f}"
    )
    print(*figures.narrow[:20], sep="\n")
    return 1 if figures.narrow or figures.unequal_totals or figures.beyond_internal else 0


if __name__ == "__main__":
    sys.exit(main())
