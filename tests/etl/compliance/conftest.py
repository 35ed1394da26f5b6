"""An installation that meets every control, to be spoilt one control at a time."""

import shutil
from dataclasses import replace

import pytest
import sqlalchemy as sa

from data.access import Grant
from data.accounts import stored_settings
from data.audit import AuditLog
from data.audit.protect import protect
from data.secrets import derived
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.state.models import User, UserScope
from etl import compliance
from tests.etl.compliance.values import HASH, KEY, NOW, SAFE_HEADERS

POSTS = {
    "post-system": Grant("system_admin"),
    "post-security": Grant("security_admin"),
    "post-audit": Grant("audit_admin"),
    "command-1": Grant("command"),
    "grid-17": Grant("grid_chief", "grid", "W1"),
}


class Installation:
    """A home with accounts and an audit, and shortcuts to spoil and to judge it."""

    def __init__(self, home) -> None:
        self.home = home
        self.database = open_state("", home)
        self.log = AuditLog(self.database, derived(KEY.encode(), "audit"), home=home)
        self.settings = Settings(home=home, auth="local", public_url="https://map.example.gov.cn")

    def add(self, login, *grants, **columns):
        given = {"password_hash": HASH, "totp_secret": "x", "created_at": NOW, "unit": "值班室"}
        with self.database.writing() as session:
            user = User(login=login, **(given | columns))
            session.add(user)
            session.flush()
            for grant in grants:
                session.add(
                    UserScope(
                        user_id=user.id, role=grant.role, level=grant.level, area_code=grant.code,
                        granted_by="post-security", granted_at=NOW,
                    )
                )  # fmt: skip

    def change(self, model, of=None, /, **values):
        asked = sa.update(model).values(values)
        with self.database.writing() as session:
            session.execute(asked.where(User.login == of) if of else asked)

    def sign_in(self, login, at=NOW, result="ok"):
        self.log.write(
            at=at, user=login, roles="", address="10.1.2.3", session="", action="sign_in",
            target="", result=result,
        )  # fmt: skip

    def put(self, name, value):
        stored_settings.change(self.database, name, value, by="post-security", now=NOW)

    def controls(self, headers=SAFE_HEADERS, environ=None, **changed):
        found = compliance.examine(
            replace(self.settings, **changed),
            now=NOW,
            environ=environ or {},
            headers_of=lambda _settings: headers,
        )
        assert len({control.name for control in found}) == len(found)
        return {control.name: control for control in found}


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("installation") / "home"
    home.mkdir(mode=0o700)
    key = home / "secret.key"
    key.write_text(KEY)
    key.chmod(0o600)
    made = Installation(home)
    upgrade(made.database)
    protect(made.database)
    for login, grant in POSTS.items():
        made.add(login, grant)
    made.sign_in("post-audit")
    made.database.close()
    return home


@pytest.fixture
def installed(template, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(template, home)
    found = Installation(home)
    yield found
    found.database.close()
