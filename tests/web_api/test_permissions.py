"""Every route asks for its right: each role may exactly what the one table says, and nobody anything without signing in."""

from typing import Any

import pytest

from hub.domain.people import Action, Role, may
from tests.web_api.api_client import Api

READS: tuple[tuple[str, Action], ...] = (
    ("/api/why/line/none", Action.READ_LINE), ("/api/look-alikes", Action.READ_LINE), ("/api/references", Action.DECIDE_REVIEWS), ("/api/references/pictures/none", Action.DECIDE_REVIEWS), ("/api/review", Action.READ_LINE), ("/api/review/statistics", Action.READ_LINE), ("/api/cassettes", Action.PACK), ("/api/labels", Action.PRINT_LABELS), ("/api/picks", Action.PACK), ("/api/reviews", Action.DECIDE_REVIEWS), ("/api/doubts", Action.DECIDE_REVIEWS), ("/api/rejects", Action.PACK),
    ("/api/requisitions", Action.PACK), ("/api/returns", Action.RETURN_PACKS), ("/api/trolleys", Action.READ_WARD),
    ("/api/wards", Action.READ_WARD), ("/api/ward/Therapy/round", Action.READ_WARD), ("/api/ledger/export", Action.READ_LEDGER),
    ("/api/gtins", Action.RECEIVE_STOCK), ("/api/evidence/none", Action.DECIDE_REVIEWS), ("/api/intake/lines", Action.READ_LINE), ("/api/intake/feeds", Action.READ_LINE), ("/api/codes", Action.READ_LINE),
    ("/api/returned", Action.RETURN_LINES), ("/api/returned/statistics", Action.RETURN_LINES), ("/api/trolleys/pull-list", Action.READ_WARD),
    ("/api/station", Action.DECIDE_REVIEWS), ("/api/station/misses", Action.READ_MISSES), ("/api/station/looking", Action.READ_LOOKING),
    ("/api/devices/packager-1/trace", Action.OPERATE_DEVICES), ("/api/devices/packager-1/trace.jsonl", Action.OPERATE_DEVICES),
    ("/api/devices/packager-1/support.zip", Action.OPERATE_DEVICES), ("/api/devices/packager-1/trace.pcapng", Action.OPERATE_DEVICES),
    ("/api/devices/packager-1/firmware", Action.OPERATE_DEVICES), ("/api/devices/packager-1/firmware/progress", Action.OPERATE_DEVICES),
    ("/api/devices/packager-1/jobs/" + "0" * 32, Action.OPERATE_DEVICES),
    ("/api/devices/camera-1/picture.jpg", Action.OPERATE_DEVICES), ("/api/devices/camera-1/set-up", Action.OPERATE_DEVICES),
)  # fmt: skip
COUNTED = {"device": "packager-1", "job": "none", "boot": 1, "asked_event": 1, "counted": 0, "reason": "r"}
WRITES: tuple[tuple[str, Action, dict[str, Any]], ...] = (
    ("/api/stock/receipts", Action.RECEIVE_STOCK, {"packs": []}),
    ("/api/gtins", Action.DECIDE_LINES, {"gtin": "1", "item": "NOTHING", "units": "1"}),
    ("/api/stock/recalls", Action.RECALL, {"item": "NOTHING", "lot": "L", "reason": "r"}),
    ("/api/cassettes/load", Action.LOAD_CASSETTES, {}),
    ("/api/look-alikes", Action.DECIDE_LINES, {"first": "none", "second": "nothing", "decision": "confirm", "reason": "r"}),
    ("/api/labels", Action.PRINT_LABELS, {"label": "badge", "subject": "nobody"}),
    ("/api/references", Action.DECIDE_LINES, {"item": "NOTHING", "lot": "L", "deed": "confirm", "shown": "0"}),
    ("/api/picks", Action.PACK, {"label": "NOBODY", "packs": ["x"]}), ("/api/picks/label", Action.PACK, {"label": "NOBODY"}),
    ("/api/reviews", Action.DECIDE_REVIEWS, {"review": "none", "decision": "reject"}),
    ("/api/station/show", Action.DECIDE_REVIEWS, {}),
    ("/api/station/decide", Action.DECIDE_REVIEWS, {"case": "none", "shown": "0", "decision": "reject", "reason": "r"}),
    ("/api/rejects", Action.PACK, {"pack": "NOBODY"}),
    ("/api/doubts/resolve", Action.DECIDE_REVIEWS, COUNTED), ("/api/doubts/end", Action.DECIDE_REVIEWS, COUNTED),
    ("/api/requisitions", Action.PACK, {"requisition": "none", "packs": ["x"]}),
    ("/api/trolleys/load", Action.LOAD_TROLLEY, {"trolley": "t", "drawer": "d", "pack": "p"}),
    ("/api/trolleys/pull", Action.LOAD_TROLLEY, {"trolley": "t", "pack": "p"}),
    ("/api/trolleys/seal", Action.LOAD_TROLLEY, {"trolley": "t", "seal": "s"}),
    ("/api/trolleys/dispatch", Action.LOAD_TROLLEY, {"trolley": "t"}),
    ("/api/trolleys/receive", Action.RECEIVE_TROLLEY, {"trolley": "t", "seal": "s"}),
    ("/api/trolleys/close", Action.RECEIVE_TROLLEY, {"trolley": "t"}),
    ("/api/handovers", Action.LOAD_TROLLEY, {"packs": ["p"], "receiver_badge": "b", "receiver_pin": "1234"}),
    ("/api/bedside/give", Action.ADMINISTER, {"patient_code": "w", "pack_code": "p"}),
    ("/api/bedside/give-ward", Action.ADMINISTER, {"patient_code": "w", "dose": "d", "source_code": "s"}),
    ("/api/bedside/not-given", Action.ADMINISTER, {"patient_code": "w", "pack_code": "p", "reason": "asleep"}),
    ("/api/returned/seen", Action.RETURN_LINES, {"returned": "none"}), ("/api/returned/pass-on", Action.RETURN_LINES, {"returned": "none", "to": "x"}),
    ("/api/returned/close", Action.RETURN_LINES, {"returned": "none", "reason": "r"}),
    ("/api/review/release", Action.DECIDE_LINES, {"order": "none", "rule": "tenfold", "about": "x", "reason": "r"}),
    ("/api/review/dose", Action.DECIDE_LINES, {"order": "none", "dose": "1", "reason": "r"}),
    ("/api/review/duration", Action.DECIDE_LINES, {"order": "none", "meaning": "course", "reason": "r"}),
    ("/api/review/withdraw", Action.DECIDE_LINES, {"order": "none", "ruling": "none", "reason": "r"}),
    ("/api/lines/allergy", Action.DECIDE_LINES, {"order": "none", "allergy": "x", "reason": "r"}),
    *((f"/api/lines/{rule}", Action.DECIDE_LINES, {"order": "none", "reason": "r"}) for rule in ("refuse", "withdraw", "validate")),
    ("/api/administrations/cancel", Action.CANCEL_ADMINISTRATION, {"patient_code": "w", "pack_code": "p", "truth": "here", "reason": "r"}),
    ("/api/devices/packager-1/lock", Action.SERVE_DEVICES, {"mode": "take"}),
    ("/api/devices/packager-1/self-test", Action.SERVE_DEVICES, {}),
    ("/api/devices/packager-1/jog", Action.SERVE_DEVICES, {"press": "press-01", "motor": "film", "direction": "back"}),
    ("/api/devices/packager-1/jog/release", Action.SERVE_DEVICES, {"press": "press-01"}),
    ("/api/devices/packager-1/firmware?event=event-0001", Action.SERVE_DEVICES, {}),
    ("/api/devices/camera-1/set-up", Action.SERVE_DEVICES, {}), ("/api/devices/camera-1/lights", Action.SERVE_DEVICES, {"light": "first"}),
    ("/api/maintenance", Action.OPERATE_DEVICES, {"ticket": "none", "reason": "r"}),
    ("/api/returns", Action.RETURN_PACKS, {"pack": "p", "condition": "sealed"}),
    ("/api/clock", Action.ADVANCE_CLOCK, {}),
    ("/api/codes/decide", Action.DECIDE_LINES, {"source": "hospital", "kind": "unit", "code": "nothing", "meaning": "mg"}),
    ("/api/intake/sheet?source=hospital&name=n", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/changes?source=hospital&name=n", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/discharges?source=hospital&name=n", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/allergies?source=hospital&name=n", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/preview?kind=sheet&source=hospital&name=n", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/take?kind=sheet&source=hospital&name=n&state=s", Action.RECEIVE_SHEETS, {}),
    ("/api/intake/alarms", Action.RECEIVE_SHEETS, {"alarm": "none", "reason": "r"}),
    ("/api/intake/held", Action.DECIDE_LINES, {"sheet": "0" * 64, "decision": "discard", "reason": "r"}),
)
OPEN = {"/api/session", "/api/state", "/api/events", "/api/openapi.json"}


def test_each_role_may_what_the_table_says(api: Api) -> None:
    until = {"until": "2026-03-02T12:00:00+03:00"}
    for role in Role:
        for path, action in READS:
            answer = api.get(role, path, **(until if path.endswith("round") else {}))
            assert (answer.status_code != 403) == may(role, action), (role, path, answer.status_code)
            assert answer.status_code < 500, (role, path)
        for path, action, body in WRITES:
            answer = api.post(role, path, **body)
            assert (answer.status_code != 403) == may(role, action), (role, path, answer.status_code)
            assert answer.status_code < 500, (role, path, answer.text)


def test_nobody_may_anything_without_signing_in(api: Api) -> None:
    assert {api.client.get(path).status_code for path, _ in READS} == {401}
    assert {api.client.post(path, json=body).status_code for path, _, body in WRITES} == {401}


def test_no_route_is_missing_here(api: Api) -> None:
    known = {path.split("?")[0] for path, *_ in (*READS, *WRITES)} | OPEN
    paths = {path.replace("{device}", "packager-1") for path in api.client.get("/api/openapi.json").json()["paths"]}
    missing = {path for path in paths if path.startswith("/api") and path not in known and "{" not in path}
    assert missing == set()


@pytest.mark.parametrize("token", ["", "nonsense", "é"])
def test_an_unknown_token_is_nobody(api: Api, token: str) -> None:
    assert api.client.get("/api/picks", headers={"authorization": f"Bearer {token}".encode()}).status_code == 401
