"""What the head of a message says (MSH), as far as it is judged and answered by it."""

import re
from dataclasses import dataclass, field

from hub.adapters.intake.hl7.er7 import Delimiters, Message


@dataclass(frozen=True, slots=True)
class Header:
    """What MSH says, as far as a message is judged and answered by it."""

    delimiters: Delimiters = field(default_factory=Delimiters)
    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    kind: str = ""
    event: str = ""
    control_id: str = ""
    processing: str = ""
    version: str = ""
    accept: str = ""
    application: str = ""
    charset: str = ""

    @property
    def name(self) -> str:
        """Return what the message is: `RDE^O11`."""
        return f"{self.kind}^{self.event}" if self.event else self.kind


def header_of(message: Message) -> Header:
    """Return what MSH says."""
    msh = message.header
    kind, event = msh.value(9), msh.value(9, 2)
    return Header(
        message.delimiters, (msh.raw(3), msh.raw(4)), (msh.raw(5), msh.raw(6)), kind.upper(), event.upper(), msh.value(10), msh.value(11).upper(),
        msh.value(12), msh.value(15).upper(), msh.value(16).upper(), msh.raw(18),
    )  # fmt: skip


def broken_header(data: bytes) -> Header:
    """Return what can be known of a message that cannot be read: its control id, so that the sender finds it."""
    fields = re.split(rb"[\r\n]", data[:4000], maxsplit=1)[0].decode("latin-1").split("|")
    if not fields[0].startswith("MSH") or len(fields) < 10:
        return Header()
    kind, _, event = fields[8].partition("^")
    return Header(kind=kind[:3], event=event[:3], control_id=fields[9][:199], version=fields[11][:10] if len(fields) > 11 else "")
