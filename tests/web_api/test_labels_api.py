"""Labels on demand: badge, drawer, command card and the list of a trolley, drawn, read back and queued once."""

import base64
from dataclasses import replace
from typing import Any

import zxingcpp

from hub.adapters.printed_labels import waiting_labels
from hub.domain.commands import CARDS
from hub.domain.people import Role
from hub.services.close_day import tick
from labels.raster import Raster
from tests.services.small_world import order_line
from tests.web_api.api_client import Api


def ask(api: Api, label: str, subject: str, **more: Any) -> dict[str, Any]:
    answer = api.post(Role.TECHNICIAN, "/api/labels", label=label, subject=subject, **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(api: Api) -> list[set[str]]:
    """Return what a scanner reads on each label that waits for the printer."""
    return [_read(label) for label in api.world.all("prints", printed=False)]


def _read(label: Any) -> set[str]:
    image = Raster(label.width, label.height, base64.b64decode(label.raster)).to_image().convert("L")
    found = zxingcpp.read_barcodes(image, zxingcpp.barcode_formats_from_str("DataMatrix,Code128"))
    return {f"{each.symbology_identifier}{bytes(each.bytes).decode()}" for each in found}


def trolley(api: Api) -> Any:
    """Freeze a morning with two patients and return its trolley."""
    api.world.sheet(order_line("a"), order_line("b", patient=2))
    api.world.now = api.world.now.replace(hour=6, minute=20)
    api.world.do(lambda unit: tick(unit, api.world.house))
    return api.world.all("trolleys")[0]


def test_a_badge_says_the_code_of_its_person_and_names_no_pin(api: Api) -> None:
    assert ask(api, "badge", "u-nurse") == {"label": "badge", "subject": "u-nurse", "sheets": 1}
    assert codes(api) == [{"]d1badge-nurse", "]C0badge-nurse"}]
    assert len(api.world.do(lambda unit: waiting_labels(unit, api.world.house.printer, 5))) == 1, "the printer takes it as any other"
    (fact,) = api.world.facts("label-asked")
    assert (fact["label"], fact["subject"], fact["sheets"]) == ("badge", "u-nurse", 1)


def test_a_drawer_says_the_number_that_is_scanned_when_its_cassette_is_loaded(api: Api) -> None:
    cassette = api.world.all("cassettes")[0]
    ask(api, "drawer", str(cassette.id))
    assert codes(api) == [{f"]d1{cassette.id}", f"]C0{cassette.id}"}]


def test_there_is_a_card_of_every_command_that_a_page_takes(api: Api) -> None:
    wanted = [*(card.code for card in CARDS), "SEAL", "DISPATCH", "RECEIVE", "CLOSE"]
    for code in wanted:
        ask(api, "command", code)
    assert sorted(map(sorted, codes(api))) == sorted([f"]C0{code}", f"]d1{code}"] for code in wanted)


def test_the_list_of_a_trolley_bears_the_code_that_chooses_it(api: Api) -> None:
    chosen = trolley(api)
    ask(api, "manifest", chosen.id)
    ask(api, "manifest", chosen.label)
    assert codes(api) == [{f"]d1{chosen.label}", f"]C0{chosen.label}"}] * 2
    assert chosen.label not in {label.pack for label in api.world.all("prints")}


def test_a_trolley_of_many_patients_has_a_list_of_several_sheets(api: Api) -> None:
    api.world.sheet(*(order_line(f"o{number}", patient=number) for number in range(1, 41)))
    api.world.now = api.world.now.replace(hour=6, minute=20)
    api.world.do(lambda unit: tick(unit, api.world.house))
    sheets = sum(ask(api, "manifest", each.id)["sheets"] for each in api.world.all("trolleys") if each.slot == "morning")
    assert sheets > 1
    assert len(codes(api)) == sheets


def test_the_same_wish_sent_twice_is_printed_once(api: Api) -> None:
    first = ask(api, "badge", "u-head", event="event-badge-1")
    assert ask(api, "badge", "u-head", event="event-badge-1") == first
    assert len(codes(api)) == 1
    ask(api, "badge", "u-head", event="event-badge-2")
    assert len(codes(api)) == 2


MISSING = (
    ("badge", "nobody", "unknown"), ("badge", "u-left", "unknown"), ("drawer", "x", "unknown-cassette"), ("drawer", "99999", "unknown-cassette"),
    ("drawer", "9" * 40, "unknown-cassette"), ("command", "seal", "unknown"), ("manifest", "none", "unknown"),
)  # fmt: skip


def test_what_is_not_there_is_refused_in_both_languages(api: Api) -> None:
    for label, subject, code in MISSING:
        answer = api.post(Role.TECHNICIAN, "/api/labels", label=label, subject=subject)
        assert (answer.status_code, answer.json()["refused"]) == (409, code), (label, subject)
        assert answer.json()["reason"] != answer.json()["reason_ru"]
    assert codes(api) == []


def test_a_label_that_cannot_be_drawn_names_field_and_reason_and_prints_nothing(api: Api) -> None:
    nurse = api.world.get("users", "u-nurse")
    api.world.do(lambda unit: unit.users.put(replace(nurse, name="王小明")))
    answer = api.post(Role.TECHNICIAN, "/api/labels", label="badge", subject="u-nurse").json()
    assert answer["refused"] == "label"
    assert "name: the label font cannot print" in answer["reason"]
    assert "имя: в шрифте этикетки нет знака" in answer["reason_ru"]
    api.world.do(lambda unit: unit.users.put(replace(nurse, badge="Бейдж")))
    assert "code: " in api.post(Role.TECHNICIAN, "/api/labels", label="badge", subject="u-nurse").json()["reason"]
    assert codes(api) == []


def test_what_may_be_asked_for_is_listed_without_a_code_of_anybody(api: Api) -> None:
    board = api.get(Role.PHARMACIST, "/api/labels")
    assert {row["subject"] for row in board.json()["badges"]} >= {"u-nurse", "u-head"}
    assert "u-left" not in board.text
    assert "badge-nurse" not in board.text
    assert len(board.json()["commands"]) == len(CARDS) + 4


def test_the_page_shows_a_button_for_each_in_both_languages(api: Api) -> None:
    buttons = sum(len(rows) for rows in api.get(Role.TECHNICIAN, "/api/labels").json().values())
    for language, word in (("ru", "Карточки команд"), ("en", "Command cards")):
        page = api.client.get(f"/labels?language={language}", headers=api.headers(Role.TECHNICIAN))
        assert page.status_code == 200
        assert word in page.text
        assert page.text.count("data-label=") == buttons
