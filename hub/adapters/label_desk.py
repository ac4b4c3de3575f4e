"""Draws the labels of the house that somebody asks for; what cannot be drawn is a refusal that says which field and why."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from hub.adapters.label_documents import badge_document, command_document, drawer_document, manifest_document
from hub.adapters.labelling import LabelWidths, drawn, tall_names
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.label_reasons import label_reason_ru
from hub.domain.refusals import Refusal
from hub.services.house import House
from hub.services.house_labels import COMMANDS, HouseLabel, LabelRequest, manifest_of
from hub.services.house_prints import LONGEST_SUBJECT, house_key, stamp_of
from hub.services.make_packs import PrintedLabel
from labels.documents import LabelDocument
from labels.errors import LabelError
from labels.paging import pages_of


class LabelDesk:
    """`Labels` of hub.web.context."""

    def __init__(self, writer: Writer, house: House, now: Callable[[], datetime], widths: LabelWidths) -> None:
        self._writer = writer
        self._house = house
        self._now = now
        self._widths = widths

    async def draw(self, actor: str, request: LabelRequest) -> tuple[PrintedLabel, ...] | Refusal:
        """Draw what is asked for, each sheet read back; nothing is printed yet. The same request gives the same prints."""
        try:
            asked = await self._writer.read(lambda unit: self._asked(unit, request))
            if isinstance(asked, Refusal):
                return asked
            return await asyncio.to_thread(self._drawn, actor, request, *asked)
        except LabelError as error:
            return Refusal("label", f"The label cannot be drawn: {error}", f"Этикетку нельзя напечатать: {label_reason_ru(str(error))}")

    def _asked(self, unit: SqlUnitOfWork, request: LabelRequest) -> tuple[str, tuple[LabelDocument, ...]] | Refusal:
        """Return the documents with the stamp of the facts that they were made of, by which the print is known to be right later."""
        if len(request.subject) > LONGEST_SUBJECT:
            return Refusal("unknown", f"Nothing has a name of over {LONGEST_SUBJECT} characters.", f"Имён длиннее {LONGEST_SUBJECT} знаков не бывает.")
        documents = self._documents(unit, request)
        return documents if isinstance(documents, Refusal) else (stamp_of(unit, request.label, request.subject), documents)

    def _drawn(self, actor: str, request: LabelRequest, stamp: str, documents: Iterable[LabelDocument]) -> tuple[PrintedLabel, ...]:
        of = ("label", actor, request.label.value, request.subject, request.event)
        serials = ((self._house.serial_of(*of, number), document) for number, document in enumerate(documents))
        keys = ((house_key(request, stamp, serial), document) for serial, document in serials)
        return tuple(drawn(document, self._widths.of_roll_mm, key) for key, document in keys)

    def _documents(self, unit: SqlUnitOfWork, request: LabelRequest) -> tuple[LabelDocument, ...] | Refusal:
        match request.label:
            case HouseLabel.BADGE:
                return self._badge(unit, request.subject)
            case HouseLabel.DRAWER:
                return self._drawer(unit, request.subject)
            case HouseLabel.COMMAND:
                return self._command(request.subject)
            case HouseLabel.MANIFEST:
                return self._manifest(unit, request.subject)

    def _badge(self, unit: SqlUnitOfWork, person: str) -> tuple[LabelDocument, ...] | Refusal:
        user = unit.users.get(person)
        if user is None or not user.active:
            return Refusal("unknown", f"There is no active person {person}.", f"Сотрудника {person} нет, или он не работает.")
        return (badge_document(user, self._house),)

    def _drawer(self, unit: SqlUnitOfWork, number: str) -> tuple[LabelDocument, ...] | Refusal:
        cassette = unit.cassettes.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
        if cassette is None:
            return Refusal("unknown-cassette", f"Cassette {number} is not in the cassette map.", f"Кассеты {number} нет в карте кассет.")
        drug = unit.drugs.get(cassette.item)
        if drug is None:
            return Refusal("unknown-drug", f"The directory has no drug {cassette.item}.", f"В справочнике нет препарата {cassette.item}.")
        return (drawer_document(cassette, drug, tall_names(unit, [drug]), self._house),)

    def _command(self, code: str) -> tuple[LabelDocument, ...] | Refusal:
        if code not in COMMANDS:
            return Refusal("unknown", f"No page takes the command {code}.", f"Команды {code} нет ни на одной странице.")
        return (command_document(code, COMMANDS[code], self._house),)

    def _manifest(self, unit: SqlUnitOfWork, trolley: str) -> tuple[LabelDocument, ...] | Refusal:
        manifest = manifest_of(unit, trolley)
        if isinstance(manifest, Refusal):
            return manifest
        return pages_of(manifest_document(manifest, self._now(), self._house), self._widths.of_roll_mm)
