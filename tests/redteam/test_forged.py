"""Nothing that a browser can forge reaches a foreign area, a trace or a failure of the server."""

import os
import random

import pytest

from dashboard import guard
from tests.redteam import forged
from tests.redteam.attack import SEARCH, Attacker, app_of

REQUESTS = 7_000 if os.environ.get("LONG_RUN") else 500


@pytest.mark.parametrize("role", forged.ROLES)
def test_forged_calls_tell_nothing(settings, store, home, role):
    attacker = Attacker(app_of(settings, store, role), role)
    rng = random.Random(f"4 {role}")
    statuses, faults = forged.attack(attacker, rng, home, REQUESTS)
    assert not faults, faults[:5]
    kinds = {kind for kind, _ in statuses}
    assert len(kinds) == len(set(forged.KINDS))  # every kind came
    assert {200, 400} <= {status for _, status in statuses}


def test_the_forgers_eye_sees_what_is_told_too_much(settings, store, home):
    attacker = Attacker(app_of(settings, store, "leader"), "leader")
    attacker.role = "grid_chief"  # judged as somebody who may see less
    _, faults = forged.attack(attacker, random.Random(4), home, 60)
    assert any("foreign" in fault for *_, fault, _ in faults)


def test_one_output_is_still_a_list(settings, store):
    attacker = Attacker(app_of(settings, store, "township"), "township")
    body = attacker.bodies[SEARCH]
    forged_body = body | {"outputs": body["outputs"][0], "changedPropIds": []}
    assert attacker.client.post(guard.CALLBACKS, json=forged_body).status_code == 400
