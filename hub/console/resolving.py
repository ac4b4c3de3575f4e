"""A machine in doubt is answered in the hub, whose ledger books the tablets: here a person signs in there and says what was counted.

The console sends nothing to the machine for it: the hub writes the decision down first, then tells the machine.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from hub.console.hub_account import HubAccount, Person, ask_person
from hub.console.machine import Facts
from hub.console.visit import Refused, Visit

FIRST, SECOND = "DOSEHUB_", "DOSEHUB_SECOND_"


def resolve(visit: Visit) -> None:
    """Answer the question that the machine asks now; raise Refused with the reason where that cannot be."""
    options = visit.options
    with HubAccount(options.hub, ask_person("who decides", FIRST)) as account:
        doubt = _open_doubt(account.doubts(), options.device)
        visit.screen.facts(f"{options.device}: in doubt", _facts(doubt))
        second = ask_person("the second who counted", SECOND) if doubt["needs_second"] else None
        account.resolve(_answer(visit, doubt, second))
    visit.screen.line(
        f"the hub has written down {options.resolve} counted and tells {options.device}; the pouch is to be destroyed"
    )


def _open_doubt(doubts: list[Mapping[str, Any]], device: str) -> Mapping[str, Any]:
    own = [doubt for doubt in doubts if doubt["device"] == device]
    if not own:
        raise Refused(f"the hub knows of no doubt of {device}")
    found = next((doubt for doubt in own if doubt["open"]), None)
    if found is None:
        raise Refused(f"this was answered before: {own[0]['answer']}; the machine is being told")
    return found


def _facts(doubt: Mapping[str, Any]) -> Facts:
    facts = {
        "job": doubt["job"], "pack": doubt["pack"], "drug": doubt["name"],
        "question": f"event {doubt['event']} of boot {doubt['boot']}",
        "slot": f"{doubt['slot']}, cassette {doubt['cassette']} in machine slot {doubt['machine_slot']}",
        "asked for": f"{doubt['asked']} tablets",
        "of the same drug before": str(doubt["same_drug_before"]),
    }  # fmt: skip
    return facts | ({"last answer refused": doubt["refused"]} if doubt["refused"] else {})


def _answer(visit: Visit, doubt: Mapping[str, Any], second: Person | None) -> Mapping[str, Any]:
    return {
        "event": f"console-{secrets.token_hex(8)}", "device": visit.options.device, "job": doubt["job"], "boot": doubt["boot"],
        "asked_event": doubt["event"], "counted": visit.options.resolve, "reason": visit.options.reason.strip(),
        "second_badge": "" if second is None else second.badge, "second_pin": "" if second is None else second.pin,
    }  # fmt: skip
