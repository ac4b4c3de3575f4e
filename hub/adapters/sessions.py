"""Sessions and PINs: opaque tokens whose hash is kept, argon2id for the PINs."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from hub.adapters.bookkeeping import Session
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.people import User

LASTS = timedelta(hours=12)
REMEMBERED = 1000
ASKED_AGAIN_AFTER = timedelta(seconds=10)


class ArgonPins:
    """argon2id with 19 MiB, two passes (OWASP's smallest recommended setting: 26 ms a try on this class of machine)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    def hashed(self, pin: str) -> str:
        """Return the hash of a PIN, with its own salt."""
        return self._hasher.hash(pin)

    def matches(self, pin_hash: str, pin: str) -> bool:
        """Tell whether a PIN has that hash."""
        try:
            return self._hasher.verify(pin_hash, pin)
        except (VerifyMismatchError, InvalidHashError):
            return False


class StoredSessions:
    """Sessions in the store, with the newest of them remembered; lifetimes run by the real clock."""

    def __init__(self, writer: Writer, wall_clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._now = wall_clock
        self._known: dict[str, tuple[User, datetime, datetime]] = {}

    async def open(self, user: User) -> str:
        """Open a session of twelve hours and return its token (256 bits)."""
        token = secrets.token_urlsafe(32)
        session = Session(_hash(token), user.id, self._now() + LASTS)
        await self._writer.run(user.id, lambda unit: unit.sessions.put(session))
        return token

    async def user_of(self, token: str) -> User | None:
        """Return whose token it is, or None where it is unknown, ended or too old; who was disabled is out within ten seconds."""
        now, digest = self._now(), _hash(token)
        known = self._known.get(digest)
        if known is None or now >= known[2]:
            found = await self._writer.read(lambda unit: _find(unit, digest))
            self._known.pop(digest, None)
            if found is None:
                return None
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[digest] = (*found, now + ASKED_AGAIN_AFTER)
        return known[0] if now < known[1] else None

    async def close(self, token: str) -> None:
        """End a session; an unknown token changes nothing."""
        self._known.pop(_hash(token), None)

        def end(unit: SqlUnitOfWork) -> None:
            session = unit.sessions.get(_hash(token))
            if session is not None:
                unit.sessions.put(replace(session, expires_at=self._now()))

        await self._writer.run("system", end)


def _find(unit: SqlUnitOfWork, token_hash: str) -> tuple[User, datetime] | None:
    session = unit.sessions.get(token_hash)
    user = unit.users.get(session.user) if session is not None else None
    if session is None or user is None or not user.active:
        return None
    return user, session.expires_at


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
