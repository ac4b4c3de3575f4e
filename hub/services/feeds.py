"""Feeds as the hub hears them: what a source last sent, and alarms about silence, stumps and failures.

An alarm is an incident, opened once a cause. None of them changes an order: what a feed does not say is never read as an end.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.domain.feeds import COUNTS_KEPT, answered_due, is_suspiciously_small, last_due, usual_count
from hub.domain.identifiers import OrderId
from hub.domain.orders import IN_FORCE, Order
from hub.domain.records import Feed, Incident, NewestChange
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.ports import UnitOfWork

ABSENT = "feed-absent"
LATE = "feed-late"
FAILING = "feed-failing"
REFUSED = "feed-refused"
GAP = "feed-gap"
PARTIAL = "feed-partial"
HELD = "sheet-held"
UNLISTED = "orders-unlisted"
ASKED = "list-asked"
ALARMS = (ABSENT, LATE, FAILING, REFUSED, GAP, PARTIAL, HELD, UNLISTED, ASKED)
# A whole good sheet answers these by itself; a held sheet and orders that are not listed any more wait for a person.
_ENDED_BY_A_SHEET = (ABSENT, LATE, FAILING, REFUSED, GAP)
SUSPICIOUS = "suspiciously-small"
_BESIDE = {
    "Patient": ("deaths and changed names between two whole lists", "смерти и новые имена между полными списками"),
    "Encounter": ("transfers and discharges between two whole lists", "переводы и выписки между полными списками"),
    "AllergyIntolerance": ("allergies (a list, or the sheet; nobody is checked by this source until then)", "аллергии (списком или листом; до этого по источнику их не сверяют)"),
}
LISTED_AT_MOST = 20
LONGEST_WORDS = 600


def feed_of(unit: UnitOfWork, source: str) -> Feed:
    """Return what is known of a source's feed."""
    return unit.feeds.get(source) or Feed(source)


def sends_sheets(unit: UnitOfWork, house: House, source: str) -> bool:
    """Tell whether whole sheets are a source's way: it is pulled, is bound to send them by a time, or sent one before."""
    feed = house.feed_of(source)
    return bool(feed.expected_by or feed.fhir_url) or unit.imports.count(kind="sheet", source=source) > 0


def refuse_stump(unit: UnitOfWork, house: House, source: str, name: str, orders: int) -> Refusal | None:
    """Return why a whole sheet is held for a pharmacist, None where its count of orders is nothing unusual."""
    counts = feed_of(unit, source).counts
    if not is_suspiciously_small(orders, counts, house.feed_of(source).least_share):
        return None
    return Refusal(
        SUSPICIOUS,
        f"{name}: it has {orders} orders, {source} usually sends {_usual(counts)}; a pharmacist has to look at it on the page Intake and to take it in or discard it.",
        f"{name}: в листе назначений {orders}, обычно источник {source} присылает {_usual(counts)}; провизор должен просмотреть лист на странице «Приём» и принять или отклонить его.",
    )  # fmt: skip


def sheet_came(unit: UnitOfWork, house: House, source: str, name: str, orders: int) -> None:
    """Note a whole sheet that was taken in: its count, that it came, and whether it came late."""
    before = feed_of(unit, source)
    counts = (*before.counts, orders)[-COUNTS_KEPT:]
    unit.feeds.put(replace(before, heard_at=unit.now, name=name, counts=counts, problem=""))
    for kind in _ENDED_BY_A_SHEET:
        _end_alarms(unit, source, kind, f"{name} was taken in")
    _note_late(unit, house, before)


def messages_came(unit: UnitOfWork, source: str, name: str) -> None:
    """Note that a source sent changes or messages: it is heard, and its connection works."""
    unit.feeds.put(replace(feed_of(unit, source), heard_at=unit.now, name=name))
    pull_worked(unit, source)


def pull_worked(unit: UnitOfWork, source: str) -> None:
    """Note that a source could be asked: what failed before is over."""
    before = feed_of(unit, source)
    if before.problem:
        unit.feeds.put(replace(before, problem=""))
        _end_alarms(unit, source, FAILING, "it works again")


