"""People sign in with badge and PIN; a second person confirms with theirs; every entry of the ledger names its actor."""

from dataclasses import dataclass
from typing import Protocol

from hub.domain.identifiers import UserId, derived_id
from hub.domain.people import Role, User
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork

WRONG = Refusal("sign-in", "Badge or PIN is wrong.", "Неверный бейдж или PIN.")


class PinHasher(Protocol):
    """Slow hashing of PINs (argon2id at the edge)."""

    def hashed(self, pin: str) -> str:
        """Return the hash of a PIN."""

    def matches(self, pin_hash: str, pin: str) -> bool:
        """Tell whether a PIN has that hash."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to be enrolled."""

    name: str
    role: Role
    badge: str
    pin: str


def enrol(unit: UnitOfWork, person: NewUser, pin_hash: str) -> User:
    """Enrol a person; the same badge again changes nothing."""
    known = unit.users.where(badge=person.badge)
    if known:
        return known[0]
    user = User(UserId(derived_id("user", person.badge, digits=12)), person.name, person.role, person.badge, pin_hash)
    unit.users.put(user)
    unit.record("user-enrolled", {"user": user.id, "name": user.name, "role": user.role.value})
    return user


def user_of_badge(unit: UnitOfWork, badge: str) -> User | None:
    """Return the active person of a badge."""
    found = [user for user in unit.users.where(badge=badge) if user.active]
    return found[0] if found else None
