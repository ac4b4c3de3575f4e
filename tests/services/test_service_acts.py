"""Service acts: names of holders, who may move a machine, presses, figures of a watch, what of a frame is shown, and the bundle."""

import hashlib
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest

from hub.domain.identifiers import UserId
from hub.domain.ledger import LedgerEntry
from hub.domain.people import Role, User
from hub.services.device_service import Frame, JogAct, ServiceAnswer, Watched
from hub.services.presses import PRESSES_KEPT, Press, Presses
from hub.services.service_acts import in_words, owner_of
from hub.services.shown_frames import as_shown
from hub.services.support_bundle import bundle, frame_lines
from hub.services.trace_figures import TraceFigures

IVANOVA = User(UserId("abcdef123456"), "Щукина Анна-Мария", Role.ENGINEER, "B-1", "")
NAME = "Семёнова Ольга"
LABEL = Frame(
    5,
    "to-device",
    220,
    (b"\x12\x20" + NAME.encode()).hex(),
    "REQ",
    7,
    "LABEL_DATA",
    {"tag": "00000001", "offset": 0, "bytes": 200},
)
STATUS = Frame(1000, "from-device", 40, "aa" * 40, "RSP", 3, "STATUS", {"rc": "OK"}, round_trip_us=900)
JOG = JogAct("gate", "forward", 300)


def entry(kind: str, actor: str = "device:packager-1", seq: int = 1, **data: object) -> LedgerEntry:
    return LedgerEntry(seq, "2026-03-02T06:00:00Z", actor, kind, {"device": "packager-1", **data}, "0" * 64, "f" * 64)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("Щукина Анна-Мария", "Shchukina Anna-Mariya abcdef"),
        ("Ivanova", "Ivanova abcdef"),
        ("李", "engineer abcdef"),
        ("A" * 80, "A" * 25 + " abcdef"),
        ("Jo\tAnn\x7f", "Jo Ann abcdef"),
    ],
)
def test_a_holder_is_named_in_printable_ascii_and_never_as_another_of_the_same_name(name: str, owner: str) -> None:
    assert owner_of(replace(IVANOVA, name=name)) == owner
    assert len(owner) <= 32 and owner.isascii() and owner.isprintable()
    assert owner_of(replace(IVANOVA, name=name, id=UserId("fedcba123456"))) != owner


def test_a_refusal_is_a_sentence_with_whose_lock_it_is_and_what_to_do() -> None:
    assert in_words(ServiceAnswer("OK")) == ""
    assert (
        in_words(ServiceAnswer("LOCKED", "somebody else holds it", {"owner": "petrov"}))
        == "Somebody else holds it. It is petrov's."
    )
    assert (
        in_words(ServiceAnswer("EXPIRED", "too late."))
        == "Too late. If that happens again, the clocks of hub and bridge differ."
    )


def at(position: int) -> ServiceAnswer:
    return ServiceAnswer("OK", "", {"position": position})


def test_a_press_is_told_of_once_and_stays_over() -> None:
    presses = Presses()
    assert presses.begin("p", Press("u", "packager-1", JOG, 5)) is None
    for position in (10, 310):
        assert presses.sent("p", f"event-{position}")
        assert presses.answered("p", at(position)) is None
    ended = presses.end("p", "u", "packager-1")
    assert ended is not None and (ended.commands, ended.first, ended.last, ended.asked) == (2, 10, 310, 5)
    assert presses.end("p", "u", "packager-1") is None
    assert presses.begin("p", Press("u", "packager-1", JOG, 6)) is None
    assert presses.get("p").is_over and presses.get("p").asked == 5  # type: ignore[union-attr]


def test_a_press_is_told_of_when_its_last_answer_is_in() -> None:
    presses = Presses()
    presses.begin("p", Press("u", "packager-1", JOG))
    assert presses.sent("p", "event-1") and presses.sent("p", "event-2")
    assert presses.end("p", "u", "packager-1") is None
    assert presses.answered("p", at(10)) is None
    ended = presses.answered("p", at(40))
    assert ended is not None and (ended.commands, ended.last, ended.outcome.rc) == (2, 40, "OK")


def test_a_refusal_ends_a_press_and_is_its_outcome_whatever_follows() -> None:
    presses = Presses()
    presses.begin("p", Press("u", "packager-1", JOG))
    assert presses.sent("p", "event-1") and presses.sent("p", "event-2")
    assert presses.answered("p", ServiceAnswer("STOPPED", "the door is open")) is None
    ended = presses.answered("p", ServiceAnswer("LINK_DOWN", "away"))
    assert ended is not None and (ended.commands, ended.outcome.rc) == (0, "STOPPED")


def test_a_command_of_a_press_is_sent_once() -> None:
    presses = Presses()
    presses.begin("p", Press("u", "packager-1", JOG))
    assert [presses.sent("p", "event-1") for _ in range(2)] == [True, False]
    presses.answered("p", at(10))
    assert not presses.sent("p", "event-1") and presses.get("p").under_way == 0  # type: ignore[union-attr]


