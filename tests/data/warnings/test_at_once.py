"""Two operators at the same warnings, and two programs that open them, at the same moment."""

import multiprocessing
from collections import Counter

from data.state.database import StateDatabase
from data.warnings import StaleError, Warnings
from tests.data.warnings.town import CHIEF, CITY, COMMUNITY, NOW, TOWNSHIP, TREE, opened, post

WARNINGS = 1_000


def grab(url, unit, to, numbers, gate):
    """What one operator is told who presses `assign` on every warning, as both see it."""
    database = StateDatabase(url)
    warnings, told = Warnings(database, tree=lambda: TREE), {}
    gate.wait()
    for number in numbers:
        try:
            done = warnings.act(
                post(unit), number, step="assign", version=1, key=f"{unit.role}-{number:06d}",
                to_unit=to, now=NOW,
            )  # fmt: skip
            told[number] = ("won", done.owner.code)
        except StaleError as error:
            told[number] = ("lost", error.present.owner.code)
    database.close()
    return told


def run(target, *arguments):
    """Both operators in a process each, released together; what each was told."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(2) as pool:
        gate = manager.Barrier(2, timeout=60)
        asked = [(*one, gate) for one in arguments]
        return pool.starmap_async(target, asked, chunksize=1).get(timeout=300)


def test_of_two_operators_one_wins_each_warning_and_the_other_is_told(tmp_path, upgraded_file):
    path = tmp_path / "state.db"
    path.write_bytes(upgraded_file.read_bytes())
    url = f"sqlite:///{path}"
    database = StateDatabase(url)
    warnings = Warnings(database, tree=lambda: TREE)
    numbers = [opened(warnings, f"{at:04d}", owner=TOWNSHIP).id for at in range(WARNINGS)]
    # Neighbours swapped: both are at the same few warnings, and neither is always the first.
    swapped = [numbers[at ^ 1] for at in range(WARNINGS)]
    told = run(grab, (url, TOWNSHIP, COMMUNITY, numbers), (url, CITY, CHIEF, swapped))
    wanted = (COMMUNITY.code, CHIEF.code)
    for number in numbers:
        kept = warnings.get(post(CITY), number)
        assert kept.version == 2
        assert len(warnings.steps(post(CITY), number)) == 2
        outcomes = [one[number] for one in told]
        assert sorted(word for word, _ in outcomes) == ["lost", "won"]
        # Winner and loser both name the owner that is stored: that of the winner.
        (winner,) = (at for at, (word, _) in enumerate(outcomes) if word == "won")
        assert {owner for _, owner in outcomes} == {kept.owner.code} == {wanted[winner]}
    counted = Counter(word for one in told for word, _ in one.values())
    assert counted == {"won": WARNINGS, "lost": WARNINGS}
    database.close()


def press(url, numbers, gate):
    """One post whose line sends every press again: all have the same keys."""
    database = StateDatabase(url)
    warnings = Warnings(database, tree=lambda: TREE)
    gate.wait()
    done = [
        warnings.act(
            post(COMMUNITY), number, step="sign", version=1, key=f"press-{number:06d}", now=NOW
        )
        for number in numbers
    ]
    database.close()
    return {one.version for one in done}


def test_the_same_press_sent_twice_at_once_is_one_step(warnings, state_url):
    numbers = [opened(warnings, f"{at}").id for at in range(50)]
    assert run(press, (state_url, numbers), (state_url, numbers)) == [{2}, {2}]
    assert all(len(warnings.steps(post(CITY), number)) == 2 for number in numbers)


def open_all(url, gate):
    """Ids of the warnings that one program opens."""
    database = StateDatabase(url)
    warnings = Warnings(database, tree=lambda: TREE)
    gate.wait()
    found = [opened(warnings, f"{at}").id for at in range(50)]
    database.close()
    return found


def test_two_programs_open_each_episode_once(warnings, state_url):
    one, two = run(open_all, (state_url,), (state_url,))
    assert one == two
    assert len(set(one)) == len(warnings.listed(post(CITY), limit=500)) == 50


def escalate(url, gate):
    """How many warnings one program escalates."""
    database = StateDatabase(url)
    warnings = Warnings(database, tree=lambda: TREE)
    gate.wait()
    done = warnings.escalate_due(NOW.replace(day=25))
    database.close()
    return len(done)


def test_two_programs_escalate_each_warning_once(warnings, state_url):
    for at in range(50):
        opened(warnings, f"{at}")
    assert sum(run(escalate, (state_url,), (state_url,))) == 50
    assert {one.tiers for one in warnings.listed(post(CITY))} == {1}
