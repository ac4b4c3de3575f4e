"""In what FHIR comes: parts of a stream, bad lines among good ones, limits, and Bundles within Bundles."""

import gzip
import io
import json
import random
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_bundles import ENCOUNTER, ORDER, PATIENT, bundle, ndjson, order, with_dosage

from hub.adapters.intake import fhir, fhir_containers
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.fhir import read_fhir, read_fhir_parts
from hub.adapters.intake.fhir_split import split_bundle
from hub.domain.orders import OrderSheet, SourceSettings
from tests.said import english

FEED = SourceSettings("feed", False, False, 3, False, ())
MOSCOW = ZoneInfo("Europe/Moscow")
DEEP = b'{"resourceType": "MedicationRequest", "id": "deep", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"


def read(data: bytes) -> OrderSheet:
    return read_fhir("day.json", data, FEED, {}, zone=MOSCOW)


def parts_of(data: bytes) -> list[OrderSheet]:
    return list(read_fhir_parts("day.json", io.BytesIO(data), FEED, {}, zone=MOSCOW))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        ndjson(ORDER, PATIENT, order(id="mr2"), ENCOUNTER, order(id="mr3")),
        bundle(PATIENT, ENCOUNTER, ORDER, ORDER, order(status="stopped")),
    ],
)
def test_a_stream_says_the_same_in_parts(data: bytes, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "CHUNK_LINES", 2)
    sent = gzip.compress(data, mtime=0) if packed else data
    first, *chunks = parts_of(sent)
    whole = read(sent)
    assert (first.lines, [bool(part.patients) for part in chunks]) == ((), [False] * len(chunks))
    assert replace(first, lines=tuple(line for part in chunks for line in part.lines)) == whole
    assert {part.sha256 for part in chunks} == {whole.sha256}
    assert first.announced == sum(len(part.lines) for part in chunks)


@pytest.mark.parametrize("cut", [-1, -9, 60])
def test_a_cut_gzip_is_refused_before_anything_is_given(cut: int) -> None:
    data = gzip.compress(
        ndjson(
            PATIENT,
            *(order(id=f"mr{number}", note=[{"text": str(random.Random(number).random())}]) for number in range(200)),
        ),
        mtime=0,
    )
    with pytest.raises(IntakeError) as caught:
        next(read_fhir_parts("day.json", io.BytesIO(data[:cut]), FEED, {}, zone=MOSCOW))
    assert english(caught.value.reason) == "the gzip file is truncated"


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "CHUNK_LINES", 100)

    def peak(orders: int) -> int:
        path = tmp_path / f"{orders}.ndjson"
        with path.open("wb") as file:
            file.write(ndjson(PATIENT, ENCOUNTER))
            file.writelines(ndjson(order(id=f"mr{number}")) for number in range(orders))
        with path.open("rb") as file:
            tracemalloc.start()
            seen = sum(len(part.lines) for part in read_fhir_parts("day", file, FEED, {}, zone=MOSCOW))
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert seen == orders
        return most

    assert peak(1500) < peak(200) * 1.05


def test_one_bad_line_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_containers, "MAXIMUM_LINE_BYTES", 20_000)
    long = json.dumps(order(id="long", note=[{"text": "x" * 30_000}])).encode()
    bad = b'{"resourceType": "MedicationRequest", "id": "mr5", oops}\n' + DEEP + b"\n" + long + b"\n{oops}\n\n"
    sheet = read(ndjson(PATIENT) + bad + ndjson(ORDER))
    assert [(line.position, english(line.unreadable)) for line in sheet.lines] == [
        ("day.json line 2", "it is not a resource in JSON: JSON is malformed: object keys must be strings (byte 51)"),
        ("day.json line 3", "it is not a resource in JSON: it is nested too deeply"),
        ("day.json line 4", "the line is longer than the limit of 20000 bytes"),
        ("day.json line 7", ""),
    ]
    assert [(reject.position, english(reject.reason)[:28]) for reject in sheet.rejects] == [
        ("day.json line 5", "it is not a resource in JSON")
    ]
    assert len({line.id for line in sheet.lines}) == 4


