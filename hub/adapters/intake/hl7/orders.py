"""One ORC group read into an order line; what may not be ignored and has no exact form is named in `unsupported`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from hub.adapters.intake.hl7.controls import OF_KNOWN_ORDERS, REPLACING, REPORTS, asked
from hub.adapters.intake.hl7.dosages import Course, Dose, course_of
from hub.adapters.intake.hl7.er7 import Element, Message, Segment
from hub.adapters.intake.hl7.groups import Group, groups_of, local_segments
from hub.adapters.intake.hl7.order_fields import FIELDS, unit_of
from hub.adapters.intake.hl7.order_notes import instructions_of, note_of, signed_by
from hub.adapters.intake.hl7.timestamps import Stamp, number, stamp
from hub.adapters.intake.hl7.timings import NOTHING, Written, merged, of_tq, of_tq1
from hub.domain.drugs import DrugDirectory
from hub.domain.identifiers import DrugCode, OrderId, PatientId, derived_id
from hub.domain.orders import OrderLine, OrderStatus, SourceSettings
from hub.domain.quantities import Quantity, parse_dose_amount
from hub.domain.timing import Dosage, Timing
from hub.domain.words import Topic, Words, about_times, words_of

Doubts = list[Words]
ENDS = (OrderStatus.STOPPED, OrderStatus.CANCELLED)
_PER, _RATE = Words("an amount per time unit", "доза в единицу времени"), Words("a rate", "скорость введения")


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """An order of a message. `is_whole` is False where the message stops, holds or resumes an order without saying what it is.

    `at` is when the change holds, `is_dated` whether the sender wrote that down. `names` are the ids under which the order may be
    known, the line's own first; `parent` is the order of which a give is one dose. `refused` says why it is no order at all (None: it is one).
    `is_day`: only the day was written of `at`. `is_shared`: other orders of the message have its number, too.
    """

    line: OrderLine
    at: datetime | None
    is_dated: bool
    is_whole: bool
    names: tuple[OrderId, ...]
    sequence: int
    parent: OrderId | None = None
    refused: Words | None = None
    control: str = ""
    is_day: bool = False
    is_shared: bool = False

    def takes_number_of(self, known: OrderLine) -> bool:
        """Tell whether it is new, or one of several of a number, and that is of an order for another drug: two orders, never one that was edited."""
        is_beside = self.is_shared and self.control != REPLACING and known.id != self.names[0] and self.line.status not in ENDS
        return (self.control == "NW" or is_beside) and self.is_whole and self.line.drug != known.drug

    def holds_from(self, sent_at: datetime) -> datetime:
        """Return when it holds: when its message was sent, unless the sender wrote another time; a day alone is never before its message."""
        if not self.is_dated or self.at is None:
            return sent_at
        return max(self.at, sent_at) if self.is_day else self.at

    def is_part(self, known: OrderLine) -> bool:
        """Tell whether an order or a give that is known came under this one's number, which is nobody's own."""
        number = self.names[0]
        rest = known.id.removeprefix(f"{number}/")
        if self.is_whole or self.parent is not None or rest == known.id:
            return False
        return rest.startswith(("give/", number.partition(":")[2])) or rest.partition("/")[0] == known.drug


@dataclass(frozen=True, slots=True)
class OrderReader:
    """What reading the orders of a message needs to know; `sheet` and `position` name the file and the message in it."""

    sheet: str
    position: str
    source: SourceSettings
    directory: DrugDirectory
    zone: tzinfo

    def orders(self, message: Message, patient: PatientId, at: datetime | None, notes: Sequence[str] = ()) -> list[ReadOrder]:
        """Return the orders of a message in its order; `at` is when the message was sent, `notes` go to each line."""
        groups = groups_of(message)
        numbers = Counter(_number(group) for group in groups if group.give is None)
        controls = [group.common.value(1).upper() if group.common else "" for group in groups]
        is_replaced = REPLACING in controls
        local = list(local_segments(message.segments))
        said = [*notes, *([f"segments of the sender's own: {', '.join(local)}"] if local else [])]
        found = [
            self._order(group, sequence, patient, at, numbers[_number(group)] > 1, is_replaced, said)
            for sequence, group in enumerate(groups, start=1)
        ]
        return list(_with_ids_of_their_own(found))

    def _order(
        self, group: Group, sequence: int, patient: PatientId, at: datetime | None, is_shared: bool, is_replaced: bool, notes: list[str]
    ) -> ReadOrder:
        unsupported = list(group.odd)
        common, content = group.common, group.content
        control = common.value(1) if common else ""
        wish = asked(control, common.value(5) if common else "", is_replaced=is_replaced)
        if wish.why and wish.status is not None:
            unsupported.append(wish.why)
        if not patient and content is not None:
            unsupported.append(Words("no patient is named", "пациент не указан"))
        drug, text = self._drug(content, unsupported)
        dose = self._dose(content, unsupported)
        course = self._course(group, dose, unsupported)
        effective = stamp(common.value(15), self.zone) if common else None
        names = self._names(group, patient, drug, is_shared)
        line = OrderLine(
            id=names[0], version=1, source=self.source.name, sheet=self.sheet, position=f"{self.position}, order {sequence}",
            patient=patient, drug=drug, drug_text=text, dosages=_dosages(group, course), status=wish.status or OrderStatus.UNKNOWN,
            authored_at=_authored(common, self.zone), starts_at=_starts(course, control, effective), ends_at=course.ends_at,
            signed_by=signed_by(common, group.encoded), note=" | ".join([*note_of(group), *notes]), stat=course.stat,
            unsupported=tuple(dict.fromkeys(unsupported)), starts_on_day=_starts_on_day(course, control, effective),
            unreadable=wish.why if wish.status is None else _without_content(group, control.upper(), wish.status),
        )  # fmt: skip
        changed = _changed_at(group, effective, self.zone, line.status)
        return ReadOrder(
            line, changed.at if changed else at, changed is not None, content is not None, names, sequence, _parent(group, names), line.unreadable,
            control.upper(), changed is not None and changed.is_day, is_shared,
        )  # fmt: skip

    def _drug(self, content: Segment | None, unsupported: Doubts) -> tuple[DrugCode, str]:
        """Return the first code that the directory knows, else the first one; codes of two different drugs are named."""
        coded = content.element(FIELDS[content.name].drug) if content is not None else None
        if not coded:
            unsupported.append(Words("no drug is named", "препарат не указан"))
            return DrugCode("?"), ""
        codes = [code for at in (1, 4, 10) if (code := coded.component(at))]
        text = coded.component(2) or coded.component(5) or coded.component(9)
        known = list(dict.fromkeys(DrugCode(code) for code in codes if code in self.directory))
        if len(known) > 1:
            unsupported.append(Words(
                f"the codes {' and '.join(known)} are of different drugs",
                f"коды {' и '.join(known)} — разных препаратов",
            ))
        if known:
            return known[0], text
        return DrugCode(codes[0] if codes else f"?{text}"), text

    def _dose(self, content: Segment | None, unsupported: Doubts) -> Dose | None:
        if content is None:
            return None
        at = FIELDS[content.name]
        for field, what in ((at.per, _PER), (at.rate[0], _RATE)):
            if told := content.text(field) if not content.is_deleted(field) else "":
                unsupported.append(Words(
                    f"{what.en}: {told[:40]} {content.text(at.rate[1])[:40]}".strip(),
                    f"{what.ru}: {told[:40]} {content.text(at.rate[1])[:40]}".strip(),
                ))
        if content.name == "RXG" and content.value(12).upper() == "Y":
            unsupported.append(Words("RXG-12: a person has to look at this give", "RXG-12: это введение должен посмотреть человек", about=Topic.NOTE))
        low, high = (self._amount(content, field, at.unit, unsupported) for field in (at.low, at.high))
        if low is None or (high is not None and high.amount < low.amount):
            if high is not None:
                unsupported.append(Words(
                    f"an amount from {content.value(at.low) or '(none)'} to {content.value(at.high)}",
                    f"доза от {content.value(at.low) or '(нет)'} до {content.value(at.high)}",
                ))
            return None
        return low, high or low

    def _amount(self, content: Segment, field: int, unit_field: int, unsupported: Doubts) -> Quantity | None:
        text = content.value(field)
        if not text:
            return None
        if len(content.repetitions(field)) > 1:
            told = content.text(field)[:40]
            unsupported.append(Words(f"{content.name}-{field} has several amounts: {told}", f"{content.name}-{field}: несколько количеств: {told}"))
        amount = number(text)
        if amount is None:
            try:
                amount = parse_dose_amount(text, self.source.decimal_sign)
            except ValueError as error:
                unsupported.append(Words(
                    f"{content.name}-{field} is no amount: {error}",
                    f"{content.name}-{field} — не количество: {words_of(error).ru}",
                ))
                return None
        unit = unit_of(content.element(unit_field))
        if not unit:
            unsupported.append(Words(
                f"{content.name}-{unit_field}: the amount {text[:20]} has no unit",
                f"{content.name}-{unit_field}: у количества {text[:20]} нет единицы",
            ))
        return Quantity(amount, unit)

    def _course(self, group: Group, dose: Dose | None, unsupported: Doubts) -> Course:
        if len(group.routes) > 1 and len({segment.value(1) for segment in group.routes}) > 1:
            unsupported.append(Words(f"{len(group.routes)} routes to choose from", f"путей введения на выбор: {len(group.routes)}"))
        route = group.routes[0].element(1) if group.routes else None
        name = (route.component(1) or route.component(2)) if route is not None else ""
        text = instructions_of(group)
        of_times: Doubts = []
        written = [_without_dispensed(one, group) for one in _written(group, of_times)]
        unsupported += about_times(of_times)
        course = course_of(written, dose, name, text, self.zone, unsupported)
        if text and not any(dosage.timing and dosage.timing.is_written for dosage in course.dosages):
            unsupported.append(Words(f"what is wanted is only in words: {text[:120]}", f"назначение записано только словами: {text[:120]}"))
        return course

    def _names(self, group: Group, patient: PatientId, drug: DrugCode, is_shared: bool) -> tuple[OrderId, ...]:
        """Return the ids under which an order may be known: placer number, filler number, prescription number, or what it is.

        Where several orders of a message share their number, the group's number and the drug tell them apart.
        """
        common, encoded = group.common, group.encoded
        numbers = list(_numbers(common)) if common else []
        numbers += [f"rx:{encoded.value(15)}"] if encoded is not None and encoded.value(15) else []
        if not numbers:
            numbers = [derived_id("hl7", self.source.name, patient, drug, _first_timing(group), digits=24)]
        of_group = _numbered(common.element(4)) if common else ""
        own = f"{numbers[0]}/{of_group or drug}"
        is_shared = is_shared or _counts_on(common)
        give = f"/give/{group.give.value(1) or _first_timing(group)}" if group.give is not None else ""
        ordered = [own, *numbers] if is_shared else [*numbers, own]
        return tuple(OrderId(f"{self.source.name}:{one}{give}") for one in ordered)


def _number(group: Group) -> str:
    return next(_numbers(group.common), "") if group.common else ""


def _numbers(common: Segment) -> Iterator[str]:
    """Yield the placer's number and the filler's, which is of another system's counting."""
    if placer := _numbered(common.element(2)):
        yield placer
    if filler := _numbered(common.element(3)):
        yield f"filler:{filler}"