def feed_failed(unit: UnitOfWork, source: str, english: str, russian: str = "") -> None:
    """Note why a source cannot be asked; one alarm from the first failure until it works again."""
    before = feed_of(unit, source)
    unit.feeds.put(replace(before, problem=english[:LONGEST_WORDS]))
    if not before.problem:
        raise_alarm(
            unit, source, FAILING, unit.now.isoformat(),
            f"{source} cannot be read: {english[:LONGEST_WORDS]}. The orders in force stay in force.",
            f"Источник {source} не читается: {(russian or english)[:LONGEST_WORDS]}. Действующие назначения остаются в силе.",
        )  # fmt: skip


def file_refused(unit: UnitOfWork, source: str, name: str, sha256: str, refusal: Refusal) -> None:
    """Note that a file was refused as a whole."""
    raise_alarm(
        unit, source, REFUSED, sha256,
        f"The file {name} of {source} was refused as a whole: {refusal.said('en')}",
        f"Файл {name} источника {source} отклонён целиком: {refusal.said('ru')}",
        again=True,
    )  # fmt: skip


def hold_sheet(unit: UnitOfWork, source: str, name: str, sha256: str, refusal: Refusal) -> None:
    """Ask a pharmacist about a sheet that is kept and not taken in."""
    raise_alarm(
        unit, source, HELD, sha256,
        f"The sheet {name} of {source} is held and not taken in. {refusal.said('en')}",
        f"Лист {name} источника {source} задержан и не принят. {refusal.said('ru')}",
        again=True,
    )  # fmt: skip


def type_unknown(unit: UnitOfWork, source: str, kind: str, english: str, russian: str) -> None:
    """Note, once and for all, that a server does not tell of a type beside its orders."""
    what, what_ru = _BESIDE.get(kind, (kind, kind))
    raise_alarm(
        unit, source, PARTIAL, kind,
        f"{source} does not let {kind} be read: {what} have to come another way. {english[:LONGEST_WORDS]}",
        f"Источник {source} не отдаёт {kind}: {what_ru} должны приходить иначе. {russian[:LONGEST_WORDS]}",
    )  # fmt: skip


def stay_asked(unit: UnitOfWork, source: str, patient: str, stay: str, status: str, version: str) -> None:
    """Ask about a known stay that its server takes back or does not tell as a presence; the patient's orders stay in force."""
    raise_alarm(
        unit, source, ASKED, f"stay-{stay}-{version}",
        f"{source} tells that the stay {stay} of patient {patient} is '{status or '(none)'}': it neither goes on nor has ended. The orders stay in force: ask the ward whether the patient is here.",
        f"Источник {source} сообщает, что пребывание {stay} пациента {patient} в состоянии «{status or '(нет)'}»: оно не длится и не окончено. Назначения остаются в силе: спросите отделение, здесь ли пациент.",
        again=True,
    )  # fmt: skip


def hints_missing(unit: UnitOfWork, source: str, first: int, last: int) -> None:
    """Note that notifications of a source were lost; the pull that follows brings what they told of."""
    raise_alarm(
        unit, source, GAP, f"{first}-{last}",
        f"{source}: the notifications {first} to {last} never came; the whole list is pulled again.",
        f"{source}: уведомления с {first} по {last} не пришли; весь список запрашивается заново.",
    )  # fmt: skip


def note_unlisted(unit: UnitOfWork, source: str, listed: Collection[OrderId], day: str) -> int:
    """Ask about orders in force that a whole list of their source does not name any more; returns how many there are.

    They stay in force: that they are missing is a question to a person, never their end.
    """
    in_force = unit.orders.where(state=list(IN_FORCE), order_by="id")
    missing = [order for order in in_force if order.line.source == source and order.id not in listed]
    english, russian = _unlisted_words(source, missing)
    lasting = [alarm for alarm in unit.incidents.where(kind=UNLISTED, subject=source, closed=False) if missing and alarm.text == english]
    if lasting:
        return len(missing)
    _end_alarms(unit, source, UNLISTED, "a newer whole list came")
    if missing:
        raise_alarm(unit, source, UNLISTED, day, english, russian, again=True)
    return len(missing)


