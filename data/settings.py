"""Settings of one installation, read from a mapping of `PINGAN_*` names; nothing is global."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "PINGAN_"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


class SettingsError(ValueError):
    """A setting has an unknown name or a value that cannot be used."""


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True)
class Settings:
    """Everything an installation may choose; each field is `PINGAN_<FIELD>` in the environment."""

    home: Path = _setting(Path(".pingan"), "Folder of snapshots, boundaries and the secret key.")
    host: str = _setting("127.0.0.1", "Address that `pingan serve` listens on.")
    port: int = _setting(8050, "Port that `pingan serve` listens on.")
    auth: str = _setting("demo", "Sign-in: `demo` (loopback only), local, oidc, cas or header.")
    state: str = _setting("", "State database: PostgreSQL URL; empty = SQLite under the home.")
    public_url: str = _setting("", "Address that browsers use, as https://map.example.gov.cn.")
    proxies: int = _setting(0, "Trusted proxies in front, each of which adds X-Forwarded-*.")
    insecure_http: bool = _setting(default=False, text="Serve plain http beyond loopback.")
    oidc_issuer: str = _setting("", "OpenID Connect issuer, as https://sso.example.gov.cn/realm.")
    oidc_client: str = _setting("", "Client id at the OpenID Connect issuer.")
    oidc_secret: str = _setting("", "Client secret at the OpenID Connect issuer.")
    cas_url: str = _setting("", "CAS server, as https://cas.example.gov.cn/cas.")
    header_key: str = _setting("", "Key of the portal's signed headers, 32 characters or more.")
    secret_key: str = _setting("", "Session key, 32 characters or more; empty = a key file.")
    debug: bool = _setting(default=False, text="Developer mode; refused beyond loopback.")
    workers: int = _setting(2, "Web processes that `pingan serve` starts.")
    threads: int = _setting(8, "Threads of each web process.")
    basemap: str = _setting("", "Base map: folder, MBTiles file, or https://…{z}/{x}/{y}; off.")
    basemap_key: str = _setting("", "Key for {key} in the address; stays on the server.")
    basemap_notice: str = _setting("", "Approval number (审图号) and owner of the base map.")
    city: str = _setting("", "City folder whose sources take pushes and uploads; empty = none.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """
        Read settings from a mapping such as `os.environ`.

        Raises
        ------
        SettingsError
            A `PINGAN_*` name is unknown or a value has the wrong form; all faults at once.
        """
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name in sorted(name for name in environ if name.startswith(PREFIX)):
            if name not in known:
                faults.append(f"{name} is unknown; known names are {', '.join(sorted(known))}")
                continue
            item = known[name]
            try:
                values[item.name] = _parse(environ[name], like=item.default)
            except ValueError as error:
                faults.append(f"{name}={environ[name]!r}: {error}")
        if faults:
            raise SettingsError("; ".join(faults))
        return cls(**values)


def _parse(text: str, *, like: Any) -> Any:
    """Read `text` as the type of the default value `like`."""
    if isinstance(like, bool):
        lowered = text.strip().lower()
        if lowered not in _TRUE | _FALSE:
            raise ValueError("use 1 or 0")
        return lowered in _TRUE
    if isinstance(like, int):
        return int(text)
    if isinstance(like, Path):
        return Path(text).expanduser()
    return text