def test_a_press_that_was_let_go_before_it_was_written_down_never_begins() -> None:
    presses = Presses()
    assert presses.end("p", "u", "packager-1") is None
    ended = presses.begin("p", Press("u", "packager-1", JOG, 5))
    assert ended is not None and (ended.asked, ended.commands, ended.outcome.rc) == (5, 0, "LET_GO")
    assert presses.get("p").is_over  # type: ignore[union-attr]


def test_presses_are_bounded() -> None:
    presses = Presses()
    for number in range(PRESSES_KEPT + 10):
        presses.begin(str(number), Press("u", "packager-1", JOG))
    assert presses.get("0") is None and presses.get(str(PRESSES_KEPT + 9)) is not None


@pytest.mark.parametrize(
    "frame",
    [
        LABEL,
        replace(LABEL, fields={**LABEL.fields, "text": NAME}),
        replace(LABEL, direction="from-device", error="stale"),
        replace(LABEL, error="payload", fields={}),
        replace(LABEL, type="", op="", fields={}, error="crc"),
        replace(LABEL, op="0x77", fields={}),
        replace(LABEL, type="0x9", fields={}),
    ],
)
def test_bytes_that_are_or_may_be_of_a_label_are_told_by_length_and_digest(frame: Frame) -> None:
    shown = as_shown(frame)
    assert shown.hex == "" and shown.octets == 220
    assert shown.withheld == hashlib.sha256(bytes.fromhex(frame.hex)).hexdigest()
    assert NAME not in frame_lines(Watched((shown,)))


def test_other_frames_and_a_few_broken_bytes_are_shown() -> None:
    noise = Frame(1, "from-device", 20, "ff" * 20, error="crc")
    assert as_shown(STATUS) == STATUS and as_shown(noise) == noise


def test_figures_count_errors_by_cause_repetitions_and_round_trips() -> None:
    figures = TraceFigures()
    request = Frame(0, "to-device", 10, "", "REQ", 4, "STATUS")
    figures.hear(
        [
            request,
            replace(request, at_us=200_000),
            replace(STATUS, at_us=400_000),
            Frame(1_000_000, "from-device", 9, "", error="crc"),
        ]
    )
    facts = figures.facts()
    assert (facts["frames"], facts["repeated"], facts["crc"], facts["cobs"]) == (4, 1, 1, 0)
    assert (facts["frames_a_second"], facts["bytes_a_second"]) == (4.0, 69.0)
    assert (facts["round_trip_p50_us"], facts["round_trip_p99_us"]) == (900, 900)


def test_figures_of_too_little_are_not_made_up() -> None:
    facts = TraceFigures().facts()
    assert (facts["frames"], facts["frames_a_second"], facts["round_trip_p50_us"]) == (0, None, None)


def test_round_trips_are_told_by_rank() -> None:
    figures = TraceFigures()
    figures.hear(replace(STATUS, at_us=number, round_trip_us=number) for number in range(1, 101))
    assert (figures.facts()["round_trip_p50_us"], figures.facts()["round_trip_p99_us"]) == (50, 99)


def test_missing_frames_are_told_at_the_end_of_the_lines() -> None:
    lines = frame_lines(Watched((STATUS,), dropped=3)).splitlines()
    assert json.loads(lines[0])["round_trip_us"] == 900 and json.loads(lines[1]) == {"dropped": 3}


def test_the_bundle_names_no_patient_and_no_person_whoever_wrote_it() -> None:
    entries = [
        entry("service-lock", mode="taken", owner="Shchukina abcdef", seq=2),
        entry("service-asked", "abcdef123456", act="lock", mode="take", owner="Shchukina abcdef", seq=1),
        entry(
            "service-answered",
            "abcdef123456",
            act="lock",
            rc="LOCKED",
            reason=NAME,
            data={"locked": True, "owner": "Shchukina"},
            seq=3,
        ),
        entry("device-stopped", reason=f"{NAME} opened the door", seq=4),
    ]
    lock = Frame(9, "to-device", 12, b"Shchukina".hex(), "REQ", 8, "LOCK", {"mode": "take", "owner": "Shchukina"})
    status = {"state": "idle", "reason": NAME, "counters": {"crc_err": 1}}
    made_at = datetime(2026, 3, 2, 6, tzinfo=UTC)
    whole = bundle(
        "packager-1", made_at, {"dosehub": "1"}, {"serial": "S-1"}, status, entries, Watched((as_shown(LABEL), lock), 2)
    )
    archive = zipfile.ZipFile(BytesIO(whole))
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, text in files.items():
        for word in (NAME, NAME.encode().hex(), "Shchukina", b"Shchukina".hex(), "abcdef123456"):
            assert word not in text, name
    assert json.loads(files["counters.json"]) == {"crc_err": 1} and json.loads(files["description.json"]) == {
        "serial": "S-1"
    }
    assert [json.loads(line)["seq"] for line in files["ledger.jsonl"].splitlines()] == [1, 2, 3, 4]
    manifest = json.loads(files["manifest.json"])
    assert manifest["frames_missing"] == 2
    assert all(
        hashlib.sha256(files[name].encode()).hexdigest() == digest for name, digest in manifest["sha256"].items()
    )
