"""One HL7 v2 message becomes facts: as a whole or not at all, once, and only where it is about who and what we know."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hub.adapters.bookkeeping import Answer
from hub.adapters.intake.hl7.acknowledgements import Verdict
from hub.adapters.intake.hl7.orders import ReadOrder
from hub.adapters.intake.hl7.people import People, merged, other_visit, placed, visit_beside
from hub.adapters.intake.hl7.problems import ErrorCode, Place, Problem
from hub.adapters.intake.hl7.reading import ReadMessage, completed
from hub.adapters.intake_desk import listed_allergies, orders_below
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.codes import as_written
from hub.domain.identifiers import derived_id
from hub.domain.orders import IN_FORCE, LineState, Order, OrderLine, OrderSheet, Patient, Reject, SheetChange, Stay
from hub.domain.refusals import Refusal
from hub.services.code_tables import code_table
from hub.services.feeds import REFUSED, feed_of, file_refused, messages_came
from hub.services.house import House
from hub.services.receive_allergies import with_listed
from hub.services.receive_changes import take_changes
from hub.services.receive_sheet import Desk, open_desk
from hub.services.standing_rulings import standing_rulings

HEARD_EVERY_S = 30
# Tables that an open desk has read: a commit to one of them opens it anew, or has what answers of people settle read again.
READ_WHOLE = frozenset({"drugs", "cassettes", "imports"})
SETTLED = frozenset({"code_entries", "rulings"})
# What is only not for us is told to the sender alone; the rest needs a person here, too.
_UNALARMED = frozenset({ErrorCode.MESSAGE_TYPE, ErrorCode.LOCKED})
_MOST_ALARMS = 200
_GIVES_WITHIN = timedelta(days=1)
_PLANNED = frozenset({*IN_FORCE, LineState.NEEDS_REVIEW})
Record = TypeVar("Record")


class _Known(dict[Any, Any]):
    """Records by key, each read when it is asked for first."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, key: Any) -> Any:
        found = self._read(key)
        if found is None:
            raise KeyError(key)
        self[key] = found
        return found

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the record of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What a message is answered: the verdict, and when it was first reached, so that its repetition gets the very same answer."""

    verdict: Verdict
    at: datetime


class MessageDesk:
    """Takes the messages of one source in the writer's thread; it remembers what it read as long as nobody changed it."""

    def __init__(self, source: str, house: House) -> None:
        self.source = source
        self._house = house
        self._unit: SqlUnitOfWork | None = None
        self._open: Desk | None = None
        self._day: object = None
        self._settled_anew = False

    def committed(self, touched: frozenset[str]) -> None:
        """Forget the desk where a commit changed what it had read; called after every commit, in the writer's thread."""
        if not READ_WHOLE.isdisjoint(touched):
            self._open = None
        self._settled_anew = self._settled_anew or not SETTLED.isdisjoint(touched)

    def take(self, unit: SqlUnitOfWork, message: ReadMessage, digest: str) -> Told:
        """Return the answer to a message whose content has this digest; the same message again changes nothing."""
        header = message.header
        key = f"hl7:{self.source}:{derived_id(*header.sender, header.control_id or digest)}"
        earlier = unit.answers.get(key)
        if earlier is not None and earlier.body_hash == digest:
            return Told(Verdict(), datetime.fromisoformat(earlier.answer))
        problem = _other_content(header.control_id) if earlier is not None else message.problem or self._taken(unit, message, digest)
        if problem is None:
            unit.answers.put(Answer(key, digest, unit.now.isoformat()))
        else:
            self._refused(unit, message, problem, digest)
        self._heard(unit, message)
        return Told(Verdict(problem), unit.now)

    def _taken(self, unit: SqlUnitOfWork, message: ReadMessage, digest: str) -> Problem | None:
        desk = self._desk(unit)
        if isinstance(desk, Refusal):
            return Problem(Place("MSH", 1, 3), ErrorCode.LOCKED, desk.said("en"), desk.said("ru"))
        changes: list[SheetChange] = []
        passed_over: list[Reject] = []
        for found in _changes(unit, desk, message):
            if isinstance(found, Problem):
                return found
            if isinstance(found, Reject):
                passed_over.append(found)
            else:
                changes.append(found)
        name = f"{message.header.name} {message.header.control_id or digest[:12]}"
        take_changes(unit, desk, OrderSheet(self.source, name, digest, changes=tuple(changes), rejects=tuple(passed_over)))
        return None

    def _desk(self, unit: SqlUnitOfWork) -> Desk | Refusal:
        """Return the open desk; patients and stays are read one by one, as a message needs them."""
        day = (self._house.day_of(unit.now), self._house.local_date(unit.now), self._house.is_early(unit.now))
        touched = unit.memory.touched
        if self._open is None or self._unit is not unit or day != self._day or not READ_WHOLE.isdisjoint(touched):
            found = open_desk(unit, self.source, self._house)
            if isinstance(found, Refusal):
                return found
            self._open, self._unit, self._day = found, unit, day
        elif self._settled_anew or not SETTLED.isdisjoint(touched):
            self._open = replace(self._open, codes=code_table(unit, self.source, self._house), rulings=standing_rulings(unit))
            self._settled_anew = False
        return replace(self._open, patients=_Known(unit.patients.get), stays=_Known(unit.stays.get))

    def _refused(self, unit: SqlUnitOfWork, message: ReadMessage, problem: Problem, digest: str) -> None:
        """Tell a person here of a message that was refused; a sender that repeats it is told once."""
        if problem.code in _UNALARMED or unit.incidents.count(kind=REFUSED, subject=self.source, closed=False) >= _MOST_ALARMS:
            return
        told, told_ru = f"{problem.place}: {problem.text}.", f"{problem.place}: {problem.text_ru}."
        name = f"{message.header.name} {message.header.control_id}".strip() or "(no header)"
        file_refused(unit, self.source, name, digest, Refusal("message-refused", told, told_ru))

    def _heard(self, unit: SqlUnitOfWork, message: ReadMessage) -> None:
        feed = feed_of(unit, self.source)
        if feed.heard_at is None or feed.problem or (unit.now - feed.heard_at).total_seconds() >= HEARD_EVERY_S:
            messages_came(unit, self.source, f"{message.header.name} {message.header.control_id}"[:200])


