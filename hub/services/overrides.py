"""A pharmacist rules about a line by name: lets an allergy pass, refuses the line, withdraws its validation, or gives it back."""

from dataclasses import replace

from hub.domain.allergies import AllergyHit, allergy_hits
from hub.domain.doses import DoseState
from hub.domain.identifiers import derived_id
from hub.domain.orders import Order, Outcome
from hub.domain.records import Incident
from hub.domain.refusals import Refusal
from hub.domain.rulings import (
    PASSING,
    Ruling,
    RulingKind,
    ruled_content,
    ruling_that_passes,
    stands,
)
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.ruling_desk import Case, Said, high_alert_alone, judged_anew, made_ruling, opened, ruling_fact

__all__ = ["Said", "let_allergy_pass", "refuse_line", "validate_again", "withdraw_validation"]


def let_allergy_pass(unit: UnitOfWork, said: Said, allergy: str, house: House) -> Order | Refusal:
    """Let one allergy pass for one order, by name and with a reason; the order is judged anew and goes on where nothing else holds it.

    It holds for this order and this allergy only, also when the line is merely sent again, and falls when drug, dosages or the
    patient's allergies change. A grave reaction and a high-alert drug need a second person.
    """
    case = opened(unit, said, house)
    if isinstance(case, Refusal):
        return case
    hit = _hit(unit, case, allergy)
    if isinstance(hit, Refusal):
        return hit
    if said.second is None and (refusal := _needs_second(case, hit)) is not None:
        return refusal
    allergies = case.desk.patients[case.order.patient].allergies
    ruling = made_ruling(unit, case, said, RulingKind.ALLERGY_PASSED, ruled_content(case.order.line, allergies), allergy=allergy)
    unit.rulings.put(ruling)
    facts = {"allergy": hit.allergy, "rule": hit.strength.value, "class": hit.class_name, "critical": hit.is_critical}
    unit.record("allergy-overridden", {**ruling_fact(case.order, ruling), **facts})
    return judged_anew(unit, case.order, house)


def refuse_line(unit: UnitOfWork, said: Said, house: House) -> Order | Refusal:
    """Refuse an order: nothing of it is packed or given any more, and it goes back to the ward, until the line says something else."""
    return _against(unit, said, RulingKind.REFUSED, house)


def withdraw_validation(unit: UnitOfWork, said: Said, house: House) -> Order | Refusal:
    """Withdraw the validation of an accepted order: its doses are called off, revoked or asked back wherever they are.

    What was given of it already is a fact and opens an incident. It stays in review until it is validated again, or says something else.
    """
    order = unit.orders.get(said.order)
    if order is not None and order.outcome in (Outcome.NEEDS_REVIEW, Outcome.REJECTED, Outcome.EXCLUDED):
        return Refusal(
            "not-validated",
            f"Order {said.order} is not in force ({order.outcome.value}): there is nothing to withdraw.",
            f"Назначение {said.order} не принято ({order.outcome.value}): отзывать нечего.",
        )
    return _against(unit, said, RulingKind.WITHDRAWN, house)


def validate_again(unit: UnitOfWork, said: Said, house: House) -> Order | Refusal:
    """Take a refusal or a withdrawal back: the order is judged anew, as if it had just come."""
    case = opened(unit, said, house)
    if isinstance(case, Refusal):
        return case
    standing = [ruling for ruling in unit.rulings.where(order=said.order) if ruling.kind not in PASSING and ruling.ended_at is None]
    if not standing:
        return Refusal("no-ruling", f"Nothing was refused or withdrawn of order {said.order}.", f"Назначение {said.order} не отклоняли и не отзывали.")
    for ruling in standing:
        unit.rulings.put(replace(ruling, ended_at=unit.now, ended_because=said.reason))
        unit.record("validation-restored", {**ruling_fact(case.order, ruling), "reason": said.reason, "by": said.by})
    return judged_anew(unit, case.order, house)


def _against(unit: UnitOfWork, said: Said, kind: RulingKind, house: House) -> Order | Refusal:
    case = opened(unit, said, house)
    if isinstance(case, Refusal):
        return case
    ruling = made_ruling(unit, case, said, kind, ruled_content(case.order.line))
    unit.rulings.put(ruling)
    unit.record(f"{'line-refused' if kind is RulingKind.REFUSED else 'validation-withdrawn'}", ruling_fact(case.order, ruling))
    _tell_of_given(unit, case.order, ruling)
    return judged_anew(unit, case.order, house)


def _needs_second(case: Case, hit: AllergyHit) -> Refusal | None:
    if hit.is_critical:
        return Refusal(
            "second-person",
            f"The reaction to '{hit.allergy}' was grave: a second person with this right must confirm.",
            f"Реакция на «{hit.allergy}» была тяжёлой: должен подтвердить второй человек с этим правом.",
        )
    return high_alert_alone(case)


def _hit(unit: UnitOfWork, case: Case, allergy: str) -> AllergyHit | Refusal:
    """Return the allergy that holds the order up, or why it cannot be let pass."""
    patient, drug = case.desk.patients.get(case.order.patient), case.desk.drugs.get(case.order.line.drug)
    hits = allergy_hits(patient.allergies or (), drug, case.desk.drugs) if patient is not None and drug is not None else ()
    hit = next((hit for hit in hits if hit.allergy == allergy), None)
    if hit is None:
        known = "; ".join(hit.allergy for hit in hits) or "—"
        return Refusal(
            "no-such-allergy",
            f"The allergy '{allergy}' does not hold up order {case.order.id}; those that do: {known}.",
            f"Аллергия «{allergy}» не препятствует назначению {case.order.id}; препятствуют: {known}.",
        )
    standing = [each for each in unit.rulings.where(order=case.order.id) if stands(each, case.order.line, patient.allergies if patient else ())]
    if ruling_that_passes(hit, standing) is not None:
        return Refusal("passed", f"The allergy '{allergy}' was let pass already.", f"Аллергия «{allergy}» уже разрешена для этого назначения.")
    return hit


def _tell_of_given(unit: UnitOfWork, order: Order, ruling: Ruling) -> None:
    """Open an incident where doses were given of what is refused or withdrawn now: a doctor must hear of it."""
    given = [dose for dose in unit.doses.where(order=order.id, state=DoseState.GIVEN) if dose.version <= order.version]
    if not given:
        return
    incident = Incident(
        derived_id("incident", ruling.id, digits=16), "given-before-withdrawal", f"{len(given)} doses of order {order.id} were given before: {ruling.reason}",
        unit.now, order.id, text_ru=f"доз назначения {order.id}, данных до отзыва: {len(given)}; {ruling.reason}",
    )  # fmt: skip
    unit.incidents.put(incident)
    unit.record("incident-opened", {"incident": incident.id, "kind": incident.kind, "dose": given[-1].id, "text": incident.text})
