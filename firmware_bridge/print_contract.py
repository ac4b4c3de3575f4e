"""The messages of `print/cmd`, `print/evt` and `print/ack` as types: docs/mqtt.md, "Prints"."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from firmware_bridge import printer_escpos, printer_zpl
from firmware_bridge.contract import CommandId, ContractError, Instant, Long, read
from firmware_bridge.printer_status import PrinterLanguage

PRINT_LIMIT_BYTES = 131_072

ProcessId = Annotated[str, Meta(pattern=r"^[ -~]{4}$")]
OutcomeWord = Literal["printed", "refused", "in-doubt"]


class PrintCommand(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Print one label: `data` is what the printer is sent (base64 in JSON), in its `language`; it ends by asking for `process_id`."""

    command: CommandId
    fence: Long
    expires_at: Instant
    process_id: ProcessId
    data: Annotated[bytes, Meta(min_length=1)]
    language: PrinterLanguage = PrinterLanguage.ESCPOS


class PrintEvent(Struct, frozen=True, kw_only=True):
    """The one outcome of a print command: `printed` (rc OK), `refused` (nothing was sent), `in-doubt` (a label may exist)."""

    command: Annotated[str, Meta(max_length=200)]
    kind: OutcomeWord
    rc: str
    reason: str
    at: Instant


class PrintAck(Struct, frozen=True, kw_only=True):
    """The hub's own acknowledgement of the outcome of one command, sent after its commit."""

    command: CommandId


_ENDINGS = {
    PrinterLanguage.ESCPOS: printer_escpos.process_id_request,
    PrinterLanguage.ZPL: printer_zpl.verification_request,
}
_COMMANDS = msgspec.json.Decoder(PrintCommand)
_EVENTS = msgspec.json.Decoder(PrintEvent)
_ACKS = msgspec.json.Decoder(PrintAck)


def decode_print_command(message: bytes) -> PrintCommand:
    """Return the command in `message`; raise ContractError, also for too many bytes or ones that ask for no process ID."""
    command = read(_COMMANDS, message)
    if len(command.data) > PRINT_LIMIT_BYTES:
        raise ContractError("$.data", f"more than {PRINT_LIMIT_BYTES} bytes")
    if not command.data.endswith(_ENDINGS[command.language](command.process_id.encode())):
        raise ContractError("$.data", "it does not end with the request for process_id")
    return command


def decode_print_event(message: bytes) -> PrintEvent:
    """Return the outcome in `message`; raise ContractError."""
    return read(_EVENTS, message)


def decode_print_ack(message: bytes) -> PrintAck:
    """Return the acknowledgement in `message`; raise ContractError."""
    return read(_ACKS, message)
