"""HL7 v2 read: one message into its values, and a file of messages into a sheet or into dated changes."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from hub.adapters.intake.envelope import unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.hl7.characters import decoded
from hub.adapters.intake.hl7.envelope import Envelope, opened
from hub.adapters.intake.hl7.er7 import Message, parse
from hub.adapters.intake.hl7.header import Header, broken_header, header_of
from hub.adapters.intake.hl7.known import NOTHING_KNOWN, Known
from hub.adapters.intake.hl7.orders import ENDS, OrderReader, ReadOrder
from hub.adapters.intake.hl7.people import (
    MOVEMENTS,
    Movement,
    People,
    merged,
    newest,
    other_visit,
    people_of,
    placed,
    visit_beside,
)
from hub.adapters.intake.hl7.problems import ErrorCode, Place, Problem, UnreadableMessage
from hub.adapters.intake.hl7.timestamps import stamp
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import OrderId, PatientId
from hub.domain.orders import OrderLine, OrderSheet, OrderStatus, Patient, Reject, SheetChange, SourceSettings, Stay
from hub.domain.words import Words

ORDERS = {"RDE": ("O11", "O25", "O01", ""), "OMP": ("O09", ""), "ORM": ("O01", ""), "RGV": ("O15", "O01", "")}
_NOT_FOR_US = {
    "RDS": ("what a pharmacy dispensed", "отчёт о выдаче"),
    "RAS": ("what was given", "отчёт о введении"),
    "ACK": ("an answer", "ответ"),
    "RRE": ("an answer", "ответ"),
}
_OTHER_SERVICES = frozenset({"OBR", "ODS", "ODT", "RQD", "RQ1"})
_VERSION = re.compile(r"2(?:\.[1-9](?:\.\d)?)?")
MAXIMUM_MESSAGES = 200_000


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """One message as values: who it is about and its orders, or the problem for which nothing of it counts.

    `at` is when what it tells of happened; None where no field says it.
    """

    header: Header
    at: datetime | None = None
    people: People = field(default_factory=People)
    orders: tuple[ReadOrder, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class MessageReader:
    """What reading messages of a source needs to know; `charset` is the codec of one that says nothing in MSH-18.

    `processing`: the ids of MSH-11 that count (HL7 table 0103: P production, T training, D debugging).
    """

    sheet: str
    source: SourceSettings
    directory: DrugDirectory
    zone: tzinfo
    charset: str = ""
    processing: frozenset[str] = frozenset({"P"})

    def read(self, data: bytes, position: str, *, sent_at: datetime | None = None, notes: tuple[str, ...] = ()) -> ReadMessage:
        """Return a message's values; `sent_at` is the time of one that names none; without a position it is known by its control id. Nothing is raised."""
        try:
            message = parse(decoded(data, self.charset))
        except UnreadableMessage as error:
            return ReadMessage(broken_header(data), problem=error.problem)
        header = header_of(message)
        problem = self._not_for_us(header, message)
        if problem is not None:
            return ReadMessage(header, problem=problem)
        at = _told_at(message, self.zone) or sent_at
        if at is None and header.kind == "ADT":
            return ReadMessage(header, problem=_without_time())
        return self._people_and_orders(header, message, at, position or f"message {header.control_id}".strip(), notes)

    def _people_and_orders(
        self, header: Header, message: Message, at: datetime | None, position: str, notes: tuple[str, ...]
    ) -> ReadMessage:
        if header.kind == "ADT":
            people = people_of(message, MOVEMENTS[header.event], at, self.zone)
            return ReadMessage(header, at, people, problem=people.problem)
        people = people_of(message, Movement.PRESENT, at, self.zone)
        reader = OrderReader(self.sheet, position, self.source, self.directory, self.zone)
        training = (f"sent as '{header.processing}', not for production",) if header.processing not in ("", "P") else ()
        patient = people.patient.id if people.patient is not None else PatientId("")
        orders = tuple(reader.orders(message, patient, at, (*notes, *training)))
        problem = _first_problem(people, orders)
        return ReadMessage(header, at, replace(people, problem=None), orders, problem)

    def _not_for_us(self, header: Header, message: Message) -> Problem | None:
        if header.version and not _VERSION.fullmatch(header.version):
            told = f"version {header.version[:20]} is not one of 2.1 to 2.8"
            return _of_header(12, ErrorCode.VERSION, told, f"версия {header.version[:20]} — не из 2.1–2.8")
        if header.processing and header.processing not in self.processing:
            told = f"the message is sent as '{header.processing[:10]}' (training or debugging), and this source is in production"
            return _of_header(11, ErrorCode.PROCESSING_ID, told, f"сообщение помечено «{header.processing[:10]}» (учебное), а обмен рабочий")
        if header.kind == "ADT":
            return None if header.event in MOVEMENTS else _unknown_event(header)
        if header.kind not in ORDERS:
            return _unknown_kind(header)
        if header.event not in ORDERS[header.kind]:
            return _unknown_event(header)
        return _without_orders(header, message)