def _unlisted_words(source: str, missing: Sequence[Order]) -> tuple[str, str]:
    names = "; ".join(f"{order.id} {order.line.drug_text or order.line.drug}" for order in missing[:LISTED_AT_MOST])
    more, more_ru = _more(len(missing) - LISTED_AT_MOST)
    return (
        f"{source} does not list {len(missing)} orders in force any more; they stay in force until a person or the source ends them: {names}{more}",
        f"В списке {source} больше нет действующих назначений: {len(missing)}. Они остаются в силе, пока их не отменит врач или источник: {names}{more_ru}",
    )


def check_feeds(unit: UnitOfWork, house: House) -> int:
    """Raise an alarm for every source whose sheet is not here by its time; returns how many were raised."""
    return sum(_check_absent(unit, house, source) for source in house.feeds)


def _check_absent(unit: UnitOfWork, house: House, source: str) -> bool:
    expected_by, zone = house.feed_of(source).expected_by, house.zone_of(source)
    due = last_due(unit.now, expected_by, zone)
    if due is None:
        return False
    heard_at = feed_of(unit, source).heard_at
    if heard_at is None and due <= _awaited_since(unit, source):
        return False
    if heard_at is not None and (answered := answered_due(heard_at, expected_by, zone)) is not None and answered >= due:
        return False
    since = "never" if heard_at is None else f"last at {heard_at.astimezone(zone):%H:%M on %d.%m.%Y}"
    since_ru = "не было ни одного" if heard_at is None else f"последний пришёл в {heard_at.astimezone(zone):%H:%M %d.%m.%Y}"
    return raise_alarm(
        unit, source, ABSENT, due.isoformat(),
        f"The sheet of {source} was due by {due:%H:%M on %d.%m.%Y} and is not here ({since}). The orders in force stay in force: ask the sender, or upload the sheet.",
        f"Лист {source} ожидался к {due:%H:%M %d.%m.%Y} и не пришёл ({since_ru}). Действующие назначения остаются в силе: спросите отправителя или загрузите лист вручную.",
    )  # fmt: skip


def _awaited_since(unit: UnitOfWork, source: str) -> datetime:
    """Return since when a source's sheets are awaited here: what was due before the hub knew the source is nobody's fault."""
    subject = f"feed-awaited:{source}"
    known = unit.newest_changes.get(subject)
    if known is None:
        unit.newest_changes.put(NewestChange(subject, unit.now))
        return unit.now
    return known.at


