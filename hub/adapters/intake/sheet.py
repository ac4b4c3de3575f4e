"""One door for sheets: the format is told by the content, never by the file's name."""

from datetime import tzinfo

from hub.adapters.intake.day_sheet import read_day_sheet
from hub.adapters.intake.envelope import unpacked
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir
from hub.domain.drugs import DrugDirectory
from hub.domain.orders import OrderSheet, SourceSettings

_MARK = b"\xef\xbb\xbf"
_NOT_READ = {
    b"[": "a JSON array; send a Bundle or NDJSON",
    b"<": "XML; send JSON or CSV",
    b"MSH|": "HL7 v2",
    b"%PDF": "PDF",
}


def read_sheet(name: str, data: bytes, source: SourceSettings, directory: DrugDirectory, *, zone: tzinfo) -> OrderSheet:
    """Return the sheet of a FHIR file, a CSV or an XLSX day sheet, each also gzip; raise IntakeError where it is none."""
    content = unpacked(name, data)
    head = content.removeprefix(_MARK).lstrip()[:8]
    if head.startswith(b"{"):
        return read_fhir(name, data, source, directory, zone=zone)
    for start, what in _NOT_READ.items():
        if head.startswith(start):
            raise IntakeError(name, "", "", f"it is {what}, which is not read as a sheet")
    return read_day_sheet(name, data, source, directory, zone=zone)