def _told_at(message: Message, zone: tzinfo) -> datetime | None:
    event = message.first("EVN")
    common = message.first("ORC")
    texts = [event.value(6), event.value(2)] if event is not None else []
    texts += [message.header.value(7), common.value(9) if common is not None else ""]
    found = (stamp(text, zone) for text in texts if text)
    return next((one.at for one in found if one is not None), None)


def _of_header(place: int, code: ErrorCode, text: str, text_ru: str) -> Problem:
    return Problem(Place("MSH", 1, place), code, text, text_ru)


def _without_time() -> Problem:
    return _of_header(7, ErrorCode.REQUIRED_FIELD_MISSING, "no time is written: MSH-7 and EVN-2 are empty", "время не указано: MSH-7 и EVN-2 пусты")


def _unknown_kind(header: Header) -> Problem:
    if header.kind in _NOT_FOR_US:
        what, what_ru = _NOT_FOR_US[header.kind]
        told, told_ru = f"{header.name} is {what}, which is not for this system", f"{header.name} — {what_ru}, здесь его не принимают"
    else:
        told = f"'{header.name[:40]}' is not read here; read are RDE, OMP, ORM, RGV and ADT"
        told_ru = f"«{header.name[:40]}» здесь не читается; читаются RDE, OMP, ORM, RGV и ADT"
    return _of_header(9, ErrorCode.MESSAGE_TYPE, told, told_ru)


def _unknown_event(header: Header) -> Problem:
    known = MOVEMENTS if header.kind == "ADT" else [event for event in ORDERS[header.kind] if event]
    events = ", ".join(known)
    told = f"the event {header.name[:40]} is not read here; of {header.kind} these are: {events}. What it tells has to be done by a person"
    told_ru = f"событие {header.name[:40]} здесь не читается; из {header.kind} читаются {events}. То, о чём оно сообщает, делает человек"
    return _of_header(9, ErrorCode.EVENT, told, told_ru)


def _without_orders(header: Header, message: Message) -> Problem | None:
    names = {segment.name for segment in message.segments}
    if not names & {"ORC", "RXE", "RXO", "RXG"}:
        place = Place("ORC")
        return Problem(place, ErrorCode.SEGMENT_SEQUENCE, f"{header.name} without any order (ORC)", f"{header.name} без назначений (ORC)")
    if names & _OTHER_SERVICES and not names & {"RXE", "RXO", "RXG"}:
        told = f"{header.name} orders no drug: it has no RXO"
        return _of_header(9, ErrorCode.MESSAGE_TYPE, told, f"{header.name} — не лекарственное назначение: нет RXO")
    return None


def _first_problem(people: People, orders: Iterable[ReadOrder]) -> Problem | None:
    for order in orders:
        if order.refused:
            told_ru = f"по коду ORC-1 неясно, что делать с назначением: {order.refused.ru}"
            return Problem(Place("ORC", order.sequence, 1), ErrorCode.TABLE_VALUE_NOT_FOUND, order.refused.en, told_ru)
        if order.is_whole and people.problem is not None:
            return people.problem
    return None


def read_hl7(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo, charset: str = "", known: Known = NOTHING_KNOWN
) -> OrderSheet:
    """Return the sheet of a file of messages: each patient, stay and order as the last message leaves it.

    Messages are news: `changes` is what they tell in their order, completed from what is `known`. Only a batch that holds nothing but
    whole orders is a whole list, and has no changes.
    Raises IntakeError where the file is no HL7 v2, is cut off as its batch segments tell, or none of its messages is for us.
    A message that cannot be used among others is one of the rejects.
    """
    envelope = opened(unpacked(name, data))
    read = _messages(name, envelope, MessageReader(name, source, directory, zone, charset, frozenset("PTD")))
    patients, stays = newest(message.people for _, message in read)
    folded = _folded(read, known)
    told = [] if _is_whole_list(envelope, read) else list(_changes(folded, known))
    changes = tuple(one for one in told if isinstance(one, SheetChange))
    rejects = (*_rejects(read), *(one for one in told if isinstance(one, Reject)))
    return OrderSheet(source.name, name, hashlib.sha256(data).hexdigest(), patients, stays, tuple(_last_lines(folded)), changes, rejects)