def test_a_bad_first_line_does_not_stop_the_others() -> None:
    sheet = read(b"{oops}\n" + ndjson(PATIENT, ORDER))
    assert [reject.position for reject in sheet.rejects] == ["day.json line 1"]
    assert [line.id for line in sheet.lines] == ["mr1"]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_deep_entry_does_not_stop_the_others(indent: int | None) -> None:
    whole = json.dumps(json.loads(bundle(PATIENT, {"deep": "entry"}, ORDER)), indent=indent).encode()
    data = whole.replace(b'{"deep": "entry"}', DEEP).replace(b'{\n    "deep": "entry"\n   }', DEEP)
    assert b"[[[" in data
    sheet = read(data)
    assert [(line.position, english(line.unreadable)[-25:]) for line in sheet.lines] == [
        ("day.json entry 2", "it is nested too deeply"[-25:]), ("day.json entry 3", ""),
    ]  # fmt: skip


def test_a_bundle_is_parted_by_its_brackets() -> None:
    content = rb'{"id": "entry", "entry" : [ {"a": "]}\"["}, 7 ,[1,{}]], "total": 3}'
    assert split_bundle(content) == (
        rb'{"id": "entry", "entry" : [], "total": 3}',
        [rb'{"a": "]}\"["}', b"7", b"[1,{}]"],
    )
    assert split_bundle(b'{"entry": {}}') is None
    assert split_bundle(b'{"entry": [{}') is None
    assert split_bundle(b'{"x": {"entry": []}}') is None


def test_bundles_in_lines_and_in_bundles_are_unfolded() -> None:
    inner: dict[str, Any] = json.loads(bundle(PATIENT, ORDER))
    assert [line.position for line in read(ndjson(inner, order(id="mr2"))).lines] == [
        "day.json line 1 entry 2",
        "day.json line 2",
    ]
    assert [line.position for line in read(bundle(inner)).lines] == ["day.json entry 1 entry 2"]
    deep = inner
    for _ in range(6):
        deep = json.loads(bundle(deep))
    with pytest.raises(IntakeError, match="Bundles are nested too deeply"):
        read(bundle(deep))


def test_a_message_is_read_and_a_history_is_refused() -> None:
    header = {"resourceType": "MessageHeader", "id": "h"}
    assert len(read(bundle(header, PATIENT, ORDER, type="message")).lines) == 1
    with pytest.raises(
        IntakeError, match="a Bundle of the type history is not read as a sheet: it tells what orders once were"
    ):
        read(bundle(ORDER, type="history"))


def test_matches_are_counted_without_what_is_included() -> None:
    entries = [{"resource": ORDER, "search": {"mode": "match"}}, {"resource": PATIENT, "search": {"mode": "include"}}]
    data = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": entries}
    assert len(read(json.dumps(data).encode()).lines) == 1
    with pytest.raises(IntakeError, match="tells of 2 matches and brings 1"):
        read(json.dumps(data | {"total": 2}).encode())


def test_an_entry_that_is_none_is_listed_and_an_order_in_it_stays_a_line() -> None:
    data = json.loads(bundle(PATIENT, ORDER))
    data["entry"] += [{"fullUrl": 5, "resource": order(id="mr2")}, {"fullUrl": "urn:uuid:1"}, 7]
    sheet = read(json.dumps(data).encode())
    assert [(line.position, english(line.unreadable)) for line in sheet.lines][1:] == [
        ("day.json entry 3", "fullUrl: Expected `str`, got `int`")
    ]
    assert [(reject.position, reject.field) for reject in sheet.rejects] == [
        ("day.json entry 4", "resource"),
        ("day.json entry 5", ""),
    ]


def test_an_escape_hides_no_modifier_extension() -> None:
    data = bundle(PATIENT, with_dosage(modifierExtension=[{"url": "x"}])).replace(
        b"modifierExtension", rb"\u006dodifierExtension"
    )
    assert english(read(data).lines[0].unsupported) == ("modifierExtension at dosageInstruction[0]: x",)
