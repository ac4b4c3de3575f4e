"""Changes feeds: dated, in the order of time, refused whole where a line is no change."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_bundles import ENCOUNTER, ORDER, PATIENT, order

from hub.adapters.intake.changes import read_changes
from hub.adapters.intake.errors import IntakeError
from hub.domain.orders import OrderSheet, OrderStatus, SourceSettings
from tests.said import english

MOSCOW = ZoneInfo("Europe/Moscow")
FEED = SourceSettings("feed", False, False, 3, True, ())


def change(at: str, resource: dict[str, Any]) -> bytes:
    return json.dumps({"at": f"2026-03-05T{at}+03:00", "resource": resource}, ensure_ascii=False).encode() + b"\n"


def read(data: bytes) -> OrderSheet:
    return read_changes("changes.ndjson", data, FEED, {}, zone=MOSCOW)


def test_changes_come_in_the_order_of_time() -> None:
    finished = ENCOUNTER | {"status": "finished", "period": {"end": "2026-03-05T12:00:00+03:00"}}
    data = change("12:00:00", finished) + change("07:00:00", PATIENT) + change("07:00:00", ENCOUNTER)
    data += change("08:00:00", ORDER) + change("09:30:00", order(status="stopped"))
    sheet = read(gzip.compress(data, mtime=0))
    kinds = ["patient" if x.patient else "stay" if x.stay else "line" for x in sheet.changes]
    assert kinds == ["patient", "stay", "line", "line", "stay"]
    assert sheet.changes[4].stay and sheet.changes[4].stay.finished_at == datetime(2026, 3, 5, 12, tzinfo=MOSCOW)
    started, stopped = sheet.changes[2].line, sheet.changes[3].line
    assert started and stopped and started.id == stopped.id
    assert (started.status, stopped.status) == (OrderStatus.ACTIVE, OrderStatus.STOPPED)
    assert stopped.position == "changes.ndjson line 5"
    assert (sheet.lines, sheet.patients, sheet.stays) == ((), (), ())


def test_a_patient_in_a_change_says_nothing_of_allergies() -> None:
    patient = read(change("07:00:00", PATIENT)).changes[0].patient
    assert patient and patient.allergies is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (change("07:00:00", ORDER)[:-9], "line 1: it is not a whole change in JSON"),
        (change("07:00:00", ORDER) + change("08:00:00", ORDER)[:50], "line 2: it is not a whole change in JSON (Input data was truncated); the file ends there"),
        (change("27:00:00", ORDER), "line 1, field at: the time of the change cannot be read"),
        (b'{"resource": {"resourceType": "Patient", "id": "p"}}', "field at"),
        (b'{"at": "2026-03-05T07:00:00+03:00"}', "line 1, field resource: the change has no resource"),
        (change("07:00:00", {"resourceType": "Practitioner", "id": "d"}), "it is no changes feed"),
        (change("07:00:00", {"resourceType": "Foo", "id": "d"}), "type Foo are not read"),
        (change("07:00:00", {"resourceType": "AllergyIntolerance", "id": "a"}), "the allergy names no patient"),
        (change("07:00:00", ENCOUNTER | {"status": "planned"}), "neither present nor finished"),
        (change("07:00:00", ORDER).decode().encode("utf-16"), "UTF-16"),
    ],
)  # fmt: skip
def test_what_is_no_whole_feed_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(IntakeError) as caught:
        read(data)
    assert reason in str(caught.value)


def test_a_bad_change_is_listed_and_the_others_go_on() -> None:
    odd = change("08:00:00", order(dosageInstruction=7))
    data = (
        change("07:00:00", PATIENT)
        + b"{oops}\n"
        + change("27:00:00", ORDER)
        + odd
        + change("09:00:00", ENCOUNTER | {"status": "planned"})
    )
    sheet = read(data)
    assert [(reject.position, reject.field) for reject in sheet.rejects] == [
        ("changes.ndjson line 2", ""), ("changes.ndjson line 3", "at"), ("changes.ndjson line 5", "status"),
    ]  # fmt: skip
    patient, broken = sheet.changes
    assert (
        patient.patient and broken.line and english(broken.line.unreadable) == "dosageInstruction: Expected `array`, got `int`"
    )


def test_a_death_ends_the_stay() -> None:
    sheet = read(change("07:00:00", PATIENT | {"deceasedDateTime": "2026-03-05T06:10:00+03:00"}))
    assert [change.stay and (change.stay.died, change.stay.finished_at) for change in sheet.changes] == [
        None, (True, datetime(2026, 3, 5, 6, 10, tzinfo=MOSCOW)),
    ]  # fmt: skip


def test_every_change_of_the_hospital_is_one(hospital: Path) -> None:
    feeds = sorted((hospital / "changes").glob("*.ndjson.gz"))
    assert len(feeds) == 14
    for path in feeds:
        data = path.read_bytes()
        sheet = read_changes(path.name, data, FEED, {}, zone=MOSCOW)
        assert len(sheet.changes) == len(gzip.decompress(data).splitlines())