def _is_whole_list(envelope: Envelope, read: list[tuple[str, ReadMessage]]) -> bool:
    """Tell whether a file may be all the orders of a ward: a batch of whole orders, no movements, stops or single gives."""
    orders = [order for _, message in read for order in message.orders]
    all_orders = all(message.orders or message.problem is not None for _, message in read)
    return envelope.is_batch and all_orders and all(order.is_whole and order.parent is None and order.line.status is OrderStatus.ACTIVE for order in orders)


def _messages(name: str, envelope: Envelope, reader: MessageReader) -> list[tuple[str, ReadMessage]]:
    if not envelope.messages:
        raise IntakeError(name, "", "MSH", Words("there is no HL7 v2 message in it", "в нём нет ни одного сообщения HL7 v2"))
    if envelope.doubt:
        raise IntakeError(name, "", "BTS", envelope.doubt)
    if len(envelope.messages) > MAXIMUM_MESSAGES:
        raise IntakeError(name, "", "", Words(
            f"it has more than {MAXIMUM_MESSAGES} messages",
            f"в нём больше {MAXIMUM_MESSAGES} сообщений",
        ))
    first = (f"text before the first message: {envelope.before}",) if envelope.before else ()
    read = [
        (f"message {number}", reader.read(message, f"message {number}", notes=first if number == 1 else ()))
        for number, message in enumerate(envelope.messages, start=1)
    ]
    problems = [message.problem for _, message in read if message.problem is not None and not message.orders]
    if len(problems) == len(read):
        raise IntakeError(name, "message 1", str(problems[0].place), Words(problems[0].text, problems[0].text_ru))
    return read


def _rejects(read: list[tuple[str, ReadMessage]]) -> tuple[Reject, ...]:
    """Return the messages of which nothing can be used."""
    return tuple(
        Reject(position, str(message.problem.place), Words(message.problem.text, message.problem.text_ru))
        for position, message in read
        if message.problem is not None and not message.orders
    )


_Folded = list[tuple[str, ReadMessage, list[tuple[ReadOrder, OrderLine]]]]


def _folded(read: list[tuple[str, ReadMessage]], known: Known) -> _Folded:
    """Return the messages with their lines, each completed from the messages before it and from what is known."""
    in_file: dict[OrderId, OrderLine] = {}
    found: _Folded = []
    for position, message in read:
        lines = []
        for order in message.orders:
            for before in _known_lines(order, in_file, known):
                line = _as_line(order, before, message.at)
                if before is None and order.parent is not None and known.order(order.parent) is not None:
                    line = _of_scheduled_order(line, "known here", "уже есть в системе")
                if before is None and order.is_whole and _gives_of(order, known.below(order.names[0])):
                    line = replace(line, unsupported=(*line.unsupported, _KNOWN_BY_GIVES))
                in_file[line.id] = line
                lines.append((order, line))
        found.append((position, message, lines))
    return [(position, message, [(order, _single_give(line, in_file)) for order, line in lines]) for position, message, lines in found]


_KNOWN_BY_GIVES = Words(
    "single gives of this order are planned already: with its own times every dose would come twice",
    "отдельные дозы этого назначения уже запланированы: вместе с его собственным режимом каждая удвоилась бы",
)


def _known_lines(order: ReadOrder, in_file: Mapping[OrderId, OrderLine], known: Known) -> list[OrderLine] | list[None]:
    """Return the order that a message names, else all that came under its number; of one that nobody knows None alone."""
    named = next((line for one in order.names if (line := in_file.get(one) or known.order(one)) is not None), None)
    if named is not None or order.is_whole or order.line.unreadable:
        return [named] if named is not None else [None]
    lines = {**{line.id: line for line in known.below(order.names[0])}, **in_file}
    parts = [line for line in lines.values() if order.is_part(line)]
    return parts or [None]


def _gives_of(order: ReadOrder, below: Iterable[OrderLine]) -> bool:
    return order.parent is None and any(line.id.startswith(f"{order.names[0]}/give/") for line in below)