def _numbered(element: Element) -> str:
    """Return an EI as `authority:id`, or the id where no authority is written."""
    identity = element.component(1)
    authority = element.component(2) or element.component(3)
    return f"{authority}:{identity}" if identity and authority else identity


def _counts_on(common: Segment | None) -> bool:
    """Tell whether the group's number is the placer's with a count behind it (`77_01`): such orders share their placer's number."""
    placer, of_group = (common.value(2), common.value(4)) if common else ("", "")
    return bool(placer) and of_group != placer and of_group.startswith(placer)


def _first_timing(group: Group) -> str:
    written = _written(group, [])
    return written[0].starts if written else ""


def _with_ids_of_their_own(orders: Iterable[ReadOrder]) -> Iterator[ReadOrder]:
    """Yield the orders so that no two of one message share an id: further ones with the same drug are numbered."""
    seen: Counter[OrderId] = Counter()
    for order in orders:
        own = order.line.id
        seen[own] += 1
        if seen[own] > 1 and order.is_whole:
            numbered = OrderId(f"{own}/{seen[own]}")
            yield replace(order, line=replace(order.line, id=numbered), names=(numbered,))
        else:
            yield order


def _written(group: Group, unsupported: Doubts) -> tuple[Written, ...]:
    content = group.content
    at = FIELDS[content.name].timing if content is not None else 0
    places = [
        (f"TQ1 of {content.name if content else 'ORC'}", tuple(of_tq1(segment) for segment in group.own_timings)),
        ("TQ1 of ORC", tuple(of_tq1(segment) for segment in group.timings)),
        (f"{content.name}-{at}" if content else "", of_tq(content, at) if content is not None and at else ()),
        ("ORC-7", of_tq(group.common, 7) if group.common is not None else ()),
    ]
    return merged([(place, tuple(one for one in told if one != NOTHING)) for place, told in places], unsupported)


