"""Pages: who sees which, everything escaped, nothing inline, nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from web_plant import EVIL, EVIL_REASON, WebPlant, wards_of

from hub.domain.people import Action, Role, may

TEMPLATES = Path(__file__).parents[2] / "hub" / "web" / "templates"
STATIC = TEMPLATES.parent / "static"
PAGES = (
    ("/line", Action.READ_LINE),
    ("/line/board", Action.READ_LINE),
    ("/lines", Action.READ_LINE),
    ("/lines?outcome=rejected", Action.READ_LINE),
    ("/returned", Action.RETURN_LINES),
    ("/returned/board", Action.RETURN_LINES),
    ("/trolley/pull", Action.READ_WARD),
    ("/trolley", Action.READ_WARD),
    ("/trolley/board", Action.READ_WARD),
    ("/ward", Action.READ_WARD),
    ("/ward/round?department=X", Action.READ_WARD),
    ("/ward/board?department=X", Action.READ_WARD),
    ("/devices", Action.READ_LINE),
    ("/devices/board", Action.READ_LINE),
    ("/devices/packager-1", Action.READ_LINE),
    ("/devices/packager-1/board", Action.READ_LINE),
    ("/look-alikes", Action.READ_LINE),
    ("/labels", Action.PRINT_LABELS),
    ("/packs", Action.RECEIVE_STOCK),
    ("/evidence", Action.DECIDE_REVIEWS),
    ("/evidence/NONE", Action.DECIDE_REVIEWS),
    ("/ledger", Action.READ_LEDGER),
    ("/ledger?about=X", Action.READ_LEDGER),
)


class Parsed(HTMLParser):
    """What a page is made of: inline code and styles, addresses, labels, ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.inputs: list[dict[str, str]] = []
        self.images: list[dict[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = {name: value or "" for name, value in attrs}
        self.inline += [f"{tag} {name}" for name in members if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in members):
            self.inline.append(f"<{tag}>")
        self.addresses += [members[name] for name in ("src", "href", "action", "data-live") if name in members]
        self.ids += [members["id"]] if "id" in members else []
        self.labelled += [members["for"]] if tag == "label" else []
        if tag == "input" and members.get("type") != "hidden":
            self.inputs.append(members)
        if tag == "img":
            self.images.append(members)


def every_page(plant: WebPlant) -> dict[str, str]:
    paths = ["/line", "/lines", f"/why/pack/{plant.loaded.serial}", f"/why/dose/{plant.loaded.doses[0]}", f"/why/lane/{plant.loaded.doses[0]}"]
    paths += ["/returned", "/trolley/pull", "/trolley", f"/trolley?id={plant.loaded.trolley}", "/devices", "/ledger", "/api/docs", "/ward"]
    paths += [f"/ledger?about={plant.loaded.serial}", f"/ward/round?department={wards_of(plant)}"]
    texts = {path: plant.read(Role.PHARMACIST, path) for path in paths}
    texts["nurse's round"] = plant.read(Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    texts["engineer's console"] = plant.read(Role.ENGINEER, "/devices/packager-1")
    texts["sign in"] = plant.client().get("/sign-in").text
    texts["refused"] = plant.client(Role.NURSE).get("/line").text
    return texts


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_exactly_the_pages_it_may(plant: WebPlant, role: Role) -> None:
    client = plant.client(role)
    seen = {path: client.get(path).status_code for path, _ in PAGES}
    assert seen == {path: 200 if may(role, action) else 403 for path, action in PAGES}


@pytest.mark.parametrize("path", [path for path, _ in PAGES] + ["/"])
def test_nobody_sees_a_page_without_signing_in(plant: WebPlant, path: str) -> None:
    answer = plant.client().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")


@pytest.mark.parametrize("role", list(Role))
def test_everybody_is_led_to_a_page_of_their_own(plant: WebPlant, role: Role) -> None:
    client = plant.client(role)
    home = client.get("/")
    assert home.status_code == 303
    assert client.get(home.headers["location"]).status_code == 200


def test_links_lead_only_where_one_may_go(plant: WebPlant) -> None:
    nurse = plant.read(Role.NURSE, "/ward")
    assert 'href="/ledger"' not in nurse
    assert 'href="/line"' not in nurse
    assert 'href="/trolley"' in nurse


def test_a_refused_page_says_why_in_words(plant: WebPlant) -> None:
    answer = plant.client(Role.NURSE).get("/ledger")
    assert answer.status_code == 403
    assert "A nurse may not read ledger" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_missing_page_is_a_page_and_a_missing_call_is_json(plant: WebPlant) -> None:
    client = plant.client(Role.PHARMACIST)
    assert "There is no such page" in client.get("/nothing").text
    assert client.get("/api/nothing").json()["refused"] == "error"


def test_the_reference_needs_no_session_and_names_every_call(plant: WebPlant) -> None:
    text = plant.client().get("/api/docs").text
    for path in plant.app.openapi()["paths"]:
        assert f"<code>{path}</code>" in text


def test_a_patient_named_script_is_text_on_the_round(plant: WebPlant) -> None:
    plant.hub.clock.step(plant.ready[0].due)  # type: ignore[attr-defined]
    text = plant.read(Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    assert EVIL not in text
    assert "&lt;script&gt;alert(" in text


def test_a_reason_with_markup_is_text_on_the_board(plant: WebPlant) -> None:
    text = plant.read(Role.PHARMACIST, "/line")
    assert EVIL_REASON not in text
    assert "onerror=alert(1)&gt;" in text


def test_what_was_asked_for_is_text_on_the_answer(plant: WebPlant) -> None:
    client = plant.client(Role.PHARMACIST)
    for path in ("/ledger?about=", "/ledger?kind=", "/ward/round?department=", "/sign-in?next=/"):
        assert EVIL not in client.get(path + EVIL).text


def test_no_page_carries_code_or_style_in_itself(plant: WebPlant) -> None:
    for name, text in every_page(plant).items():
        assert Parsed(text).inline == [], name


def test_every_address_on_every_page_is_of_this_hub(plant: WebPlant) -> None:
    for name, text in every_page(plant).items():
        addresses = Parsed(text).addresses
        assert addresses
        assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses), name


def test_every_field_has_a_label_every_picture_words_and_every_id_is_there_once(plant: WebPlant) -> None:
    for name, text in every_page(plant).items():
        page = Parsed(text)
        assert {field.get("id") for field in page.inputs} <= set(page.labelled), name
        assert all(image.get("alt") for image in page.images), name
        assert len(page.ids) == len(set(page.ids)), name


def test_pages_forbid_code_of_others_and_are_not_kept(plant: WebPlant) -> None:
    answer = plant.client(Role.PHARMACIST).get("/line")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_shipped_names_another_host() -> None:
    for path in [*TEMPLATES.iterdir(), *STATIC.iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z]+\.", text), path.name
        assert "eval(" not in text, path.name
        assert "innerHTML" not in text, path.name


def test_static_files_are_asked_for_again_after_an_upgrade(plant: WebPlant) -> None:
    answer = plant.client().get("/static/line.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