def _last_lines(folded: _Folded) -> Iterable[OrderLine]:
    return {line.id: line for _, _, found in folded for _, line in found}.values()


def _single_give(line: OrderLine, in_file: Mapping[OrderId, OrderLine]) -> OrderLine:
    is_given_twice = "/give/" in line.id and line.id.rpartition("/give/")[0] in in_file
    return _of_scheduled_order(line, "in this file itself", "есть в этом же файле") if is_given_twice else line


def _of_scheduled_order(line: OrderLine, where: str, where_ru: str) -> OrderLine:
    told = Words(
        f"a give of an order that is {where}: it would be planned twice",
        f"отдельная доза назначения, которое {where_ru}: она удвоилась бы",
    )
    return replace(line, unsupported=(*line.unsupported, told))


def _of_another(order: OrderId, patient: PatientId) -> Words:
    return Words(f"the order {order} is of another patient than {patient}", f"назначение {order} другого пациента, а не {patient}")


def _as_line(order: ReadOrder, before: OrderLine | None, sent_at: datetime | None) -> OrderLine:
    """Return an order's line in a file: a stop, hold or release that says no more takes the rest from the message before it."""
    line = order.line
    if line.unreadable:
        return replace(line, id=OrderId(f"{line.id}/{line.position}"))
    if before is not None and line.patient and line.patient != before.patient:
        return replace(line, id=OrderId(f"{line.id}/{line.position}"), unreadable=_of_another(before.id, line.patient))
    if before is not None and order.takes_number_of(before):
        return line if order.is_shared else replace(line, id=OrderId(f"{line.id}/{line.drug}"))
    if before is None and not order.is_whole and line.status is OrderStatus.ACTIVE:
        told = Words(
            "the order goes on, but is not in this file, and the message does not say what it is",
            "назначение продолжается, но в этом файле его нет, а сообщение не говорит, что назначено",
        )
        return replace(line, id=OrderId(f"{line.id}/{line.position}"), unreadable=told)
    if before is None:
        return line
    if order.is_whole:
        return replace(line, id=before.id)
    line = completed(order, before)
    if line.status in ENDS and sent_at is not None and (ends := order.holds_from(sent_at)) > sent_at:
        return replace(line, status=before.status, ends_at=ends)
    return line


def completed(order: ReadOrder, before: OrderLine) -> OrderLine:
    """Return the line that is known, with what an order that says no more makes of it."""
    return replace(before, status=order.line.status, sheet=order.line.sheet, position=order.line.position)


def _changes(folded: _Folded, known: Known) -> Iterator[SheetChange | Reject]:
    """Yield what the messages tell as dated changes, in the order of the file: patient and stay, then the orders."""
    patients: dict[PatientId, Patient] = {}
    stays: dict[PatientId, Stay] = {}
    for position, message, lines in folded:
        at = known.happened(message.at)
        if at is None:
            continue
        for change in _of_people(position, message.people, at, known, patients, stays):
            if isinstance(change, SheetChange) and change.patient is not None:
                patients[change.patient.id] = change.patient
            elif isinstance(change, SheetChange) and change.stay is not None:
                stays[change.stay.patient] = change.stay
            yield change
        for order, line in lines:
            # An end that is told for later is one, though the line as the file leaves it is in force until then.
            told = line if order.is_whole else replace(line, status=order.line.status)
            yield SheetChange(order.holds_from(at), line=told, told_at=at)


def _of_people(
    position: str, people: People, at: datetime, known: Known, patients: Mapping[PatientId, Patient], stays: Mapping[PatientId, Stay]
) -> Iterator[SheetChange | Reject]:
    """Yield who a message is about and where they lie, beside what was told before; an end of another visit is no change."""
    if people.patient is None:
        return
    before = patients.get(people.patient.id) or known.patient(people.patient.id)
    yield SheetChange(at, patient=merged(people.patient, before, people.news))
    if people.stay is None:
        return
    lay = stays.get(people.patient.id) or known.stay(people.patient.id)
    if (beside := visit_beside(people, lay)) is not None:
        yield Reject(position, "PV1-19", beside)
        return
    problem = other_visit(people.stay, lay, people.movement)
    if problem is not None:
        yield Reject(position, str(problem.place), Words(problem.text, problem.text_ru))
    else:
        yield SheetChange(at, stay=placed(people.stay, lay, people.movement))
