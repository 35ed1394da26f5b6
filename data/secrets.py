"""The installation's key: made once, kept for its owner alone, never a known or weak text."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "secret.key"
SETTING: Final = "PINGAN_SECRET_KEY"

SHORTEST: Final = 32
_DISTINCT: Final = 10
_KNOWN: Final = ("change", "secret", "password", "default", "example", "pingan")
_DERIVED_BYTES: Final = 32


class UnsafeKeyError(RuntimeError):
    """The key can be guessed or read by others; the message lists every reason."""


def installation_key(home: Path, setting: str) -> bytes:
    """
    Key of the installation: the setting, or a key file that the first start makes.

    Several processes may start at once; all get the same key.

    Parameters
    ----------
    home
        Folder of the key file.
    setting
        Value of `PINGAN_SECRET_KEY`; "" = the file.

    Raises
    ------
    UnsafeKeyError
        The key is weak or known, or others may read its file.
    """
    if setting:
        faults = key_faults(setting, SETTING)
        text = setting
    else:
        path = home / FILE
        _make_key(path)
        text = path.read_text(encoding="utf-8").strip()
        faults = key_faults(text, str(path))
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            faults.append(f"{path} has mode {mode:o}; run `chmod 600 {path}`")
    if faults:
        raise UnsafeKeyError("; ".join(faults))
    return text.encode()


def key_faults(key: str, where: str) -> list[str]:
    """Reasons why a text is no key; `where` names it to whoever must change it."""
    if len(key) < SHORTEST:
        return [f"{where} has {len(key)} characters; use {SHORTEST} or more, or leave it empty"]
    if len(set(key)) < _DISTINCT or any(word in key.lower() for word in _KNOWN):
        return [f"{where} can be guessed; use random text, or leave it empty"]
    return []


def derived(key: bytes, purpose: str) -> bytes:
    """
    A key of 32 bytes for one purpose; it tells nothing of those for others.

    References
    ----------
    HKDF with SHA-256, RFC 5869; the purpose is its `info`.
    """
    return HKDF(SHA256(), length=_DERIVED_BYTES, salt=None, info=purpose.encode()).derive(key)


def _make_key(path: Path) -> None:
    """Write a random key once; of several processes that start together one wins."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(secrets.token_urlsafe(48))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(waiting, path)  # fails when the key is there, and never shows half a key
    except FileExistsError:
        pass
    finally:
        waiting.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # What was encrypted or sealed with the key is lost with it.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
