"""Pouches that did not pass: a person decides, the pouch is scanned into the reject bin, and only then it is made anew."""

from dataclasses import dataclass, replace

from hub.domain.doses import DoseState
from hub.domain.doubts import IN_DOUBT
from hub.domain.identifiers import CassetteId, PackSerial, UserId
from hub.domain.packs import Pack, PackState, Verdict
from hub.domain.records import Review
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.services.call_off import call_off
from hub.services.drops import WRONG_CASSETTE, unlock_cassette
from hub.services.endings import destroy_pack, doses_of, end_dose, move_pack
from hub.services.house import House
from hub.services.machine_events import VERDICT_REFUSED, release_pack
from hub.services.make_packs import make_packs
from hub.services.ports import UnitOfWork
from hub.services.references import pack_was_decided
from hub.services.replace_label import replace_label
from hub.services.replaced_labels import LABEL_IN_DOUBT, replaced_label
from hub.services.reviews import decide, open_review, settle_reviews
from hub.services.verify_pack import POUCH, POUCH_FAILED, send_verdict_again

REMAKES_AT_MOST = 3
LABEL_REVIEW = "label"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a review; `scanned` is the serial that was read off the pouch in the hand, or empty."""

    review: str
    accept: bool
    scanned: str
    reason: str
    by: UserId


def decide_review(unit: UnitOfWork, decision: Decision, house: House) -> Review | Refusal:
    """Take a person's decision on a review, once. A pouch is accepted only by scanning that very pouch.

    One that failed cannot be accepted: the review only says why it did, and whatever is answered acknowledges that.
    A refused job that is accepted as refused is made anew as a new job; a locked cassette that is accepted is used again.
    """
    review = unit.reviews.get(decision.review)
    if review is None:
        return Refusal("unknown-review", f"There is no review {decision.review}.", f"Вопроса {decision.review} нет.")
    if review.decision:
        return Refusal("decided", f"Review {review.id} was decided before: {review.decision}.", f"Вопрос {review.id} уже решён: {decision_ru(review.decision)}.")
    if review.kind == IN_DOUBT:
        return Refusal("in-doubt", f"Pouch {review.subject} is in doubt: count what fell and say how many; it is destroyed in any case.", f"Пакет {review.subject} под сомнением: сосчитайте выпавшее и укажите число; пакет уничтожают в любом случае.")
    if review.kind in (POUCH, POUCH_FAILED) and decision.scanned not in ("", review.subject):
        return other_label(review.subject, decision.scanned)
    refusal = _decide_pouch(unit, PackSerial(review.subject), decision) if review.kind == POUCH else None
    if refusal is not None:
        return refusal
    if review.kind == LABEL_REVIEW:
        _undrawable(unit, PackSerial(review.subject))
    if review.kind == "job-refused":
        _job_refused(unit, PackSerial(review.subject), house)
    if review.kind == LABEL_IN_DOUBT:
        replace_label(unit, review.subject, house)
    if review.kind == VERDICT_REFUSED and decision.accept:
        _send_verdict_again(unit, PackSerial(review.subject))
    if review.kind == WRONG_CASSETTE and decision.accept:
        unlock_cassette(unit, CassetteId(int(review.subject)))
    accept = decision.accept and review.kind != POUCH_FAILED
    return decide(unit, review, accept=accept, by=decision.by, reason=decision.reason)


def decision_ru(decision: str) -> str:
    """Return what a person said of a review, in Russian."""
    return {"accept": "принято", "reject": "забраковано"}.get(decision, decision)


def _undrawable(unit: UnitOfWork, serial: PackSerial) -> None:
    """A person has seen that a label cannot be drawn: its doses cannot be packed by this line."""
    pack = unit.packs.get(serial)
    if pack is None or pack.state is not PackState.EXPECTED:
        return
    call_off(unit, pack, pack.reason)
    for dose in doses_of(unit, pack):
        end_dose(unit, dose, DoseState.UNFULFILLABLE, pack.reason)


def _job_refused(unit: UnitOfWork, serial: PackSerial, house: House) -> None:
    pack = unit.packs.get(serial)
    if pack is not None and pack.state in (PackState.EXPECTED, PackState.REVOKED) and pack.verdict is None and not pack.contents:
        remake(unit, move_pack(unit, pack, PackState.NEVER_MADE, "the machine refused the job"), house)


def _send_verdict_again(unit: UnitOfWork, serial: PackSerial) -> None:
    pack = unit.packs.get(serial)
    job = unit.jobs.get(pack.job) if pack is not None and pack.job is not None else None
    if job is not None:
        send_verdict_again(unit, job)


def other_label(serial: str, scanned: str) -> Refusal:
    """Return why nothing is decided of a pouch while the label of another one was scanned."""
    return Refusal("scan", f"That is the label of {scanned}: scan the label of pouch {serial}.", f"Это этикетка {scanned}: отсканируйте этикетку пакета {serial}.")


def not_wanted(serial: str) -> Refusal:
    """Return why a pouch is not accepted that was stopped, recalled or thrown away meanwhile."""
    return Refusal("stopped", f"Pouch {serial} is not wanted any more; it cannot be accepted.", f"Пакет {serial} больше не нужен; принять его нельзя.")


def _decide_pouch(unit: UnitOfWork, serial: PackSerial, decision: Decision) -> Refusal | None:
    pack = unit.packs.get(serial)
    if pack is None or pack.state is not PackState.QUARANTINED:
        return not_wanted(serial) if decision.accept else None
    if not decision.accept:
        pack_was_decided(unit, pack, accepted=False)
        move_pack(unit, pack, PackState.REVOKED, decision.reason or pack.reason)
        return None
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    if job is not None and job.doubt is not None:
        return Refusal("in-doubt", f"Pouch {pack.serial} was in doubt: it is destroyed in any case.", f"Пакет {pack.serial} был под сомнением: его уничтожают в любом случае.")
    if decision.scanned != pack.serial:
        return Refusal(
            "scan",
            f"To accept pouch {pack.serial}, scan its own label; what was read is {decision.scanned or 'nothing'}.", f"Чтобы принять пакет {pack.serial}, отсканируйте его этикетку; прочитано: {decision.scanned or 'ничего'}.",
        )
    if job is None or not job.fills:
        return Refusal("count", f"Nobody knows what should lie in pouch {pack.serial}; it cannot be accepted.", f"Что должно лежать в пакете {pack.serial}, неизвестно; принять его нельзя.")
    if not all(dose.state is DoseState.FROZEN for dose in doses_of(unit, pack)):
        return not_wanted(pack.serial)
    wrong = [
        dose for dose in doses_of(unit, pack) if sum(c.units for c in pack.contents if c.dose == dose.id) != dose.units
    ]
    if wrong:
        return Refusal(
            "count",
            f"The drop sensor did not count what the order asks for pouch {pack.serial}; it cannot be accepted.", f"Датчик насчитал не то, что назначено для пакета {pack.serial}; принять его нельзя.",
        )
    verified = replace(pack, state=PackState.VERIFIED, verdict=Verdict.PASS)
    unit.packs.put(verified)
    release_pack(unit, verified, "review")
    pack_was_decided(unit, verified, accepted=True)
    return None


def packs_to_reject(unit: UnitOfWork) -> list[Pack]:
    """Return revoked pouches of the machine that must be scanned into the reject bin before they are remade."""
    revoked = unit.packs.where(state=PackState.REVOKED, order_by="serial")
    return [pack for pack in revoked if pack.verdict in (Verdict.FAIL, Verdict.LOOK)]


def scan_reject(unit: UnitOfWork, serial: PackSerial, unreadable: bool, reason: str, house: House) -> Pack | Refusal:
    """Destroy a revoked pouch that a person scanned into the reject bin, and make its doses anew while they are wanted.

    `unreadable`: the label could not be scanned; the person names the pouch by the machine's display, with a reason.
    """
    pack = unit.packs.get(serial)
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    if (replaced := replaced_label(unit, serial)) is not None:
        return replaced
    if pack.state is not PackState.REVOKED or pack.verdict not in (Verdict.FAIL, Verdict.LOOK):
        return Refusal(
            "not-revoked", f"Pack {serial} is {pack.state.value}; only a pouch that did not pass goes into the reject bin.", f"Упаковка {serial}: {state_ru(pack.state)}; в короб брака кладут только пакет, не прошедший проверку."
        )
    if unreadable and not reason:
        return Refusal("reason", "A pouch whose label cannot be read needs a written reason.", "Если этикетка пакета не читается, нужна письменная причина.")
    why = f"{pack.reason}; label unreadable: {reason}" if unreadable else pack.reason
    settle_reviews(unit, (POUCH, POUCH_FAILED), serial, "its pouch was scanned into the reject bin")
    return remake(unit, destroy_pack(unit, pack, why, waste_doses=False), house)


def remake(unit: UnitOfWork, pack: Pack, house: House) -> Pack:
    """Make the doses of a destroyed pack anew while they are wanted, at most three times; returns the pack with what replaces it."""
    for dose in doses_of(unit, pack):
        if dose.state in (DoseState.PACKED, DoseState.NOT_GIVEN):
            end_dose(unit, dose, DoseState.WASTED, pack.reason)
    wanted = [dose for dose in doses_of(unit, pack) if dose.state is DoseState.FROZEN]
    if not wanted:
        return pack
    if _remakes(unit, pack) >= REMAKES_AT_MOST:
        open_review(
            unit, "remade-too-often", pack.serial, "", (f"Pack {pack.serial} failed {REMAKES_AT_MOST + 1} times.",)
        )
        for dose in wanted:
            end_dose(unit, dose, DoseState.UNFULFILLABLE, f"its pouch failed {REMAKES_AT_MOST + 1} times")
        return pack
    made = make_packs(unit, wanted, pack.batch, house, remake_of=pack)
    if len(made) == 1:  # it takes the same place among the patient's packs of that time
        unit.packs.put(replace(made[0], part=pack.part, parts=pack.parts))
    replaced = replace(pack, replaced_by=made[0].serial if made else None)
    unit.packs.put(replaced)
    return replaced


def _remakes(unit: UnitOfWork, pack: Pack) -> int:
    count, earlier = 0, pack
    while earlier.replaces is not None:
        before = unit.packs.get(earlier.replaces)
        if before is None:
            break
        count, earlier = count + 1, before
    return count
