"""The pages in a real browser, worked as people do: with a scanner that types, without a mouse, with a network that fails."""

from browser import Browser
from web_plant import PIN, WebPlant, bring_to_ward, entries, wards_of

from hub.domain.packs import PackState
from hub.domain.people import Role

CYRILLIC = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ФИСВУАПРШОЛДЬТЩЗЙКЫЕГМЦЧНЯ", strict=True))
RESULT = "document.getElementById('result').className + '|' + document.getElementById('result').innerText"


def sign_in(page: Browser, plant: WebPlant, role: Role, path: str, language: str = "en") -> None:
    page.call("Network.setCookie", name="dosehub_language", value=language, url=plant.url)
    page.open(plant.url + "/sign-in")
    page.wait_for("document.activeElement.id === 'badge'")
    page.type(f"T-{role.value}")
    page.wait_for("document.activeElement.id === 'pin'")
    page.type(PIN)
    page.wait_for("location.pathname !== '/sign-in'")
    page.open(plant.url + path)


def result(page: Browser, look: str, words: str) -> None:
    page.wait_for(f"({RESULT}).includes('result-{look}') && ({RESULT}).includes({words!r})", 15)


def type_cyrillic(page: Browser, text: str) -> None:
    """Type as the scanner does while the keyboard is switched to Russian."""
    for character in text:
        key = CYRILLIC.get(character, character)
        code = f"Key{character}" if character.isalpha() else f"Digit{character}"
        page.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key, code=code, modifiers=8)
        page.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)
    page.press("Enter")


def offline(page: Browser, is_off: bool) -> None:
    page.call("Network.emulateNetworkConditions", offline=is_off, latency=0, downloadThroughput=-1, uploadThroughput=-1)


def test_a_trolley_is_loaded_by_scans_alone(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}")
    alone, with_drawer, wrong = plant.ready[:3]
    page.type(alone.serial)
    result(page, "ok", f"{alone.serial} into drawer {alone.drawer}")
    page.type(with_drawer.drawer)
    result(page, "run", f"Drawer {with_drawer.drawer}. Now scan its pack.")
    page.type(with_drawer.serial, end="Tab")
    result(page, "ok", with_drawer.serial)
    page.type(alone.serial)
    result(page, "stop", "only a released pack is loaded")
    page.type("NOTOURPACK12")
    result(page, "stop", "No pack has the serial NOTOURPACK12")
    type_cyrillic(page, wrong.serial)
    result(page, "ok", wrong.serial)
    assert [entry["pack"] for entry in entries(plant, "pack-loaded")] == [
        alone.serial,
        with_drawer.serial,
        wrong.serial,
    ]


def test_a_pack_scanned_into_another_drawer_is_refused_in_words(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}")
    other = page.evaluate(
        f"[...document.querySelectorAll('[data-drawer]')].map(d => d.dataset.drawer).find(d => d !== {plant.ready[0].drawer!r})"
    )
    page.type(other)
    result(page, "run", "Now scan its pack")
    page.type(plant.ready[0].serial)
    result(page, "stop", f"drawer {plant.ready[0].drawer}")
    assert entries(plant, "pack-loaded") == []


def test_a_trolley_is_emptied_of_revoked_packs_sealed_and_sent(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}")
    page.type("seal")
    result(page, "wait", "stay behind and go by hand")
    page.type("S-4711")
    result(page, "stop", "Take out first what was revoked")
    page.type(plant.pulled.serial)
    result(page, "ok", "is out")
    page.type("SEAL")
    result(page, "wait", "Scan the number of the seal")
    page.press("Escape")
    page.type("SEAL")
    page.type("S-4711")
    result(page, "ok", "Sealed with S-4711")
    page.wait_for("document.querySelector('button[data-act=dispatch]')")
    page.type("DISPATCH")
    result(page, "ok", "on its way")
    assert entries(plant, "trolley-sealed")[0]["seal"] == "S-4711"