def _without_dispensed(written: Written, group: Group) -> Written:
    """Return a timing without a quantity that only repeats how much is dispensed in all (RXE-10, RXO-11)."""
    told = (group.encoded.value(10) if group.encoded else "", group.requested.value(11) if group.requested else "")
    return replace(written, quantity="") if written.quantity and written.quantity in told else written


def _dosages(group: Group, course: Course) -> tuple[Dosage, ...]:
    """Return the dosages; a give is one dose at its exact moment."""
    if group.give is None or course.starts is None or course.starts.is_day:
        return course.dosages
    first = course.dosages[0]
    return (replace(first, timing=Timing(events=(course.starts.at,), prn=bool(first.timing and first.timing.prn))), *course.dosages[1:])


def _authored(common: Segment | None, zone: tzinfo) -> datetime | None:
    found = stamp(common.value(9), zone) if common else None
    return found.at if found is not None else None


def _starts(course: Course, control: str, effective: Stamp | None) -> datetime | None:
    if course.starts is not None:
        return course.starts.at
    return effective.at if effective is not None and control.upper() in ("", "NW") else None


def _starts_on_day(course: Course, control: str, effective: Stamp | None) -> bool:
    if course.starts is not None:
        return course.starts.is_day
    return effective is not None and effective.is_day and control.upper() in ("", "NW")


def _changed_at(group: Group, effective: Stamp | None, zone: tzinfo, status: OrderStatus) -> Stamp | None:
    """Return from when a change holds: ORC-15, and of a stop else the start that its timing names."""
    if effective is not None:
        return effective
    return stamp(_first_timing(group), zone) if status in ENDS and group.content is None else None


def _without_content(group: Group, control: str, status: OrderStatus) -> Words | None:
    """Return why an order that does not say what it is cannot be one; a stop, hold, release or report needs to say no more."""
    if group.content is not None or status is not OrderStatus.ACTIVE or control in OF_KNOWN_ORDERS | REPORTS:
        return None
    return Words(
        f"ORC-1 {control or '(empty)'} without any RXE, RXO or RXG: it does not say what is to be given, and nothing is changed",
        f"ORC-1 {control or '(пусто)'} без RXE, RXO или RXG: не сказано, что назначено; ничего не изменено",
    )


def _parent(group: Group, names: tuple[OrderId, ...]) -> OrderId | None:
    return OrderId(names[0].rpartition("/give/")[0]) if group.give is not None else None