def _other_content(control_id: str) -> Problem:
    told = f"a message with the control id {control_id[:60]} came before with another content: nothing of this one counts"
    told_ru = f"сообщение с номером {control_id[:60]} уже приходило с другим содержанием: это не принято"
    return Problem(Place("MSH", 1, 10), ErrorCode.DUPLICATE_KEY, told, told_ru)


def _changes(unit: SqlUnitOfWork, desk: Desk, message: ReadMessage) -> Iterator[SheetChange | Problem | Reject]:
    """Yield what a message changes, a visit that it passes over, or the problem for which it changes nothing."""
    at = min(message.at or unit.now, unit.now)
    if message.people.patient is not None:
        yield from _of_patient(unit, desk, message.people, message.people.patient, at)
    if message.people.stay is not None:
        yield from _of_stay(desk, message.people, message.people.stay, at)
    for order in message.orders:
        for known in _known_orders(unit, order):
            yield _order_change(unit, order, known, at)


def _of_patient(unit: SqlUnitOfWork, desk: Desk, people: People, told: Patient, at: datetime) -> Iterator[SheetChange]:
    """Yield who the patient is, with the allergies that the source listed, too."""
    before = desk.patients.get(told.id)
    patient, listed = merged(told, before, people.news), listed_allergies(unit, desk.settings.name) or {}
    if told.id in listed:
        patient = with_listed(patient, listed[told.id])
    if patient != before:
        yield SheetChange(at, patient=patient)