def test_half_a_code_survives_the_renewal_of_the_board(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    sign_in(page, plant, Role.TECHNICIAN, f"/trolley?id={plant.loaded.trolley}")
    mine, others = plant.ready[:2]
    page.type(mine.serial[:6], end="")
    body = {"event": "of-another-person", "trolley": others.trolley, "drawer": others.drawer, "pack": others.serial}
    assert plant.client(Role.PHARMACIST).post("/api/trolleys/load", json=body).status_code == 200
    page.wait_for(f"document.querySelector('[data-pack=\"{others.serial}\"]').dataset.place === 'in'")
    assert page.evaluate("document.activeElement.id") == "code"
    page.type(mine.serial[6:])
    result(page, "ok", mine.serial)


def test_wristband_then_pack_and_only_then_it_is_given(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    pack = bring_to_ward(plant)[0]
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    page.type(pack.serial)
    result(page, "stop", "Scan the patient")
    stranger = page.evaluate(
        f"[...document.querySelectorAll('[data-patient]')].map(p => p.dataset.patient).find(p => p !== {pack.patient!r})"
    )
    page.type(stranger)
    result(page, "run", "Scan the pack")
    page.type(pack.serial)
    result(page, "stop", "not for")
    page.type(pack.patient)
    result(page, "run", "Scan the pack")
    page.type(pack.serial)
    result(page, "ok", "Given.")
    assert [entry["dose"] for entry in entries(plant, "dose-given")] == list(pack.doses)


def test_a_scan_without_network_is_kept_and_given_once(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    pack = bring_to_ward(plant)[0]
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    page.type(pack.patient)
    result(page, "run", "Scan the pack")
    offline(page, True)
    page.type(pack.serial)
    result(page, "wait", "has not answered yet")
    assert "Not answered yet: 1" in page.evaluate("document.getElementById('pending').innerText")
    offline(page, False)
    result(page, "ok", "Given.")
    assert page.evaluate("sessionStorage.getItem('dosehub-unanswered')") == "[]"
    assert len(entries(plant, "dose-given")) == len(pack.doses)


def test_an_answer_lost_with_the_page_is_asked_for_again_with_the_same_event(
    page: Browser, fresh_plant: WebPlant
) -> None:
    plant = fresh_plant
    pack = bring_to_ward(plant)[0]
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    body = {"event": "sent-but-never-heard", "patient_code": pack.patient, "pack_code": pack.serial}
    assert plant.client(Role.NURSE).post("/api/bedside/give", json=body).status_code == 200
    kept = [{"path": "/api/bedside/give", "body": body, "user": page.evaluate("document.body.dataset.user")}]
    page.evaluate(f"sessionStorage.setItem('dosehub-unanswered', JSON.stringify({kept!r}))")
    page.open(plant.url + f"/ward/round?department={wards_of(plant)}")
    result(page, "ok", "is recorded")
    assert page.evaluate("sessionStorage.getItem('dosehub-unanswered')") == "[]"
    assert len(entries(plant, "dose-given")) == len(pack.doses)


def test_what_another_person_left_is_not_sent_in_this_ones_name(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    pack = bring_to_ward(plant)[0]
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    body = {"event": "left-by-another", "patient_code": pack.patient, "pack_code": pack.serial}
    page.evaluate(
        f"sessionStorage.setItem('dosehub-unanswered', JSON.stringify({[{'path': '/api/bedside/give', 'body': body, 'user': 'x'}]!r}))"
    )
    page.open(plant.url + f"/ward/round?department={wards_of(plant)}")
    result(page, "stop", "of another person")
    assert entries(plant, "dose-given") == []


def test_not_given_needs_a_tapped_reason_and_no_scan_can_choose_one(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    pack = bring_to_ward(plant)[0]
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    page.wait_for(f"document.querySelector('[data-pack=\"{pack.serial}\"] [data-act=not-given]:not(:disabled)')")
    page.evaluate(f"document.querySelector('[data-pack=\"{pack.serial}\"] [data-act=not-given]').click()")
    page.wait_for("document.getElementById('reason-dialog').open")
    page.type(pack.serial)
    assert page.evaluate("document.getElementById('reason-dialog').open")
    assert entries(plant, "dose-not-given") == []
    page.evaluate("document.querySelector('[data-reason=asleep]').click()")
    result(page, "ok", "Recorded as not given: The patient sleeps")
    assert {entry["reason"] for entry in entries(plant, "dose-not-given")} == {"asleep"}


def test_the_line_is_worked_with_one_scan_field(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    pick = plant.hub.writer.submit_read(
        lambda unit: next(p for p in unit.packs.where(state=PackState.EXPECTED) if p.job is None)
    ).result()
    codes = plant.hub.writer.submit_read(
        lambda unit: [unit.source_packs.where(lot=c.lot)[0].code for c in pick.contents]
    ).result()
    sign_in(page, plant, Role.TECHNICIAN, "/line")
    page.type(pick.serial)
    result(page, "run", "Scan the source pack")
    page.type("SP-WRONG")
    result(page, "stop", "was never received")
    for code in codes:
        page.type(code)
    result(page, "ok", f"Bag {pick.serial} is filled and released.")
    page.type(plant.rejected.serial)
    result(page, "ok", "is in the reject bin")
    page.type("NOTOURPACK12")
    result(page, "stop", "is no bag to fill")


def pouch_in_doubt(page: Browser, plant: WebPlant) -> str:
    """Open the line and return what finds the card of the pouch in doubt."""
    sign_in(page, plant, Role.PHARMACIST, "/line")
    card = f"document.querySelector('.review[data-pack=\"{plant.quarantined.serial}\"]')"
    page.wait_for(f"{card}.querySelector('[data-act=reject]')")
    return card


def test_a_doubtful_pouch_is_accepted_after_a_timed_look_and_by_its_own_label_only(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    card = pouch_in_doubt(page, plant)
    for _ in range(2):
        page.type(plant.quarantined.serial)
        result(page, "wait", "look at it at the review station")
    page.evaluate(f"{card}.querySelector('a.accept').click()")
    page.wait_for(f"document.querySelector('[data-case]')?.dataset.pack === '{plant.quarantined.serial}'")
    page.type("CMDACCEPTN")
    result(page, "stop", "Look at this pouch for at least")
    page.wait_for("(bar => bar.value >= bar.max)(document.getElementById('looking'))", 15)
    page.type("CMDACCEPTN")
    result(page, "run", "Scan the label")
    page.type(plant.ready[0].serial)
    result(page, "stop", "scan the label of pouch")
    page.type(plant.quarantined.serial)
    result(page, "ok", "is accepted and released")
    assert entries(plant, "pack-released")[-1] == {"pack": plant.quarantined.serial, "by": "review"}


def test_a_doubtful_pouch_is_rejected_for_a_reason_that_was_tapped(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    card = pouch_in_doubt(page, plant)
    page.evaluate(f"{card}.querySelector('[data-act=reject]').click()")
    page.wait_for("document.getElementById('reject-dialog').open")
    page.type(plant.quarantined.serial)
    assert page.evaluate("document.getElementById('reject-dialog').open")
    page.evaluate("document.querySelector('[data-reason^=\"a tablet\"]').click()")
    result(page, "ok", "Rejected.")
    assert entries(plant, "review-decided")[0]["reason"] == "a tablet is broken"


TOO_SMALL = """[...document.querySelectorAll('button, .button, summary, input, nav a, a.tile')]
  .filter(e => e.type !== 'hidden' && e.getClientRects().length).map(e => [e.textContent.trim() || e.id, e.getBoundingClientRect()])
  .filter(([, r]) => r.right > 0 && (r.height < 48 || r.width < 48)).map(([name, r]) => `${name} ${r.width}x${r.height}`)"""


def test_targets_are_big_nothing_overflows_and_the_policy_is_kept(fresh_plant: WebPlant, page: Browser) -> None:
    plant = fresh_plant
    bring_to_ward(plant)
    sign_in(page, plant, Role.PHARMACIST, "/line")
    for path in ("/line", "/trolley", f"/trolley?id={plant.loaded.trolley}", "/devices", "/ledger", "/api/docs"):
        page.open(plant.url + path)
        assert page.evaluate(TOO_SMALL) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.size(390, 844, mobile=True)
    page.call("Network.clearBrowserCookies")
    sign_in(page, plant, Role.NURSE, f"/ward/round?department={wards_of(plant)}")
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_whose_session_ended_leads_to_the_sign_in_and_back(fresh_plant: WebPlant, page: Browser) -> None:
    plant, pack = fresh_plant, fresh_plant.ready[0]
    sign_in(page, plant, Role.TECHNICIAN, "/trolley")
    page.call("Network.clearBrowserCookies")
    body = {"event": "something-changes", "trolley": pack.trolley, "drawer": pack.drawer, "pack": pack.serial}
    assert plant.client(Role.PHARMACIST).post("/api/trolleys/load", json=body).status_code == 200
    page.wait_for("location.pathname === '/sign-in'")
    assert page.evaluate("document.querySelector('[name=next]').value") == "/trolley"
