"""Why a pack is in its state: verdict, change and person, what it replaces and what replaces it."""

from collections.abc import Callable, Iterator, Mapping

from hub.domain.orders import Order, Reason
from hub.domain.packs import Pack, PackState, Verdict
from hub.domain.recorded_words import in_russian
from hub.domain.refusals import Refusal
from hub.domain.state_words import state_ru
from hub.services.house import House
from hub.services.ports import UnitOfWork
from hub.services.why_answers import (
    MOST_GROUNDS,
    Ground,
    Why,
    clock,
    named,
    not_known,
    of_dose,
    of_pack,
    of_patient,
    reasons_in_russian,
    when_and_who,
)

RULE_PACK_STATE = "pack-state"
RULE_VERDICT = "verdict"
RULE_RELEASE = "release"
RULE_REMADE = "remade"
RULE_ENDED = "pack-ended"
_INVARIANTS = "docs/architecture.md, invariants"
WITH_REASON = frozenset(
    {PackState.HELD, PackState.RESTOCKED, PackState.DESTROYED, PackState.LOST, PackState.QUARANTINED, PackState.REVOKED, PackState.NEVER_MADE}
)
_BY = {
    "camera": ("let out by the camera's verdict PASS", "допущена по решению камеры PASS"),
    "picker": ("let out by a person who scanned source pack and label", "допущена человеком: исходная упаковка и этикетка отсканированы"),
    "review": ("let out by a person who scanned and accepted it", "допущена человеком, который её отсканировал и принял"),
}  # fmt: skip


def why_pack(unit: UnitOfWork, house: House, serial: str) -> Why | Refusal:
    """Return why a pack is released, revoked, in quarantine, destroyed or made anew."""
    pack = unit.packs.get(serial)
    if pack is None:
        return Refusal("unknown-pack", f"No pack has the serial {serial}.", f"Упаковки с номером {serial} нет.")
    state = _STATES.get(pack.state, _passed_on)(unit, house, pack)
    also = (*_released(unit, house, pack), *_verdict(unit, house, pack), *_decided(unit, pack), *_remade(pack))
    told = Reason(state.rule, f"Pack {pack.serial} is {pack.state.value.replace('-', ' ')}: {state.text}", state.source, f"Упаковка {pack.serial} {state_ru(pack.state)}: {state.said('ru')}")
    return Why("pack", pack.serial, told, tuple(each for each in also if each.text != state.text), (), _grounds(unit, house, pack))


