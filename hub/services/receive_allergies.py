"""A list of allergies comes in: patients who are here are judged by it at once, and doses that it forbids are acted on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub.domain.identifiers import PatientId
from hub.domain.orders import Order, Patient
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.receive_sheet import judge_for_allergies, open_desk, register


def receive_allergies(
    unit: UnitOfWork, source: str, listed: Mapping[PatientId, tuple[str, ...]], house: House
) -> list[Order] | Refusal:
    """Enter listed allergies of the patients who are known; returns the orders that are not packed any more."""
    desk = open_desk(unit, source, house)
    if isinstance(desk, Refusal):
        return desk
    known = [with_listed(desk.patients[patient], texts) for patient, texts in listed.items() if patient in desk.patients]
    return judge_for_allergies(unit, desk, register(unit, desk, known, ()))


def with_listed(patient: Patient, texts: Iterable[str]) -> Patient:
    """Return a patient with the allergies of a list added to those that are known."""
    return replace(patient, allergies=tuple(dict.fromkeys((*(patient.allergies or ()), *texts))))