def _of_stay(desk: Desk, people: People, told: Stay, at: datetime) -> Iterator[SheetChange | Problem | Reject]:
    known = desk.stays.get(told.patient)
    if (beside := visit_beside(people, known)) is not None:
        yield Reject("message", "PV1-19", beside)
    elif (problem := other_visit(told, known, people.movement)) is not None:
        yield problem
    elif (stay := placed(told, known, people.movement)) != known:
        yield SheetChange(at, stay=stay)


def _known_orders(unit: SqlUnitOfWork, order: ReadOrder) -> list[Order] | list[None]:
    """Return the order that a message names, else all that came under its number; of one that nobody knows None alone."""
    named = next((found for name in order.names if (found := unit.orders.get(name)) is not None), None)
    if named is not None or order.is_whole:
        return [named] if named is not None else [None]
    parts = [found for found in orders_below(unit, order.names[0]) if order.is_part(as_written(found.line))]
    return parts or [None]


def _is_known_by_gives(unit: SqlUnitOfWork, order: ReadOrder) -> bool:
    """Tell whether single gives of an order are planned or were lately: with its own times each would come twice."""
    gives = [found for found in orders_below(unit, order.names[0]) if found.id.startswith(f"{order.names[0]}/give/")]
    return any(
        found.state in _PLANNED and (found.line.starts_at is None or found.line.starts_at > unit.now - _GIVES_WITHIN) for found in gives
    )


def _order_change(unit: SqlUnitOfWork, order: ReadOrder, known: Order | None, at: datetime) -> SheetChange | Problem:
    if order.parent is not None and known is None and unit.orders.get(order.parent) is not None:
        return _given_twice(order)
    if known is None and order.is_whole and order.parent is None and _is_known_by_gives(unit, order):
        return _known_by_gives(order)
    if known is None and not order.is_whole:
        return _unknown_order(order)
    if known is not None and order.line.patient and order.line.patient != known.patient:
        return _other_patient(order, known)
    if known is not None and order.takes_number_of(as_written(known.line)):
        return _number_taken(order, known)
    return SheetChange(order.holds_from(at), line=_line(order, known), told_at=at)


def _line(order: ReadOrder, known: Order | None) -> OrderLine:
    if known is None:
        return order.line
    return replace(order.line, id=known.id) if order.is_whole else completed(order, as_written(known.line))


def _unknown_order(order: ReadOrder) -> Problem:
    text = f"the order {order.line.id} is not known here, and the message does not say what it is"
    return Problem(
        Place("ORC", order.sequence, 2), ErrorCode.UNKNOWN_KEY, text, f"назначение {order.line.id} здесь неизвестно, и в сообщении не сказано, что это"
    )


def _other_patient(order: ReadOrder, known: Order) -> Problem:
    text = f"the order {known.id} is of another patient than {order.line.patient}"
    return Problem(Place("PID", 1, 3), ErrorCode.UNKNOWN_KEY, text, f"назначение {known.id} другого пациента, а не {order.line.patient}")


def _number_taken(order: ReadOrder, known: Order) -> Problem:
    text = f"a new order has the number of {known.id}, which is for {known.line.drug_text or known.line.drug}"
    text_ru = f"у нового назначения номер назначения {known.id}, а оно на {known.line.drug_text or known.line.drug}"
    return Problem(Place("ORC", order.sequence, 2), ErrorCode.DUPLICATE_KEY, text, text_ru)


def _known_by_gives(order: ReadOrder) -> Problem:
    text = f"single gives of the order {order.line.id} are planned here: with its own timing every dose would come twice; stop the gives first"
    text_ru = f"отдельные дозы назначения {order.line.id} уже запланированы: с его собственной схемой они удвоились бы; сначала отмените эти дозы"
    return Problem(Place("ORC", order.sequence, 2), ErrorCode.DUPLICATE_KEY, text, text_ru)


def _given_twice(order: ReadOrder) -> Problem:
    text = f"the order {order.parent} is planned here from its own timing: a single give of it would come twice"
    text_ru = f"назначение {order.parent} уже запланировано по его собственной схеме: отдельная доза удвоила бы его"
    return Problem(Place("RXG", order.sequence, 1), ErrorCode.DUPLICATE_KEY, text, text_ru)
