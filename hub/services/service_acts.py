"""Service acts in the ledger: who asked a machine for what before it is asked, what it answered, and whose lock it is by the books."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from hub.domain.identifiers import DeviceId
from hub.domain.ledger import LedgerEntry
from hub.domain.people import User
from hub.domain.refusals import Refusal
from hub.services.device_service import (
    FirmwareStatusAct,
    JobQueryAct,
    JogAct,
    LockAct,
    SelfTestAct,
    ServiceAct,
    ServiceAnswer,
    WatchAct,
)
from hub.services.firmware_updates import FirmwareAct
from hub.services.ports import UnitOfWork
from hub.services.views import LedgerQuestion

ASKED, ANSWERED, LOCKED = "service-asked", "service-answered", "service-lock"
SERVED_KINDS = ("packager", "unknown")
UNKNOWN = Refusal("unknown-device", "There is no such machine, or it has no bridge that could serve it.", "Такой машины нет, или у неё нет моста, через который её обслуживают.")
OWNER_LIMIT = 25
_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".split(),  # noqa: SIM905 a list of it is a page
        strict=True,
    )
)
HINTS: Mapping[str, str] = {
    "EXPIRED": "If that happens again, the clocks of hub and bridge differ.",
    "INVALID": "If it speaks of expires_at, the clocks of hub and bridge differ.",
    "NOT_LOCKED": "Take the service lock first.",
    "FENCED": "Another hub has spoken to this machine since: this one must not.",
    "LINK_DOWN": "Look at cable and power of the machine.",
}


def owner_of(user: User) -> str:
    """Return the name under which a person holds a lock: letters of ASCII, and the start of the id, for two may have one name."""
    latin = "".join(_latin(letter) for letter in user.name)
    name = re.sub(r"[^A-Za-z0-9.-]+", " ", latin).strip()[:OWNER_LIMIT].strip()
    return f"{name or user.role.value} {user.id[:6]}"


def _latin(letter: str) -> str:
    told = _LATIN.get(letter.lower(), letter).replace("-", "") if letter.lower() in _LATIN else letter
    return told.capitalize() if letter.isupper() else told


def serves(unit: UnitOfWork, device: str) -> bool:
    """Tell whether a device is known and may have a bridge; printers and cameras have none."""
    known = unit.devices.get(DeviceId(device))
    return known is not None and known.kind in SERVED_KINDS


def record_asked(unit: UnitOfWork, device: str, act: ServiceAct | FirmwareAct) -> dict[str, Any] | Refusal:
    """Write down what is about to be asked of a machine; returns the number of the entry."""
    if not serves(unit, device):
        return UNKNOWN
    return {"asked": unit.record(ASKED, {"device": device, **_told(act)})}


def record_answered(
    unit: UnitOfWork, device: str, act: ServiceAct | FirmwareAct, asked: int, answer: ServiceAnswer, **more: Any
) -> int:
    """Write down the answer to an entry, also that none came."""
    told = {"device": device, "act": _told(act)["act"], "asked": asked, "rc": answer.rc, "reason": answer.reason}
    return unit.record(ANSWERED, {**told, "data": dict(answer.data), **more})


def _told(act: ServiceAct | FirmwareAct) -> dict[str, Any]:
    """Return an act as the ledger tells it."""
    match act:
        case LockAct(mode, owner):
            return {"act": "lock", "mode": mode, "owner": owner}
        case SelfTestAct():
            return {"act": "self-test"}
        case JogAct():
            return {"act": "jog", **asdict(act)}
        case WatchAct(seconds):
            return {"act": "watch", "seconds": seconds}
        case JobQueryAct(job):
            return {"act": "job-query", "job": job}
        case FirmwareStatusAct():
            return {"act": "firmware-status"}
        case FirmwareAct():
            return {"act": "firmware", **asdict(act)}


def question_of_lock(device: str) -> LedgerQuestion:
    """Return the question to the ledger for the machine's last words about its lock."""
    return LedgerQuestion(limit=20, kind=LOCKED, about=(device,))


def question_of_answers(device: str) -> LedgerQuestion:
    """Return the question to the ledger for what the machine answered; acts of every kind are among it."""
    return LedgerQuestion(kind=ANSWERED, about=(device,))


def is_done(entry: LedgerEntry, device: str, act: str) -> bool:
    """Tell whether an entry says that this machine did such an act."""
    return (entry.data.get("device"), entry.data.get("act"), entry.data.get("rc")) == (device, act, "OK")


def holders_in(device: str, told: Iterable[LedgerEntry], answers: Iterable[LedgerEntry]) -> tuple[str, ...]:
    """Return who may hold the lock by the ledger, the newest word first; empty names stand for a free lock.

    Events and answers come over different sessions: the newest event counts, by the machine's own count of boots and events, and every
    answer. Only a word that was written before the last answered act was asked for is surely older than that answer.
    """
    events = [entry for entry in told if entry.data.get("device") == device]
    done = [entry for entry in answers if is_done(entry, device, "lock")]
    words = done + ([max(events, key=_place)] if events else [])
    asked = max((int(entry.data["asked"]) for entry in done), default=0)
    newest = sorted((entry for entry in words if entry.seq > asked), key=lambda entry: -entry.seq)
    return tuple(dict.fromkeys(map(_holder, newest))) or ("",)


def _place(entry: LedgerEntry) -> tuple[int, int, int]:
    """Return where an event stands among the machine's; entries of older hubs name no boot and count as older."""
    return int(entry.data.get("boot") or 0), int(entry.data.get("event") or 0), entry.seq


def _holder(entry: LedgerEntry) -> str:
    data = entry.data if entry.kind == LOCKED else entry.data["data"]
    is_free = data.get("mode") == "released" or data.get("locked") is False
    return "" if is_free else str(data.get("owner") or "")


def objection_to_move(holders: tuple[str, ...], user: User) -> Refusal | None:
    """Return why a person must not move or test a machine: its lock protects the hands of the one who holds it, or may hold it."""
    others = [holder for holder in holders if holder != owner_of(user)]
    if not others:
        return None
    holder = next(filter(None, others), "")
    if not holder:
        return Refusal(
            "not-locked", "Take the service lock first: without it the machine may begin a job at any moment.", "Сначала возьмите сервисную блокировку: без неё машина может в любой момент начать задание."
        )
    return Refusal(
        "not-your-lock",
        f"{holder} holds the service lock and may have a hand in the machine: take it over first, after you have spoken.", f"Сервисную блокировку держит {holder}, его рука может быть в машине: сначала поговорите с ним, потом перехватите её.",
    )


def in_words(answer: ServiceAnswer) -> str:
    """Return why an act was not done, for people; empty where it was."""
    if answer.is_done:
        return ""
    holder = answer.data.get("owner")
    whose = f" It is {holder}'s." if answer.rc == "LOCKED" and holder else ""
    reason = answer.reason[:1].upper() + answer.reason[1:].rstrip(".")
    return f"{reason}.{whose} {HINTS.get(answer.rc, '')}".strip()
