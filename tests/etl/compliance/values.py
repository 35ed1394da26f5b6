"""A moment, a key, a hash and headers that are safe."""

import datetime as dt

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
KEY = "q8Zr2LxT0vWn5KdJ7yHs4GfB9mPc1XeU"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'sha256-x'; worker-src blob:; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
