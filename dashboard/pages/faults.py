"""Why an account or a right could not be made, in words; the rules themselves are in `data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.pages.password_words import fault_words
from dashboard.pages.render import role_titles
from data.accounts import duties
from data.accounts.duties import SECURITY_ADMIN, AccountError
from data.accounts.logins import checked_login, checked_unit
from data.accounts.policy import password_faults
from data.accounts.users import PasswordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.accounts.users import Account


def account_faults(context: PageContext, login: str, unit: str, told: Words) -> list[str]:
    """Tell why an account cannot be called so; nothing is written yet."""
    if _refuses(checked_login, login):
        return [told("user_fault_login")]
    if _refuses(checked_unit, unit):
        return [told("user_fault_unit")]
    if context.accounts.get(login) is not None:
        return [told("user_fault_taken", login=login)]
    return []


def new_password_faults(
    context: PageContext, login: str, new: str, again: str, told: Words
) -> list[str]:
    """Tell what the rules have against a new password; reuse shows only when it is stored."""
    if new != again:
        return [told("password_not_same")]
    policy = context.accounts.policy()
    return fault_words(policy, password_faults(policy, login, new), told)


def other_faults(context: PageContext, error: AccountError, told: Words) -> list[str]:
    """Tell why something failed that no check beforehand could see."""
    if isinstance(error, PasswordError):
        return fault_words(context.accounts.policy(), error.faults, told)
    return [told("user_fault_other", text=str(error))]


def right_faults(error: AccountError, account: Account, wanted: str, told: Words) -> list[str]:
    """
    Tell why a right was not given or taken away.

    Parameters
    ----------
    wanted
        Role that was to be given; "" where none was.
    """
    held = {grant.role for grant in account.grants}
    if wanted and _refuses(lambda role: duties.check_together("", held, role), wanted):
        titles = told("list_comma").join(role_titles(tuple(held), told))
        return [told("user_fault_together", held=titles)]
    if SECURITY_ADMIN in held:
        return [told("user_fault_last")]
    return [told("user_fault_other", text=str(error))]


def _refuses(check: Callable[[str], object], value: str) -> bool:
    try:
        check(value)
    except AccountError:
        return True
    return False
