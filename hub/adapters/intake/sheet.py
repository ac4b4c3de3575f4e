"""One door for sheets: the format is told by the content, never by the file's name."""

from datetime import tzinfo

from hub.adapters.intake.column_map_file import column_map_named
from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.envelope import unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir
from hub.adapters.intake.hl7.envelope import looks_like_hl7
from hub.adapters.intake.hl7.known import NOTHING_KNOWN, Known
from hub.adapters.intake.hl7.reading import read_hl7
from hub.domain.drugs import DrugDirectory
from hub.domain.orders import OrderSheet, SourceSettings
from hub.domain.words import Words

_MARK = b"\xef\xbb\xbf"
_NOT_READ = {
    b"<": Words("XML; send JSON or CSV", "XML — пришлите JSON или CSV"),
    b"%PDF": Words("PDF", "файл PDF"),
}


def read_sheet(
    name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo, column_map: str = "", charset: str = "",
    known: Known = NOTHING_KNOWN,
) -> OrderSheet:  # fmt: skip
    """Return the sheet of a FHIR file, HL7 v2 messages, a CSV or an XLSX day sheet, each also gzip; raise IntakeError where it is none.

    `column_map` names the map of the source's tables (`column_map_named`); empty: columns by their usual headers. `charset` is the
    codec of HL7 v2 messages that say nothing in MSH-18; what these leave out is taken from what is `known`.
    """
    content = unpacked(name, data)
    head = content.removeprefix(_MARK).lstrip()[:8]
    if head.startswith((b"{", b"[")):
        return read_fhir(name, data, source, directory, zone=zone)
    if looks_like_hl7(content):
        return read_hl7(name, data, source, directory, zone=zone, charset=charset, known=known)
    for start, what in _NOT_READ.items():
        if head.startswith(start):
            raise IntakeError(name, "", "", Words(
                f"it is {what.en}, which is not read as a sheet",
                f"это {what.ru}; как лист назначений он не читается",
            ))
    return read_day_sheet(name, data, source, directory, zone=zone, columns=column_map_named(column_map))
