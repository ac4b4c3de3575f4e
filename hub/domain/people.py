"""People, roles and the one table of who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.identifiers import UserId


class Role(StrEnum):
    """What a person is in the house."""

    TECHNICIAN = "technician"
    PHARMACIST = "pharmacist"
    NURSE = "nurse"
    SENIOR_NURSE = "senior-nurse"
    TREATMENT_NURSE = "treatment-nurse"
    ENGINEER = "engineer"
    HEAD = "head"
    CONTROLLER = "controller"
    SYSTEM = "system"


class Action(StrEnum):
    """What a person may be allowed to do."""

    RECEIVE_SHEETS = "receive-sheets"
    DECIDE_LINES = "decide-lines"
    RETURN_LINES = "return-lines"
    CANCEL_ADMINISTRATION = "cancel-administration"
    RECEIVE_STOCK = "receive-stock"
    RECALL = "recall"
    LOAD_CASSETTES = "load-cassettes"
    PACK = "pack"
    DECIDE_REVIEWS = "decide-reviews"
    PRINT_LABELS = "print-labels"
    LOAD_TROLLEY = "load-trolley"
    RECEIVE_TROLLEY = "receive-trolley"
    RECEIVE_AMPOULES = "receive-ampoules"
    ADMINISTER = "administer"
    RETURN_PACKS = "return-packs"
    OPERATE_DEVICES = "operate-devices"
    SERVE_DEVICES = "serve-devices"
    READ_MISSES = "read-misses"
    READ_LOOKING = "read-looking"
    READ_LINE = "read-line"
    READ_WARD = "read-ward"
    READ_LEDGER = "read-ledger"
    ADVANCE_CLOCK = "advance-clock"


_PHARMACY = frozenset({Role.TECHNICIAN, Role.PHARMACIST, Role.HEAD})
_WARD = frozenset({Role.NURSE, Role.SENIOR_NURSE, Role.TREATMENT_NURSE})

PERMISSIONS: Mapping[Action, frozenset[Role]] = {
    Action.RECEIVE_SHEETS: _PHARMACY | {Role.SYSTEM},
    Action.DECIDE_LINES: frozenset({Role.PHARMACIST}),
    Action.RETURN_LINES: _PHARMACY | {Role.SENIOR_NURSE},
    Action.CANCEL_ADMINISTRATION: frozenset({Role.SENIOR_NURSE, Role.PHARMACIST}),
    Action.RECEIVE_STOCK: _PHARMACY,
    Action.RECALL: frozenset({Role.PHARMACIST, Role.HEAD}),
    Action.LOAD_CASSETTES: _PHARMACY,
    Action.PACK: _PHARMACY,
    Action.DECIDE_REVIEWS: frozenset({Role.PHARMACIST, Role.TECHNICIAN}),
    Action.PRINT_LABELS: _PHARMACY,
    Action.LOAD_TROLLEY: _PHARMACY,
    Action.RECEIVE_TROLLEY: _WARD,
    Action.RECEIVE_AMPOULES: frozenset({Role.TREATMENT_NURSE}),
    Action.ADMINISTER: _WARD,
    Action.RETURN_PACKS: _WARD | _PHARMACY,
    Action.OPERATE_DEVICES: frozenset({Role.ENGINEER, Role.TECHNICIAN}),
    Action.SERVE_DEVICES: frozenset({Role.ENGINEER}),
    Action.READ_MISSES: frozenset({Role.PHARMACIST, Role.HEAD}),
    Action.READ_LOOKING: frozenset({Role.HEAD}),
    Action.READ_LINE: frozenset(Role) - {Role.NURSE, Role.TREATMENT_NURSE},
    Action.READ_WARD: _WARD | _PHARMACY,
    Action.READ_LEDGER: frozenset({Role.PHARMACIST, Role.HEAD, Role.CONTROLLER, Role.ENGINEER}),
    Action.ADVANCE_CLOCK: frozenset({Role.SYSTEM}),
}


@dataclass(frozen=True, slots=True)
class User:
    """A person with a badge; `pin_hash` is an argon2 hash and never leaves the server."""

    id: UserId
    name: str
    role: Role
    badge: str
    pin_hash: str
    active: bool = True


def may(role: Role, action: Action) -> bool:
    """Tell whether a role may do an action."""
    return role in PERMISSIONS[action]
