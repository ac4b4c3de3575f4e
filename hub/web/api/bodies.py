"""Request bodies of the API; every write carries the `event` id that the client made before it sent."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.domain.records import CodeKind

EventId = Annotated[str, Field(min_length=8, max_length=100)]
Code = Annotated[str, Field(min_length=1, max_length=200)]
Codes = Annotated[list[Code], Field(max_length=500)]


class Body(BaseModel):
    """Unknown members are refused: a misspelt one must not be lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Write(Body):
    """A body that changes something."""

    event: EventId


class SignIn(Body):
    """Badge and PIN."""

    badge: Code
    pin: Annotated[str, Field(min_length=4, max_length=64)]


class ReceivedPack(Body):
    """One source pack of a receipt: what its maker's code says need not be typed."""

    code: Code
    item: Annotated[str, Field(max_length=200)] = ""
    lot: Annotated[str, Field(max_length=200)] = ""
    expires_on: date | None = None
    units: Annotated[str, Field(pattern=r"^(\d{1,9}(\.\d{1,6}|/[1-9]\d{0,5})?)?$")] = ""
    unit_cost: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
    look: Annotated[str, Field(pattern=r"^(#[0-9a-f]{6} (round|oval|capsule) \d{1,2}(\.\d{1,2})?)?$")] = ""


class ReceiptBody(Write):
    """A receipt."""

    packs: Annotated[list[ReceivedPack], Field(min_length=1, max_length=1000)]


class GtinBody(Write):
    """What a maker's number means here: the item, and how many dispensing units a pack holds."""

    gtin: Code
    item: Code
    units: Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,6}|/[1-9]\d{0,5})?$")]


class RecallBody(Write):
    """A lot recalled."""

    item: Code
    lot: Code
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class LoadCassette(Write):
    """A cassette loaded by scan."""

    device: Code
    slot: Annotated[int, Field(ge=1, le=250)]
    cassette: Annotated[int, Field(ge=1)]
    packs: Annotated[list[Code], Field(min_length=1, max_length=50)]
    units: Annotated[int, Field(ge=1, le=100_000)]
    second_badge: str = ""
    second_pin: str = ""


class PickBody(Write):
    """A manual pack filled: its label and its source packs."""

    label: Code
    packs: Annotated[list[Code], Field(min_length=1, max_length=12)]


class NewLabelBody(Write):
    """A label of a manual pack that was lost or cannot be read."""

    label: Code


class ReviewBody(Write):
    """A person's decision on a review."""

    review: Code
    decision: Literal["accept", "reject"]
    pack: str = ""
    reason: Annotated[str, Field(max_length=500)] = ""


class ResolveBody(Write):
    """What a person counted for the slot in doubt; `boot` and `asked_event` name the machine's question that is answered."""

    device: Code
    job: Code
    boot: Annotated[int, Field(ge=0)]
    asked_event: Annotated[int, Field(ge=0)]
    counted: Annotated[int, Field(ge=0, le=255)]
    reason: Annotated[str, Field(max_length=500)]
    second_badge: str = ""
    second_pin: str = ""


class RejectBody(Write):
    """A pouch scanned into the reject bin."""

    pack: Code
    unreadable: bool = False
    reason: Annotated[str, Field(max_length=500)] = ""


class RequisitionBody(Write):
    """A requisition carried to its ward."""

    requisition: Code
    packs: Codes


class LoadPack(Write):
    """A pack put into a drawer of a trolley."""

    trolley: Code
    drawer: Annotated[str, Field(max_length=100)]
    pack: Code


class PullPack(Write):
    """A pack taken out of a trolley."""

    trolley: Code
    pack: Code


class TrolleyBody(Write):
    """A step of a trolley."""

    trolley: Code
    seal: Annotated[str, Field(max_length=40)] = ""


class Handover(Write):
    """Packs handed to a nurse."""

    packs: Annotated[list[Code], Field(min_length=1, max_length=500)]
    receiver_badge: Code
    receiver_pin: str


class Give(Write):
    """A pack given at the bedside."""

    patient_code: Code
    pack_code: Code


class GiveWard(Write):
    """A dose of the ward list given from a source pack."""

    patient_code: Code
    dose: Code
    source_code: Code


class NotGiven(Write):
    """A pack or a dose of the ward list not given."""

    patient_code: Code
    pack_code: str = ""
    dose: str = ""
    reason: Code


class ReturnBody(Write):
    """A pack that came back."""

    pack: Code
    condition: Literal["sealed", "opened"]


class DecideCode(Write):
    """What a source's word means."""

    source: Code
    kind: CodeKind
    code: Annotated[str, Field(min_length=1, max_length=1000)]
    meaning: Annotated[str, Field(min_length=1, max_length=100)]


class ClockBody(Body):
    """The next moment of a stepped clock."""

    now: datetime
