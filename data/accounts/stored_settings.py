"""Settings that an administrator changes while the map runs: each with its bounds and its text."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import sqlalchemy as sa

from data.accounts.policy import Policy, TotpRule
from data.state.models import Setting

if TYPE_CHECKING:
    import datetime as dt

    from data.state.database import StateDatabase

Value = bool | int | str
Stronger = Literal["higher", "lower"]

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingError(ValueError):
    """There is no such setting, or the value is out of its bounds."""


@dataclass(frozen=True)
class SettingSpec:
    """
    One setting.

    Attributes
    ----------
    bounds
        Smallest and largest number, or every word that it takes, the weakest first.
    stronger
        Which way a value protects more.
    """

    name: str
    default: Value
    bounds: tuple[int, int] | tuple[str, ...]
    stronger: Stronger
    text_zh: str
    text_en: str

    def parse(self, value: Value) -> Value:
        """
        Read a value, as text of a form or of the table.

        Raises
        ------
        SettingError
            It is out of bounds.
        """
        text = str(value).strip().lower()
        if isinstance(self.default, bool):
            if text in _TRUE + _FALSE:
                return text in _TRUE
            raise SettingError(f"{self.name}: {value!r} is not true or false")
        if isinstance(self.default, str):
            if text in self.bounds:
                return text
            raise SettingError(f"{self.name}: {value!r} is none of {', '.join(self._words())}")
        least, most = (int(bound) for bound in self.bounds)
        # Digits of every script are digits to Python; eight are more than any bound has.
        if text.isascii() and text.isdigit() and len(text) <= 8 and least <= int(text) <= most:
            return int(text)
        raise SettingError(f"{self.name}: {value!r} is no whole number from {least} to {most}")

    def is_weaker(self, value: Value) -> bool:
        """Whether a value protects less than the default."""
        given, default = self._rank(value), self._rank(self.default)
        return given < default if self.stronger == "higher" else given > default

    def _rank(self, value: Value) -> int:
        return self._words().index(value) if isinstance(value, str) else int(value)

    def _words(self) -> list[str]:
        return [str(bound) for bound in self.bounds]


def _spec(
    name: str,
    default: Value,
    bounds: tuple[int, int] | tuple[str, ...],
    stronger: Stronger,
    text: tuple[str, str],
) -> SettingSpec:
    return SettingSpec(name, default, bounds, stronger, *text)


_BOOL: Final = (0, 1)
_P: Final = Policy()

SETTINGS: Final[dict[str, SettingSpec]] = {
    spec.name: spec
    for spec in (
        _spec(
            "min_length", _P.min_length, (6, 64), "higher",
            ("密码最短长度（字符）", "Shortest password (characters)"),
        ),
        _spec(
            "min_classes", _P.min_classes, (1, 4), "higher",
            ("密码至少含几类字符（小写、大写、数字、其他）",
             "Kinds of characters in a password (small, capital, digit, other)"),
        ),
        _spec(
            "history", _P.history, (0, 24), "higher",
            ("不得重复使用的最近密码个数", "Latest passwords that cannot be used again"),
        ),
        _spec(
            "expiry_days", _P.expiry_days, (1, 3_650), "lower",
            ("密码有效期（天）", "Days until a password must be changed"),
        ),
        _spec(
            "lock_failures", _P.lock_failures, (1, 20), "lower",
            ("连续失败几次后锁定", "Failed sign-ins that lock an account"),
        ),
        _spec(
            "lock_minutes", _P.lock_minutes, (1, 1_440), "higher",
            ("锁定时长（分钟）", "Minutes that a lock lasts"),
        ),
        _spec(
            "idle_minutes", _P.idle_minutes, (1, 480), "lower",
            ("无操作自动退出（分钟）", "Minutes without use that end a session"),
        ),
        _spec(
            "session_hours", _P.session_hours, (1, 168), "lower",
            ("会话最长时间（小时）", "Hours that a session lasts at most"),
        ),
        _spec(
            "one_session", _P.one_session, _BOOL, "higher",
            ("每个账号只允许一个会话", "One session per account"),
        ),
        _spec(
            "totp", _P.totp, get_args(TotpRule), "higher",
            ("动态口令：off 不用，optional 自愿，administrators 管理员必须，all 全部必须",
             "One-time codes: off, optional, administrators must, all must"),
        ),
        _spec(
            "first_change", _P.first_change, _BOOL, "higher",
            ("首次登录须修改密码", "Change the password at the first sign-in"),
        ),
        _spec(
            "audit_keep_days", 200, (180, 3_650), "higher",
            ("审计记录保留天数（不少于 180）", "Days that audit rows are kept (180 or more)"),
        ),
        _spec(
            "share_days", 7, (1, 90), "lower",
            ("分享链接有效期（天）", "Days that a shared link works"),
        ),
    )
}  # fmt: skip


def read(database: StateDatabase) -> dict[str, Value]:
    """
    Every setting as it holds now; the default where none is stored or it cannot be used.

    Raises
    ------
    StateError
        The database fails.
    """
    stored = _stored(database)
    return {
        name: spec.parse(stored[name])
        if name in stored and not _fault(spec, stored[name])
        else spec.default
        for name, spec in SETTINGS.items()
    }


def faults(database: StateDatabase) -> list[str]:
    """
    Tell of stored values that cannot be used, in whose place the default holds.

    Raises
    ------
    StateError
        The database fails.
    """
    stored = _stored(database)
    found = [
        _fault(spec, stored.get(name, "")) for name, spec in SETTINGS.items() if name in stored
    ]
    return [fault for fault in found if fault]


def policy(database: StateDatabase) -> Policy:
    """
    The rules for accounts as they hold now.

    Raises
    ------
    StateError
        The database fails.
    """
    values = read(database)
    known: dict[str, Any] = {item.name: values[item.name] for item in fields(Policy)}
    return Policy(**known)


def change(database: StateDatabase, name: str, value: Value, *, by: str, now: dt.datetime) -> Value:
    """
    Store a setting; it holds from the next request on, in every process.

    Returns
    -------
    value
        As it was understood.

    Raises
    ------
    SettingError
        There is no such setting, or the value is out of bounds; nothing was written.
    StateError
        The database fails; nothing was written.
    """
    if name not in SETTINGS:
        raise SettingError(f"there is no setting {name!r}; known: {', '.join(SETTINGS)}")
    parsed = SETTINGS[name].parse(value)
    text = str(parsed).lower() if isinstance(parsed, bool) else str(parsed)
    with database.writing() as session:
        session.merge(Setting(name=name, value=text, changed_at=now, changed_by=by))
    return parsed


def _stored(database: StateDatabase) -> dict[str, str]:
    with database.reading() as session:
        return dict(session.execute(sa.select(Setting.name, Setting.value)).all())


def _fault(spec: SettingSpec, text: str) -> str:
    """Why a stored text cannot be used; "" where it can."""
    try:
        spec.parse(text)
    except SettingError as error:
        return f"{error}; the default {spec.default} holds"
    return ""