def ended_pack(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    """Return the recorded reason of a step that has one, with who took it."""
    fact = unit.newest_fact(f"pack-{pack.state.value}", pack=pack.serial)
    reason = str(fact.data.get("reason") or "") if fact is not None else ""
    told, told_ru = when_and_who(unit, house, fact)
    text = reason or pack.reason
    if not text:
        return not_known(f"nobody recorded why ({told})", f"причина не записана ({told_ru})")
    russian = in_russian(text, reasons_in_russian(_orders(unit, pack)))
    return Reason(RULE_ENDED, f"{text} ({told})", _source_of(pack), f"{russian} ({told_ru})")


def _source_of(pack: Pack) -> str:
    """Return where the rule stands by which a pack stays in: its verdict, or a late change."""
    return f"{_INVARIANTS}: 5" if pack.verdict in (Verdict.FAIL, Verdict.LOOK) else f"{_INVARIANTS}: 7; docs/late-changes.md"


def _expected(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    job = unit.jobs.get(pack.job) if pack.job is not None else None
    if not pack.label_digest:
        return Reason(RULE_PACK_STATE, "its label is being drawn", "docs/architecture.md, step 6", "рисуется этикетка")
    if job is None:
        return Reason(RULE_PACK_STATE, "waits to be filled by hand", "order 1088, section II", "ждёт, пока её наполнят вручную")
    return Reason(RULE_PACK_STATE, f"its job is {job.state.value} at {job.device}", "docs/architecture.md, step 7", f"задание для {job.device}: {state_ru(job.state)}")


def _produced(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    told, told_ru = when_and_who(unit, house, unit.newest_fact("pack-produced", pack=pack.serial))
    return Reason(RULE_PACK_STATE, f"made ({told}), and the camera has not decided yet", f"{_INVARIANTS}: 5", f"сделана ({told_ru}), камера ещё не решила")


def _verified(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    return next(_verdict(unit, house, pack), not_known("its verdict is not in the ledger", "решения о ней в журнале нет"))


def _was_released(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    return next(_released(unit, house, pack), not_known("its release is not in the ledger", "выпуска в журнале нет"))


def _passed_on(unit: UnitOfWork, house: House, pack: Pack) -> Reason:
    """Return the scan that brought a pack where it is: loaded, sent, received, given."""
    told, told_ru = when_and_who(unit, house, unit.newest_fact(f"pack-{pack.state.value}", pack=pack.serial))
    return Reason(RULE_PACK_STATE, f"by scan ({told})", "custody is proven by scans", f"по сканированию ({told_ru})")


_STATES: Mapping[PackState, Callable[[UnitOfWork, House, Pack], Reason]] = {
    PackState.EXPECTED: _expected, PackState.PRODUCED: _produced, PackState.VERIFIED: _verified, PackState.RELEASED: _was_released,
    **dict.fromkeys(WITH_REASON, ended_pack),
}  # fmt: skip


def _released(unit: UnitOfWork, house: House, pack: Pack) -> Iterator[Reason]:
    fact = unit.newest_fact("pack-released", pack=pack.serial)
    if fact is None:
        return
    told, told_ru = when_and_who(unit, house, fact)
    english, russian = _BY.get(str(fact.data.get("by")), (f"let out by {fact.data.get('by')}", f"допущена: {fact.data.get('by')}"))
    yield Reason(RULE_RELEASE, f"{english} ({told})", f"{_INVARIANTS}: 5", f"{russian} ({told_ru})")


def _verdict(unit: UnitOfWork, house: House, pack: Pack) -> Iterator[Reason]:
    fact = unit.newest_fact("pack-verified", pack=pack.serial)
    if fact is None:
        return
    text = "; ".join(str(reason) for reason in fact.data.get("reasons", ()))
    verdict = fact.data.get("verdict")
    told, told_ru = when_and_who(unit, house, fact)
    yield Reason(RULE_VERDICT, f"verdict {verdict}: {text} ({told})", f"{_INVARIANTS}: 5", f"решение {verdict}: {in_russian(text)} ({told_ru})")


def _decided(unit: UnitOfWork, pack: Pack) -> Iterator[Reason]:
    """Yield what people were asked about a pack, and what they answered."""
    for review in unit.reviews.where(subject=pack.serial, order_by="opened_at", limit=MOST_GROUNDS):
        asked, asked_ru = "; ".join(review.reasons), "; ".join(review.said("ru"))
        if not review.decision:
            yield Reason("review", f"a person is asked: {asked}", f"{_INVARIANTS}: 5", f"ждёт решения человека: {asked_ru}")
            continue
        by, by_ru = named(unit, review.decided_by) if review.decided_by is not None else ("nobody named", "имя не записано")
        accepted = review.decision == "accept"
        yield Reason(
            "review", f"{'accepted' if accepted else 'rejected'} by {by}: {asked}", f"{_INVARIANTS}: 5",
            f"{'принято' if accepted else 'отклонено'}, {by_ru}: {asked_ru}",
        )  # fmt: skip


def _remade(pack: Pack) -> Iterator[Reason]:
    source = f"{_INVARIANTS}: 2; docs/late-changes.md"
    if pack.replaces is not None:
        yield Reason(RULE_REMADE, f"made anew for {pack.replaces}", source, f"сделана заново вместо {pack.replaces}")
    if pack.replaced_by is not None:
        yield Reason(RULE_REMADE, f"its doses were made anew as {pack.replaced_by}", source, f"её дозы сделаны заново в {pack.replaced_by}")


def _orders(unit: UnitOfWork, pack: Pack) -> list[Order]:
    doses = (unit.doses.get(dose) for dose in pack.doses)
    found = {dose.order: unit.orders.get(dose.order) for dose in doses if dose is not None}
    return [order for order in found.values() if order is not None]


def _grounds(unit: UnitOfWork, house: House, pack: Pack) -> tuple[Ground, ...]:
    doses = [dose for dose_id in pack.doses if (dose := unit.doses.get(dose_id)) is not None]
    packs = [
        *([of_pack(pack.replaces, "replaces pack", "заменяет упаковку")] if pack.replaces is not None else []),
        *([of_pack(pack.replaced_by, "replaced by pack", "заменена упаковкой")] if pack.replaced_by is not None else []),
    ]
    until = [Ground("", "", f"to be used until {pack.expires_on}", f"годна до {pack.expires_on:%d.%m.%Y}")] if pack.expires_on is not None else []
    return (*(of_dose(house, dose) for dose in doses[:MOST_GROUNDS]), *packs, *until, Ground("", "", f"due {clock(house, pack.due)}", f"на {clock(house, pack.due)}"), of_patient(unit, pack.patient))