def _note_late(unit: UnitOfWork, house: House, before: Feed) -> None:
    """Tell that a sheet came after its time, where no earlier one had answered the same."""
    source, zone = before.source, house.zone_of(before.source)
    expected_by = house.feed_of(source).expected_by
    due = answered_due(unit.now, expected_by, zone)
    if due is None or unit.now <= due:
        return
    if before.heard_at is not None and answered_due(before.heard_at, expected_by, zone) == due:
        return
    minutes = int((unit.now - due).total_seconds() // 60)
    raise_alarm(
        unit, source, LATE, due.isoformat(),
        f"The sheet of {source} came {minutes} min late (due by {due:%H:%M}): look whether doses of the first slot are missing.",
        f"Лист {source} пришёл с опозданием на {minutes} мин (ожидался к {due:%H:%M}): проверьте дозы ближайшего приёма.",
    )  # fmt: skip


def raise_alarm(unit: UnitOfWork, source: str, kind: str, cause: str, english: str, russian: str, *, again: bool = False) -> bool:
    """Open an incident about a feed, once a cause; tell whether it is new.

    `again`: a cause that comes again after its alarm was closed opens a new one.
    """
    identity = f"{kind}:{source}:{cause}"
    if unit.incidents.get(identity) is not None:
        same = [one for one in unit.incidents.where(kind=kind, subject=source) if one.id.endswith(f":{cause}")]
        if not again or not all(one.closed for one in same):
            return False
        identity = f"{kind}:{source}:{len(same) + 1}:{cause}"
    unit.incidents.put(Incident(identity, kind, english, unit.now, source, text_ru=russian))
    unit.record("feed-alarm", {"incident": identity, "kind": kind, "source": source, "text": english})
    return True


def open_alarms(unit: UnitOfWork, source: str = "") -> list[Incident]:
    """Return the alarms about feeds that nobody has cleared, the oldest first; of one source where it is named."""
    alarms = unit.incidents.where(kind=list(ALARMS), closed=False, order_by="opened_at")
    return [alarm for alarm in alarms if source in ("", alarm.subject)]


def clear_alarm(unit: UnitOfWork, identity: str, reason: str) -> Incident | Refusal:
    """Clear an alarm in the name of the person who asks; a held sheet is taken in or discarded instead."""
    alarm = unit.incidents.get(identity)
    if alarm is None or alarm.kind not in ALARMS or alarm.closed:
        return Refusal("unknown-alarm", "This alarm is not open any more: look at the list.", "Эта тревога уже закрыта: посмотрите список.")
    if alarm.kind == HELD:
        return Refusal("sheet-held", "A held sheet is not cleared: look at it, and take it in or discard it.", "Задержанный лист не снимают: просмотрите его и примите или отклоните.")
    if not reason.strip():
        return Refusal("reason", "Say what you found out: the reason is kept with your name.", "Напишите, что вы выяснили: причина хранится вместе с вашим именем.")
    return end_alarm(unit, alarm, reason.strip())


def end_held(unit: UnitOfWork, sha256: str, reason: str) -> Incident | Refusal:
    """End the question about a held sheet: it was taken in, or a person discards it."""
    alarm = held_alarm(unit, sha256)
    if alarm is None:
        return Refusal("unknown-sheet", "No such sheet is held any more: look at the list.", "Такой лист больше не задержан: посмотрите список.")
    return end_alarm(unit, alarm, reason)


def held_alarm(unit: UnitOfWork, sha256: str) -> Incident | None:
    """Return the open question about a held sheet."""
    held = unit.incidents.where(kind=HELD, closed=False)
    return next((alarm for alarm in held if held_digest(alarm) == sha256), None)


def held_digest(alarm: Incident) -> str:
    """Return the SHA-256 of the sheet that an alarm holds, empty where it holds none."""
    return alarm.id.rpartition(":")[2] if alarm.kind == HELD else ""


def feed_board(unit: UnitOfWork, house: House) -> list[dict[str, Any]]:
    """Return every source with what it last sent, how it reaches the hub and what is wrong with it."""
    alarms = open_alarms(unit)
    return [_row(unit, house, source, [alarm for alarm in alarms if alarm.subject == source]) for source in sorted(house.sources)]


def _row(unit: UnitOfWork, house: House, source: str, alarms: list[Incident]) -> dict[str, Any]:
    feed, settings = feed_of(unit, source), house.feed_of(source)
    ways = [way for way, used in (("folder", settings.folder), ("fhir", settings.fhir_url), ("mllp", settings.mllp_port is not None), ("hint", settings.hint_token_env)) if used]
    return {
        "source": source, "heard_at": feed.heard_at, "name": feed.name, "orders": feed.counts[-1] if feed.counts else None,
        "usual": _usual(feed.counts) if feed.counts else None, "problem": feed.problem, "ways": ways,
        "expected_by": [f"{at:%H:%M}" for at in settings.expected_by], "alarms": alarms,
    }  # fmt: skip


def _end_alarms(unit: UnitOfWork, source: str, kind: str, reason: str) -> None:
    for alarm in unit.incidents.where(kind=kind, subject=source, closed=False):
        end_alarm(unit, alarm, reason)


def end_alarm(unit: UnitOfWork, alarm: Incident, reason: str) -> Incident:
    """Close an alarm with the reason why it is over."""
    ended = replace(alarm, closed=True)
    unit.incidents.put(ended)
    unit.record("feed-alarm-cleared", {"incident": alarm.id, "kind": alarm.kind, "source": alarm.subject, "reason": reason})
    return ended


def _usual(counts: tuple[int, ...]) -> int:
    return round(usual_count(counts) or 0)


def _more(count: int) -> tuple[str, str]:
    return (f"; and {count} more", f"; и ещё {count}") if count > 0 else ("", "")


