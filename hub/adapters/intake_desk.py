"""Files become facts: each upload is read by its format and handed to its use case; a bad file is a refusal that says where."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, BinaryIO, TypeVar

from hub.adapters.bookkeeping import Setting
from hub.adapters.intake.allergies import listed_of, read_allergies, with_allergies
from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir_parts
from hub.adapters.intake.formats import format_of
from hub.adapters.intake.hl7.known import Known
from hub.adapters.intake.sheet import read_sheet
from hub.adapters.patient_lists import (
    ask_about_elsewhere,
    ask_about_listed,
    ask_about_unknown,
    sorted_discharges,
    unknown_on,
)
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.domain.codes import as_written
from hub.domain.feeds import SheetFormat
from hub.domain.identifiers import OrderId, PatientId, derived_id
from hub.domain.orders import Order, OrderLine, OrderSheet, SheetChange, SourceSettings
from hub.domain.refusals import Refusal
from hub.services.feeds import end_held, held_alarm, messages_came, note_unlisted, refuse_stump, sheet_came
from hub.services.house import House
from hub.services.look_at_sheet import ToldTaking, told_taking, understood_words
from hub.services.ports import UnitOfWork
from hub.services.receive_allergies import receive_allergies, with_listed
from hub.services.receive_changes import receive_changes
from hub.services.receive_sheet import receive_parts
from hub.services.sheets_again import known_today, overtaken

Read = TypeVar("Read")
LONGEST_HEAD = 64 * 1024
_MOST_BELOW = 200


class IntakeDesk:
    """`Intake` of hub.web.context."""

    def __init__(self, house: House) -> None:
        self._house = house

    def sheet(
        self, unit: UnitOfWork, source: str, name: str, data: bytes | BinaryIO, *, confirmed: bool = False, complete: bool = False
    ) -> dict[str, Any] | Refusal:
        """Take in a day's sheet; one with suspiciously few orders only where a pharmacist has `confirmed` it.

        `complete`: it lists every order in force of its source, so that those it leaves out are asked about. FHIR is read as a stream, so
        that memory does not grow with its orders; `data` may then be an open file, of which no more than a part is held.
        """
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        head = file.read(LONGEST_HEAD)
        file.seek(0)
        if _is_fhir(name, head):
            wrong = self._wrong_format(source, name, head)
            return wrong if wrong is not None else self._take_stream(unit, source, name, file, confirmed=confirmed, complete=complete)
        sheet = self._sheet_of(unit, source, name, data if isinstance(data, bytes) else file.read())
        return sheet if isinstance(sheet, Refusal) else self._take_sheet(unit, sheet, confirmed=confirmed)

    def _take_stream(
        self, unit: UnitOfWork, source: str, name: str, file: BinaryIO, *, confirmed: bool, complete: bool
    ) -> dict[str, Any] | Refusal:
        def take(settings: SourceSettings) -> dict[str, Any] | Refusal:
            parts = read_fhir_parts(name, file, as_told(unit, settings), _directory(unit), zone=self._house.zone_of(source))
            people, listed = next(parts), listed_allergies(unit, source)
            people = people if listed is None else with_allergies(people, listed)
            return self._take_parts(unit, people, (part.lines for part in parts), confirmed=confirmed, complete=complete)

        return self._read(source, take)

    def _take_sheet(self, unit: UnitOfWork, sheet: OrderSheet, *, confirmed: bool) -> dict[str, Any] | Refusal:
        if sheet.changes:
            return self._take_messages(unit, sheet)
        people = replace(sheet, lines=(), announced=len(sheet.lines))
        return self._take_parts(unit, people, [sheet.lines], confirmed=confirmed)

    def _take_parts(
        self, unit: UnitOfWork, people: OrderSheet, parts: Iterable[Sequence[OrderLine]], *, confirmed: bool, complete: bool = False
    ) -> dict[str, Any] | Refusal:
        source, name, count = people.source, people.name, people.announced
        is_new = known_today(unit, self._house, people.sha256) is None
        if is_new and not confirmed and (stump := refuse_stump(unit, self._house, source, name, count)) is not None:
            return stump
        named: set[OrderId] = set()
        result = receive_parts(unit, people, _noting(parts, named) if complete else parts, self._house, again=confirmed)
        if isinstance(result, Refusal):
            return result
        sheet_came(unit, self._house, source, name, count)
        ask_about_listed(unit, self._house, source, listed_allergies(unit, source) or ())
        if complete:
            note_unlisted(unit, source, named, self._house.day_of(unit.now).isoformat())
        return {
            "sheet": name,
            "orders": result.orders,
            "outcomes": dict(result.outcomes),
            "planned": result.planned,
            **_rejected(people),
        }

    def _take_messages(self, unit: UnitOfWork, sheet: OrderSheet) -> dict[str, Any] | Refusal:
        """Take in a file of messages: news, and no list of all orders, so that its size says nothing."""
        result = self._take_changes(unit, sheet)
        if not isinstance(result, Refusal):
            messages_came(unit, sheet.source, sheet.name)
        return result

    def changes(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in dated changes."""
        sheet = self._changes_of(unit, source, name, data)
        return sheet if isinstance(sheet, Refusal) else self._take_changes(unit, sheet)

    def looked_at(self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a file of a kind (`sheet`, `changes`, `discharges`, `allergies`) and tell all that it did.

        Run by a caller who takes the decision back. `warning` says what would hold the file up.
        """
        sheet = self._file_of(unit, kind, source, name, data)
        if isinstance(sheet, Refusal):
            return sheet
        stump = refuse_stump(unit, self._house, source, name, len(sheet.lines)) if kind == "sheet" and not sheet.changes else None
        before = known_today(unit, self._house, sheet.sha256)
        told = self._told(unit, kind, sheet, data, confirmed=True)
        if isinstance(told, Refusal):
            return told
        stump = stump if before is None else overtaken(before, name)
        digest = hashlib.sha256(data).hexdigest()
        return {**told.facts(), "state": derived_id(digest, told.state), "kind": kind, "name": name, "sha256": digest, "warning": stump.told() if stump is not None else None}

    def words(self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes) -> dict[str, dict[str, str]]:
        """Return what was understood of the schedules of a file, by order and language; nothing of a file that is refused."""
        sheet = self._file_of(unit, kind, source, name, data)
        told = {} if isinstance(sheet, Refusal) else understood_words(unit, sheet, self._house)
        return {order: dict(words) for order, words in told.items()}

    def take_as_shown(
        self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes, state: str, *, confirmed: bool
    ) -> dict[str, Any] | Refusal:
        """Take in a file that was looked at; refuse it where it would do anything else now than what was shown."""
        sheet = self._file_of(unit, kind, source, name, data)
        told = sheet if isinstance(sheet, Refusal) else self._told(unit, kind, sheet, data, confirmed=confirmed)
        if isinstance(told, Refusal):
            return told
        if derived_id(hashlib.sha256(data).hexdigest(), told.state) != state:
            return Refusal(
                "changed-since",
                f"{name}: the hub's orders have changed since this was shown, so it would do something else now. Look at it again.",
                f"{name}: назначения изменились с момента просмотра, и лист подействовал бы иначе. Просмотрите его ещё раз.",
            )
        if held_alarm(unit, digest := hashlib.sha256(data).hexdigest()) is not None:
            end_held(unit, digest, "taken in by a person who looked at it")
        return dict(told.answer)

    def _file_of(self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes) -> OrderSheet | Refusal:
        """Return the lines of a file; a list of discharges or allergies brings none."""
        if kind == "sheet":
            return self._sheet_of(unit, source, name, data)
        return self._changes_of(unit, source, name, data) if kind == "changes" else OrderSheet(source, name, "")

    def _told(self, unit: UnitOfWork, kind: str, sheet: OrderSheet, data: bytes, *, confirmed: bool) -> ToldTaking | Refusal:
        takes: dict[str, Callable[[], dict[str, Any] | Refusal]] = {
            "sheet": lambda: self._take_sheet(unit, sheet, confirmed=confirmed),
            "changes": lambda: self._take_changes(unit, sheet),
            "discharges": lambda: self.discharges(unit, sheet.source, sheet.name, data),
            "allergies": lambda: self.allergies(unit, sheet.source, sheet.name, data),
        }
        return told_taking(unit, sheet, takes[kind])

    def _sheet_of(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> OrderSheet | Refusal:
        wrong = self._wrong_format(source, name, data)
        if wrong is not None:
            return wrong
        sheet = self._read(
            source,
            lambda settings: read_sheet(
                name, data, as_told(unit, settings), _directory(unit), zone=self._house.zone_of(source), column_map=self._house.feed_of(source).column_map,
                charset=self._house.feed_of(source).hl7_charset, known=known_to(unit),
            ),
        )
        if isinstance(sheet, Refusal):
            return sheet
        listed = listed_allergies(unit, source)
        return sheet if listed is None else changes_with_listed(with_allergies(sheet, listed), listed)

    def _wrong_format(self, source: str, name: str, data: bytes) -> Refusal | None:
        """Return why a file is not what its source is set up to send."""
        wanted = self._house.feed_of(source).format
        try:
            found = format_of(name, data)
        except IntakeError as error:
            return Refusal("unreadable", str(error), error.in_russian())
        if wanted in (SheetFormat.ANY, found):
            return None
        return Refusal(
            "other-format",
            f"{name}: it is {found.value}, and {source} is set up to send {wanted.value}: look whether it is the right file and the right source.",
            f"{name}: это {found.value}, а источник {source} настроен на {wanted.value}: проверьте файл и источник.",
        )

    def _changes_of(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> OrderSheet | Refusal:
        sheet = self._read(
            source, lambda settings: read_changes(name, data, settings, _directory(unit), zone=self._house.zone_of(source))
        )
        if isinstance(sheet, Refusal):
            return sheet
        return changes_with_listed(sheet, listed_allergies(unit, source) or {})

    def discharges(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a list of discharged patients: each row is a discharge at its time.

        A patient whom no sheet told of is named in the answer (`unknown`), in the ledger and in an incident, and stops no other row; so is
        one who lies in another department (`elsewhere`), and is not discharged.
        """
        sheet = self._read(source, lambda settings: read_discharges(name, data, settings, zone=self._house.zone_of(source), now=unit.now))
        if isinstance(sheet, Refusal):
            return sheet
        told = sorted_discharges(unit, sheet.stays)
        unknown = told.unknown
        changes = tuple(SheetChange(stay.finished_at, stay=stay) for stay in told.ending if stay.finished_at is not None)
        taken = self._take_changes(unit, replace(sheet, stays=(), changes=changes))
        if isinstance(taken, Refusal):
            return taken
        for stay in unknown:
            at = stay.finished_at.isoformat() if stay.finished_at is not None else None
            fact = {"patient": stay.patient, "department": stay.department, "at": at, "source": source, "list": name}
            unit.record("discharge-unknown", {**fact, "sha256": sheet.sha256})
        ask_about_unknown(unit, source, name, sheet.sha256, [stay.patient for stay in unknown])
        ask_about_elsewhere(unit, source, name, sheet.sha256, told.elsewhere)
        elsewhere = {"elsewhere": [row.patient for row, _ in told.elsewhere]} if told.elsewhere else {}
        return {**taken, "unknown": [stay.patient for stay in unknown], **elsewhere}

    def allergies(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> dict[str, Any] | Refusal:
        """Take in a source's complete list of allergies: for the orders in force at once, and for the sheets that come after it."""
        try:
            listed = read_allergies(name, data)
        except IntakeError as error:
            return Refusal("unreadable", str(error), error.in_russian())
        assert isinstance(unit, SqlUnitOfWork)
        unit.settings.put(Setting(f"allergies:{source}", json.dumps(listed)))
        unit.record("allergies-received", {"source": source, "name": name, "patients": len(listed)})
        here = {patient.id: texts for patient in unit.patients.where() if (texts := listed_of(patient, listed))}
        fallen = receive_allergies(unit, source, here, self._house)
        if isinstance(fallen, Refusal):
            return fallen
        unknown = unknown_on(unit, listed)
        ask_about_listed(unit, self._house, source, listed)
        return {"patients": len(listed), "orders_out": [order.id for order in fallen], **({"unknown": unknown} if unknown else {})}

    def _take_changes(self, unit: UnitOfWork, sheet: OrderSheet) -> dict[str, Any] | Refusal:
        result = receive_changes(unit, sheet, self._house)
        if isinstance(result, Refusal):
            return result
        return {"changes": result.changes, "orders": result.orders, "outcomes": dict(result.outcomes), **_rejected(sheet)}

    def _read(self, source: str, read: Callable[[SourceSettings], Read | Refusal]) -> Read | Refusal:
        settings = self._house.sources.get(source)
        if settings is None:
            return Refusal(
                "unknown-source",
                f"Nobody has set up the source '{source}'; known are {', '.join(sorted(self._house.sources))}.",
                f"Источник «{source}» не настроен; известны {', '.join(sorted(self._house.sources))}.",
            )
        try:
            return read(settings)
        except IntakeError as error:
            return Refusal("unreadable", str(error), error.in_russian())


def _is_fhir(name: str, head: bytes) -> bool:
    """Tell whether a file is FHIR by its first bytes; one of which that cannot be told is refused by its reader."""
    try:
        return format_of(name, head) is SheetFormat.FHIR
    except IntakeError:
        return False


def _noting(parts: Iterable[Sequence[OrderLine]], named: set[OrderId]) -> Iterator[Sequence[OrderLine]]:
    """Yield parts of a sheet and note which orders they name."""
    for lines in parts:
        named.update(line.id for line in lines)
        yield lines


def _rejected(sheet: OrderSheet) -> dict[str, int]:
    """Return how many entries of a file are no line at all; nothing where it has none."""
    return {"rejects": len(sheet.rejects)} if sheet.rejects else {}


def known_to(unit: UnitOfWork) -> Known:
    """Return what messages that are read now may leave out."""

    def order(name: OrderId) -> OrderLine | None:
        found = unit.orders.get(name)
        return as_written(found.line) if found is not None else None

    return Known(order, unit.patients.get, unit.stays.get, lambda name: [as_written(found.line) for found in orders_below(unit, name)], unit.now)


def orders_below(unit: UnitOfWork, name: OrderId) -> list[Order]:
    """Return the orders whose ids go on behind an id and a `/`: those that came under one number, and its single gives."""
    # "0" is the character after "/".
    return unit.orders.where(since=("id", f"{name}/"), below=("id", f"{name}0"), order_by="-id", limit=_MOST_BELOW)


def changes_with_listed(sheet: OrderSheet, listed: Mapping[PatientId, tuple[str, ...]]) -> OrderSheet:
    """Return a sheet whose changes tell of patients with the allergies that their source listed, too."""
    told = tuple(
        replace(change, patient=with_listed(change.patient, texts))
        if change.patient is not None and (texts := listed_of(change.patient, listed))
        else change
        for change in sheet.changes
    )
    return replace(sheet, changes=told)


def note_untold(unit: UnitOfWork, source: str, *, untold: bool) -> None:
    """Keep whether the server of a source lets no allergies be read: a whole list without any then frees nobody of them."""
    assert isinstance(unit, SqlUnitOfWork)
    key = f"allergies-untold:{source}"
    if (unit.settings.get(key) is not None) == untold:
        return
    if untold:
        unit.settings.put(Setting(key, "untold"))
    else:
        unit.settings.delete(key)


def as_told(unit: UnitOfWork, settings: SourceSettings) -> SourceSettings:
    """Return by what the files of a source are read: where its server tells of no allergies, a patient without any is one of whom nothing is told."""
    assert isinstance(unit, SqlUnitOfWork)
    untold = unit.settings.get(f"allergies-untold:{settings.name}") is not None
    return replace(settings, allergies_provided=False) if untold else settings


def listed_allergies(unit: UnitOfWork, source: str) -> dict[PatientId, tuple[str, ...]] | None:
    """Return the list that a source sent, or None where it sent none."""
    assert isinstance(unit, SqlUnitOfWork)
    setting = unit.settings.get(f"allergies:{source}")
    return (
        None
        if setting is None
        else _listed(setting.value)
    )


@lru_cache(maxsize=4)
def _listed(text: str) -> dict[PatientId, tuple[str, ...]]:
    return {PatientId(patient): tuple(texts) for patient, texts in json.loads(text).items()}


def _directory(unit: UnitOfWork) -> Any:
    return {drug.code: drug for drug in unit.drugs.where()}
