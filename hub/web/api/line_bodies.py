"""Request bodies about lines that were returned or ruled about, and of administrations entered in error."""

from typing import Annotated, Literal

from pydantic import Field

from hub.web.api.bodies import Code, Write

Reason = Annotated[str, Field(max_length=500)]


class ReturnedBody(Write):
    """A returned line that the senior nurse has seen."""

    returned: Code


class PassOnBody(ReturnedBody):
    """A returned line passed on to somebody."""

    to: Annotated[str, Field(max_length=200)]


class CloseBody(ReturnedBody):
    """A returned line that no correction will come for."""

    reason: Reason


class RulingBody(Write):
    """A pharmacist's ruling about an order."""

    order: Code
    reason: Reason


class AllergyBody(RulingBody):
    """An allergy that may pass for an order, by its very words; a grave one with a second person."""

    allergy: Annotated[str, Field(min_length=1, max_length=2000)]
    second_badge: str = ""
    second_pin: str = ""


class CancelAdministrationBody(Write):
    """Something recorded as given in error: a pack by its label, or a dose of the ward's stock, and what is true of it."""

    patient_code: Code
    pack_code: str = ""
    dose: str = ""
    truth: Literal["here", "wasted"]
    reason: Reason
