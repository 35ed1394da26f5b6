"""Every endpoint of the application, and who may call it; the guard holds them to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLBACKS: Final = "/_dash-update-component"

WORDS: Final = ("anyone", "signed in", "token", "nobody")
"""What an endpoint may declare beside an action of the permission matrix."""

PERMISSIONS: Final[Mapping[str, str]] = {
    "/": "signed in",
    "/_dash-layout": "signed in",
    "/_dash-dependencies": "signed in",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": "anyone",
    "/_favicon.ico": "anyone",
    # Each callback declares its own action.
    CALLBACKS: "signed in",
    "_dash_assets.static": "anyone",
    "tile": "map",
    "names": "map",
    "frames": "map",
    "basemap": "map",
    "live": "map",
    "export": "export",
    "exported": "export",
    "image": "export",
    "health": "anyone",
    # A wall screen shows its token once and gets a cookie for it.
    "screen_enter": "anyone",
    # Systems, not people: `dashboard.api` asks for a token or a signature itself.
    "push": "token",
    "batch": "token",
    "live_units": "token",
    "live_crowds": "token",
    "signin": "anyone",
    "signin_external": "anyone",
    "signin_back": "anyone",
    "setup": "anyone",
    "shared": "anyone",
    "signout": "signed in",
    "share": "share",
    "upload": "upload",
    "methods": "signed in",
    "weekly": "report",
    # Also asks for `report` in the areas that one may export.
    "weekly_file": "export",
    "letters": "letters",
    "letter": "letters",
    "letters_draft": "letters_change",
    "letter_change": "letters_change",
    # Also asks for `letters` in the areas that one may export.
    "letter_file": "export",
    "phone": "map",
    "phone_map": "map",
    "phone_report": "report_event",
    "phone_progress": "report_event",
    "phone_warning": "warnings_act",
    "command": "warnings",
    "warning": "warnings",
    "warnings_act": "warnings_act",
    "warnings_open": "warnings_act",
    "facilities": "warnings",
    "special": "warnings",
    "special_change": "warnings_act",
    "special_check": "warnings_act",
    "track": "anyone",
    "track_form": "anyone",
    # Neither holds anything of the city; a browser asks for them without a page.
    "phone_manifest": "anyone",
    "phone_worker": "anyone",
    "screen": "map",
    "desk_areas": "map",
    "desk_hotspots": "map",
    "desk_index": "map",
    "desk_forecast": "map",
    "desk_data": "map",
    "account": "account",
    "account_password": "account",  # nosec B105  # an action - no secret
    "account_totp": "account",
    "account_sessions": "account",
    "views": "views",
    "users": "users_read",
    "user": "users_read",
    "users_add": "users_change",
    "user_change": "users_change",
    "audit": "audit",
    "audit_verify": "audit",
    "audit_export": "audit",
    "settings": "settings_read",
    "settings_change": "settings_change",
    # Served by the framework, of no use here: nobody gets them.
    "/<path:path>": "nobody",
    "/_reload-hash": "nobody",
    "static": "nobody",
}
"""Who may call each endpoint; one that is not listed stops the start."""

FREE: Final = frozenset(
    {
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
        "/_favicon.ico",
        "_dash_assets.static",
        "tile",
        "basemap",
        "health",
    }
)
"""Endpoints that cost next to nothing and that one page asks for many times at once."""

POLLED: Final = frozenset({"live"})
"""Endpoints that open pages ask all the time: their share of the server is one of its own."""

SIGN_IN: Final = frozenset({"signin", "signin_external", "signin_back", "setup"})
"""Endpoints that are closed where a portal in front signs everybody in."""

UNCHANGED: Final = frozenset({"account", "account_password", "account_totp", "signout"})
"""All that is open to an account that must get a new password or one-time codes first."""

WALLS: Final = frozenset(
    {
        "screen",
        "live",
        "screen_enter",
        "signout",
        "health",
        "_dash_assets.static",
        "/_favicon.ico",
    }
)
"""All that is open to a wall screen, whatever its role may read elsewhere."""
