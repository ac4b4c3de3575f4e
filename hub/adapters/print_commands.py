"""The print command of a label, and what its outcome means in the books; the same for every way to a printer.

Nothing is remembered here: the command's name follows from the label and its tries, so that after a restart the same one is made,
which prints nothing twice.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from devices.label_printer import job_bytes
from firmware_bridge import printer_status
from firmware_bridge.print_contract import PRINT_LIMIT_BYTES, PrintCommand, PrintEvent
from firmware_bridge.printer_status import PrinterLanguage
from hub.adapters.printed_labels import LABEL_REFUSED, Trouble, keep_printed, keep_trouble, waiting_labels
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId, PackSerial
from hub.domain.records import Print
from hub.services.house_prints import drop_outdated, is_outdated
from hub.services.replaced_labels import LABEL_IN_DOUBT
from labels.raster import Raster

COMMAND_LASTS = timedelta(minutes=10)
FENCE = 1
_TRIED_AGAIN = {"NOT_READY", "UNREACHABLE"}


def next_command(writer: Writer, device: DeviceId, language: PrinterLanguage) -> PrintCommand | None:
    """Return the command of the first label that waits, in the printer's language; one of which none can be made is asked about."""
    label = _next_label(writer, device)
    if label is None:
        return None
    try:
        return _command(label, language)
    except ValueError as error:
        trouble = Trouble(label, f"no print can be made of it: {error}", LABEL_REFUSED)
        writer.submit("system", lambda unit: keep_trouble(unit, device, trouble)).result()
        return None


def _next_label(writer: Writer, device: DeviceId) -> Print | None:
    """Return the first label that waits; those of the house that would say something else by now are dropped, and that is said."""
    while waiting := writer.submit_read(lambda unit: waiting_labels(unit, device, 1)).result():
        (label,) = waiting
        key = label.pack
        if not writer.submit_read(lambda unit, key=key: is_outdated(unit, key)).result():  # type: ignore[misc]
            return label
        writer.submit("system", lambda unit, key=key: drop_outdated(unit, key)).result()  # type: ignore[misc]
    return None


def book(unit: SqlUnitOfWork, device: DeviceId, event: PrintEvent) -> None:
    """Book the outcome of the present try of a label; that of an older one was booked before."""
    label = unit.prints.get(PackSerial(event.command.rsplit("/", 2)[0]))
    if label is None or label.printed or event.command != command_name(label):
        return
    if event.kind == "printed":
        keep_printed(unit, device, label)
    else:
        keep_trouble(unit, device, _trouble(label, event))


def command_name(label: Print) -> str:
    """Name the present try of a label; other dots under the same pack are another name."""
    return f"{label.pack}/{label.digest[:8]}/{label.tries}"


def process_id(label: Print) -> bytes:
    """Return the four characters by which the printer names the present try of this label, and no other one."""
    return printer_status.process_id(int.from_bytes(hashlib.sha256(command_name(label).encode()).digest()))


def _trouble(label: Print, event: PrintEvent) -> Trouble:
    if event.kind == "in-doubt":
        return Trouble(label, event.reason, LABEL_IN_DOUBT)
    if event.rc in _TRIED_AGAIN:
        return Trouble(label, event.reason, "")
    return Trouble(label, f"{event.rc}: {event.reason}", LABEL_REFUSED)


def _command(label: Print, language: PrinterLanguage) -> PrintCommand:
    data = job_bytes(Raster(label.width, label.height, base64.b64decode(label.raster)), process_id(label), language)
    if len(data) > PRINT_LIMIT_BYTES:
        raise ValueError(f"it has {len(data)} bytes in {language.protocol}, more than {PRINT_LIMIT_BYTES}")
    return PrintCommand(
        command=command_name(label),
        fence=FENCE,
        expires_at=datetime.now(UTC) + COMMAND_LASTS,
        process_id=process_id(label).decode(),
        data=data,
        language=language,
    )
