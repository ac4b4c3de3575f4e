"""Messages of an invented hospital, built from their segments."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.domain.drugs import Drug, DrugClass, DrugDirectory, Form, Storage
from hub.domain.identifiers import DrugCode
from hub.domain.orders import SourceSettings

MOSCOW = ZoneInfo("Europe/Moscow")
FEED = SourceSettings("his", False, False, 3, False, ())
_DRUG = Drug(
    code=DrugCode("MET500"), inn="metformin", trade_name="Siofor", form=Form.TABLET, strength="500 mg", unit="tablet", group="biguanides",
    drug_class=DrugClass.ORDINARY, high_alert=False, hazardous=False, look_alike_group="", storage=Storage.ROOM, divisible_by=2,
    prepack_allowed=True, price=None,
)  # fmt: skip
DRUGS: DrugDirectory = {DrugCode(code): replace(_DRUG, code=DrugCode(code)) for code in ("MET500", "WAR5", "PLAIN")}

PID = "PID|1||P1^^^WEST^MR||Orlova&Orlov^Anna^Igorevna^^^^L||19500412|F"
PV1 = "PV1|1|I|CARD^101^2||||||||||||||||V7"
RXE = "RXE||MET500^Metformin 500 mg^LOCAL|1||TAB^tablet^LOCAL|TAB^Tablet"


def at(text: str) -> datetime:
    """Return a moment in Moscow: `2026-03-02 08:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def msh(kind: str = "RDE^O11^RDE_O11", control: str = "C1", version: str = "2.5", more: str = "", processing: str = "P") -> str:
    """Return a header; `more` are the fields from MSH-13 on."""
    return f"MSH|^~\\&|HIS|WEST|HUB|PHARMACY|20260302063000+0300||{kind}|{control}|{processing}|{version}{more}"


def message(*segments: str, **header: str) -> str:
    """Return a message whose segments end with CR."""
    return "".join(f"{segment}\r" for segment in (msh(**header), *segments))


def order(number: str = "A1^HIS", control: str = "NW", orc: str = "", rxe: str = RXE, tq1: str = "1||BID", rxr: str = "PO^oral") -> tuple[str, ...]:
    """Return the segments of one order; `orc` are the fields from ORC-3 on, an empty segment is left out."""
    parts = [f"ORC|{control}|{number}{f'|{orc}' if orc else ''}", rxe, f"TQ1|{tq1}" if tq1 else "", f"RXR|{rxr}" if rxr else ""]
    return tuple(part for part in parts if part)


def rde(*segments: str, **header: str) -> str:
    """Return an RDE^O11 of patient P1 with an order made of `segments`, or with the usual one."""
    return message(PID, PV1, *(segments or order()), **header)


def adt(event: str, *segments: str, control: str = "D1", told: str = "") -> str:
    """Return an ADT of patient P1; `told` is EVN-2."""
    return message(f"EVN||{told}", *(segments or (PID, PV1)), kind=f"ADT^{event}", control=control)
