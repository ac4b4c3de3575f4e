"""The drug directory: what a drug is, as far as packing it is concerned."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hub.domain.identifiers import DrugCode


class DrugClass(StrEnum):
    """Legal class; all but ordinary stay with the procedures established before (Kemerovo order 1088, appendix 1)."""

    ORDINARY = "ordinary"
    NARCOTIC = "narcotic"
    PSYCHOTROPIC = "psychotropic"
    POTENT = "potent"
    TOXIC = "toxic"


class Form(StrEnum):
    """Dispensing form."""

    TABLET = "tablet"
    CAPSULE = "capsule"
    AMPOULE = "ampoule"
    VIAL = "vial"
    SYRINGE = "syringe"
    BAG = "bag"
    BOTTLE = "bottle"
    LIQUID = "liquid"
    DROPS = "drops"
    POWDER = "powder"
    PATCH = "patch"
    INHALER = "inhaler"
    NEBULE = "nebule"
    SUPPOSITORY = "suppository"
    TUBE = "tube"
    LOZENGE = "lozenge"
    OTHER = "other"


class Storage(StrEnum):
    """Where a drug is kept."""

    ROOM = "room"
    COLD = "cold"
    DARK = "dark"


SOLID_FORMS = frozenset({Form.TABLET, Form.CAPSULE})


@dataclass(frozen=True, slots=True)
class Drug:
    """One item of the directory; `drug_class` None means the class was left blank and a person must look."""

    code: DrugCode
    inn: str
    trade_name: str
    form: Form
    strength: str
    unit: str
    group: str
    drug_class: DrugClass | None
    high_alert: bool
    hazardous: bool
    look_alike_group: str
    storage: Storage
    splittable: bool
    prepack_allowed: bool
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class CassettePlace:
    """One line of the cassette map: which cassette is made for which drug and where it belongs."""

    cassette: int
    item: DrugCode
    slot: int
    capacity: int


DrugDirectory = Mapping[DrugCode, Drug]
