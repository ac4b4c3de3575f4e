"""What a doubt of a reader speaks of: of a line's times, or only of something that a person takes note of."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_bundles import order, with_dosage

from hub.adapters.intake.hl7.reading import read_hl7
from hub.domain.orders import OrderLine, SourceSettings
from hub.domain.words import Topic
from tests.hl7.hl7_messages import PID, message, rde
from tests.intake.test_fhir_orders import line_of

SOURCE = SourceSettings("feed", False, False, 3, True, ())
INACTIVE = {"resourceType": "Medication", "id": "m", "status": "inactive", "code": {"text": "Metoprolol"}}
WITHDRAWN = INACTIVE | {"status": "entered-in-error"}


def of_hl7(data: str) -> OrderLine:
    sheet = read_hl7("messages", data.encode(), SOURCE, {}, zone=ZoneInfo("Europe/Moscow"))
    found = [*sheet.lines, *(change.line for change in sheet.changes if change.line is not None)]
    return found[0]


def with_medication(medication: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in order().items() if name != "medicationCodeableConcept"}
    return bare | {"contained": [medication], "medicationReference": {"reference": "#m"}}


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        (line_of(with_medication(INACTIVE)), Topic.NOTE),
        (line_of(with_medication(WITHDRAWN)), Topic.NONE),
        (line_of(with_dosage(maxDosePerPeriod={"numerator": {"value": 4, "unit": "g"}})), Topic.NOTE),
        (of_hl7(message(PID, "ORC|NW|A1", "RXG|1|||PLAIN|1||TAB|||||Y", "TQ1|1||||||202603021200", "RXR|PO", kind="RGV^O15")), Topic.NOTE),
        (line_of(with_dosage(timing={"repeat": {"frequency": 2, "period": -1, "periodUnit": "d"}})), Topic.TIMES),
        (line_of(with_dosage(timing={"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "modifierExtension": [{"url": "http://x"}]}})), Topic.TIMES),
        (line_of(with_dosage(when=["MORN"])), Topic.TIMES),
        (line_of(with_dosage(modifierExtension=[{"url": "http://x/timing"}])), Topic.NONE),
        (line_of(order(dispenseRequest={"validityPeriod": {"start": "2026-02-30"}})), Topic.TIMES),
        (of_hl7(rde("ORC|NW|A1", "RXE|1|PLAIN|1||TAB", "TQ1|1||BID|||6^XX", "RXR|PO")), Topic.TIMES),
        (of_hl7(rde("ORC|NW|A1", "RXE||PLAIN|1||TAB||||||||||||||||||3|mL/h", "TQ1|1||BID", "RXR|PO")), Topic.NONE),
    ],
)  # fmt: skip
def test_each_doubt_names_its_topic_and_half_a_timing_is_no_timing(line: OrderLine, topic: Topic) -> None:
    assert topic in {what.about for what in line.unsupported}, line.unsupported
    assert line.times_are_read is (topic is not Topic.TIMES)
