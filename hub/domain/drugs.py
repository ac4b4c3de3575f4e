"""The drug directory: what a drug is, as far as packing it is concerned."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from hub.domain.identifiers import DrugCode
from hub.domain.quantities import Quantity


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


class Coating(StrEnum):
    """What a tablet's coat or matrix is for; enteric and prolonged ones lose it, and their dose, where they are split."""

    PLAIN = "plain"
    ENTERIC = "enteric"
    PROLONGED = "prolonged"


class Dosing(StrEnum):
    """How often a drug is given at most: a drug of weekly dosing kills where it is given daily."""

    DAILY = "daily"
    WEEKLY = "weekly"


SOLID_FORMS = frozenset({Form.TABLET, Form.CAPSULE})
PARTS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Drug:
    """One item of the directory; `drug_class` None means the class was left blank and a person must look.

    `divisible_by` is into how many parts one tablet may be split (1: not at all). `usual_dose`, `most_at_once` and `most_a_day`
    are of one person, in any unit that the strength can be converted to; None: the directory does not say. `told_apart` names drugs
    (`;` between them) that look or sound alike and that a pharmacist found not to be taken for this one.
    """

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
    divisible_by: int
    prepack_allowed: bool
    price: Decimal | None
    coating: Coating = Coating.PLAIN
    dosed: Dosing = Dosing.DAILY
    usual_dose: Quantity | None = None
    most_at_once: Quantity | None = None
    most_a_day: Quantity | None = None
    told_apart: str = ""

    @property
    def parts(self) -> int:
        """Into how many parts one unit may really be split: only a plain tablet at all, whatever the directory says."""
        if self.form is not Form.TABLET or self.coating is not Coating.PLAIN:
            return 1
        return max(1, self.divisible_by // 2) if self.unit == "half-tablet" else self.divisible_by


@dataclass(frozen=True, slots=True)
class CassettePlace:
    """One line of the cassette map: which cassette is made for which drug and where it belongs."""

    cassette: int
    item: DrugCode
    slot: int
    capacity: int


DrugDirectory = Mapping[DrugCode, Drug]
