"""A pull from a FHIR server over real sockets: whole or nothing, no version twice, and no order ends because a list lacks it."""

import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from hub.adapters.feeds.fhir_pull import Cursor, read_cursor
from hub.domain.feeds import FeedSettings, SheetFormat
from hub.domain.refusals import Refusal
from hub.services.feeds import FAILING, HELD, REFUSED, UNLISTED
from tests.feeds.feed_world import SETTINGS, SOURCE, FeedWorld, feed_world
from tests.feeds.small_server import SmallServer, drop, failing, send


def filled(fhir: SmallServer, count: int = 5) -> None:
    for number in range(1, count + 1):
        fhir.order(f"o{number}", patient=f"p{number}")


def states(fed: FeedWorld) -> dict[str, str]:
    return {identity: order.state.value for identity, order in fed.orders().items()}


def cursor(fed: FeedWorld) -> Cursor:
    return read_cursor(fed.feed().cursor)


@pytest.mark.parametrize("r5", [False, True], ids=["R4", "R5"])
def test_all_pages_become_one_sheet_with_what_the_orders_refer_to(fed: FeedWorld, fhir: SmallServer, r5: bool) -> None:
    fhir.r5, fhir.token = r5, "a-token-of-the-test"
    filled(fhir)
    fed.pull(fhir.url, fhir.token).work()
    assert states(fed) == dict.fromkeys(("o1", "o2", "o3", "o4", "o5"), "active"), fed.alarms()
    assert {order.line.drug for order in fed.orders().values()} == {"PLAIN"}
    assert len(fhir.asked) == 3
    assert fhir.asked[0]["status"] == ["active"]
    assert fhir.asked[0]["_include"] == [f"MedicationRequest:{member}" for member in ("medication", "patient", "encounter")]
    assert (fed.feed().counts, fed.feed().problem, fed.alarms()) == ((5,), "", [])


@pytest.mark.parametrize("r5", [False, True], ids=["R4", "R5"])
def test_between_whole_lists_only_changes_are_pulled_and_each_version_once(fed: FeedWorld, fhir: SmallServer, r5: bool) -> None:
    fhir.r5 = r5
    filled(fhir)
    pull = fed.pull(fhir.url)
    pull.work()
    fhir.step(10)
    fed.later(minutes=10)
    fhir.order("o1", status="stopped")
    fhir.order("o2", patient="p2", amount=2)
    fhir.order("o6", patient="p6", drug="TWIN")
    pull.work()
    assert states(fed) == {"o1": "stopped", "o2": "active", "o3": "active", "o4": "active", "o5": "active", "o6": "active"}, fed.alarms()
    orders = fed.orders()
    assert (orders["o2"].version, orders["o2"].line.dose[0].amount, orders["o6"].line.drug) == (2, 2, "TWIN")
    assert "status" not in fhir.asked[-1]
    assert fhir.asked[-1]["_lastUpdated"] == ["gt2026-03-02T01:58:00.000Z"]
    entries = fed.entries()
    pull.work()
    assert fed.entries() == entries  # the overlap brings o1, o2 and o6 again, in the versions that are known
    fhir.step(1)
    fhir.order("o1", status="active", amount=3)
    pull.work()
    assert orders["o1"].version < fed.orders()["o1"].version
    assert fed.feed().counts == (5,)


@pytest.mark.parametrize("members", [("versionId", "lastUpdated"), ("lastUpdated",), ("versionId",), ()])
def test_a_server_without_versions_or_times_or_that_sends_everything_brings_no_version_twice(
    fed: FeedWorld, fhir: SmallServer, monkeypatch: pytest.MonkeyPatch, members: tuple[str, ...]
) -> None:
    filled(fhir)

    def forget() -> None:
        for resource in fhir.resources.values():
            resource["meta"] = {name: value for name, value in resource["meta"].items() if name in members}

    forget()
    monkeypatch.setattr(SmallServer, "_fits", staticmethod(lambda one, asked: True))
    pull = fed.pull(fhir.url)
    pull.work()
    fhir.step(10)
    pull.work()
    entries = fed.entries()
    fhir.step(10)
    pull.work()
    assert fed.entries() == entries
    fhir.resources["MedicationRequest/o1"]["status"] = "stopped"
    fhir.resources["MedicationRequest/o1"]["meta"] = {name: value for name, value in {"versionId": "2", "lastUpdated": fhir.now.isoformat()}.items() if name in members}
    pull.work()
    assert states(fed)["o1"] == "stopped"
    assert fed.kinds() == []


def test_the_cursor_is_kept_over_a_restart(tmp_path: Path, fhir: SmallServer) -> None:
    filled(fhir)
    with feed_world(tmp_path) as fed:
        fed.pull(fhir.url).work()
        kept = cursor(fed)
        assert kept.since == fhir.now
        assert kept.whole_on == "2026-03-02"
        fhir.asked.clear()
        fhir.step(10)
        fed.world.reopen()
        fed.desk._writer = fed.world.writer
        fed.pull(fhir.url).work()
        assert fhir.asked[0]["_lastUpdated"] == ["gt2026-03-02T01:58:00.000Z"]
        assert cursor(fed).since == kept.since + timedelta(minutes=10)


def test_a_cursor_that_cannot_be_read_begins_with_the_whole_list() -> None:
    for text in ("", "x", "[]", '{"since": 1, "seen": {}, "whole_on": ""}', '{"since": "", "seen": []}'):
        assert read_cursor(text) == Cursor()


def test_every_working_day_begins_with_the_whole_list_and_what_it_lacks_is_asked_about(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)
    pull = fed.pull(fhir.url)
    pull.work()
    fhir.step(24 * 60)
    fed.later(days=1)
    del fhir.resources["MedicationRequest/o5"]
    pull.work()
    assert fhir.asked[-1]["status"] == ["active"]
    assert states(fed)["o5"] == "active"
    assert fed.kinds() == [UNLISTED]
    assert "o5" in fed.alarms()[0].text
    assert fed.feed().counts == (5, 4)
    fhir.order("o5", patient="p5")
    pull.ask_for_all()
    pull.work()
    assert fed.kinds() == []


def test_a_stop_from_the_night_when_nobody_asked_is_heard_before_the_whole_list(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)
    fed.pull(fhir.url).work()
    fhir.step(12 * 60)
    fhir.order("o5", patient="p5", status="stopped")
    fhir.step(12 * 60)
    fed.later(days=1)
    fed.pull(fhir.url).work()
    assert [("status" in asked, "_lastUpdated" in asked) for asked in fhir.asked if "page" not in asked] == [(True, False), (False, True), (True, False)]
    assert states(fed)["o5"] == "stopped"
    assert fed.kinds() == []  # that the list lacks it is no question
    assert (cursor(fed).since, cursor(fed).whole_on, fed.feed().counts) == (fhir.now, "2026-03-03", (5, 4))


def test_a_stump_of_a_list_is_held_and_an_empty_one_is_a_fault_of_the_server(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)
    pull = fed.pull(fhir.url)
    pull.work()
    before = states(fed)
    fhir.step(24 * 60)
    fed.later(days=1)
    for number in range(2, 6):
        del fhir.resources[f"MedicationRequest/o{number}"]
    pull.work()
    assert fed.kinds() == [HELD]
    assert states(fed) == before
    fed.later(days=1)
    fhir.resources.clear()
    pull.work()
    assert fed.kinds() == [HELD, FAILING]
    assert "the server lists no active order at all" in fed.alarms()[1].text
    assert states(fed) == before


def test_a_resource_that_is_edited_between_two_pages_counts_in_its_newer_version(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)

    def edit(page: int) -> None:
        if page == 1:
            fhir.step(1)
            later = fhir.resources.pop("MedicationRequest/o1")
            fhir.resources["MedicationRequest/o1"] = later
            fhir.order("o1", amount=2)

    fhir.before_page, fhir.total = edit, False
    fed.pull(fhir.url).work()
    assert fed.orders()["o1"].line.dose[0].amount == 2
    assert fed.orders()["o1"].version == 1


def test_a_list_that_moves_while_it_is_read_is_read_anew_and_never_taken_with_a_gap(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir, 7)
    leaving = ["o1", "o2", "o3"]

    def leave(page: int) -> None:
        if page == 1 and leaving:
            del fhir.resources[f"MedicationRequest/{leaving.pop(0)}"]

    fhir.before_page = leave
    pull = fed.pull(fhir.url)
    pull.work()
    assert fed.orders() == {}
    assert fed.feed().problem == "the list moved while it was read (first 5 orders, then 4)"
    pull.work()
    assert (set(fed.orders()), fed.kinds()) == ({"o4", "o5", "o6", "o7"}, [])


def test_a_list_that_is_shorter_than_it_says_does_not_count(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir, 2)
    fhir.faults += [lambda request: send(request, 200, {**fhir._bundle({}, 0), "total": 30})] * 3
    pull = fed.pull(fhir.url)
    pull.work()
    assert (fed.orders(), fed.feed().problem) == ({}, "the server tells of 30 orders and brings 2")
    fhir.faults.append(lambda request: send(request, 200, {**fhir._bundle({}, 0), "total": len(fhir.resources)}))
    pull.work()  # it counts the included ones, too
    assert (len(fed.orders()), fed.kinds()) == (2, [])


@pytest.mark.parametrize("fault", [drop, failing(503), failing(429, Retry_After="7"), failing(500)])
def test_a_page_that_fails_is_asked_for_again(fed: FeedWorld, fhir: SmallServer, fault: object) -> None:
    filled(fhir)
    fhir.before_page = lambda page: fhir.faults.append(fault) if page == 0 else None  # type: ignore[arg-type]
    fed.pull(fhir.url).work()
    assert len(fed.orders()) == 5
    assert fed.waits in ([1.0], [7.0])
    assert len(fhir.asked) == 4
    assert fhir.asked[1] == fhir.asked[2]
    assert fed.kinds() == []


def test_a_server_that_stays_away_leaves_everything_as_it_was_and_is_told_once(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)
    pull = fed.pull(fhir.url)
    pull.work()
    before = fed.orders()
    fed.later(days=1)
    for _ in range(2):
        fhir.faults += [failing(503), failing(503), failing(503)]
        pull.work()
    assert fed.waits == [1.0, 2.0, 1.0, 2.0]
    assert fed.kinds() == [FAILING]
    assert f"{fhir.url}/MedicationRequest: the server answers 503" in fed.alarms()[0].text
    assert f"{fhir.url}/MedicationRequest: сервер отвечает 503" in fed.alarms()[0].text_ru
    assert fed.orders() == before
    pull.work()
    assert fed.kinds() == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (failing(410), "the server answers 410 (this page is gone; the list has to be read from its beginning)"),
        (failing(401), "401 (it does not accept the token)"),
        (failing(404), "404 (there is nothing at this address)"),
        (failing(302, Location="http://elsewhere.example/fhir?x=1"), "302 (it points to another address (http://elsewhere.example/fhir), which is not followed"),
        (failing(429, Retry_After="3600"), "429 (it asks to be left alone for now), for 3600 s"),
        (lambda request: send(request, 400, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "no such include"}]}), "no such include"),
        (lambda request: send(request, 200, {"resourceType": "Bundle", "type": "batch"}), "the answer is Bundle batch, not a searchset"),
        (lambda request: send(request, 200, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "fatal", "code": "timeout"}]}}]}), "the server reports a failure: timeout"),
        (lambda request: send(request, 200, {"x": "y" * 300_000}), "the page has more than 200000 bytes"),
    ],
)  # fmt: skip
def test_an_answer_that_will_not_get_better_is_named_at_once(fed: FeedWorld, fhir: SmallServer, fault: object, words: str) -> None:
    filled(fhir)
    fhir.before_page = lambda page: fhir.faults.append(fault) if page == 0 else None  # type: ignore[arg-type]
    fed.pull(fhir.url).work()
    assert (fed.orders(), fed.waits, fed.kinds()) == ({}, [], [FAILING])
    assert words in fed.feed().problem


def test_a_next_page_at_another_host_or_in_a_circle_is_not_read(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)
    pull = fed.pull(fhir.url)
    fhir.next_link = lambda _: "http://127.0.0.1:1/fhir/MedicationRequest?page=1"
    pull.work()
    assert "the next page is at another host (http://127.0.0.1:1/fhir/MedicationRequest), which is not asked" in fed.feed().problem
    fhir.next_link = lambda url: url.replace("page=2", "page=1")
    pull.work()
    assert "the pages go round in a circle" in fed.feed().problem
    fhir.next_link = lambda url: url.removeprefix(fhir.url.removesuffix("/fhir"))
    pull.work()
    assert (len(fed.orders()), fed.kinds()) == (5, [])


def test_pages_without_end_are_not_read_without_end(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir)

    def endless(request: BaseHTTPRequestHandler) -> None:
        fhir.faults.append(endless)
        page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": f"{fhir.url}/MedicationRequest?page={len(fhir.asked)}"}]}
        send(request, 200, page)

    fhir.faults.append(endless)
    fed.pull(fhir.url).work()
    assert "there are more than 20 pages" in fed.feed().problem
    assert len(fhir.asked) == 20


def test_a_server_nobody_listens_at_is_named(fed: FeedWorld) -> None:
    fed.pull("http://127.0.0.1:1/fhir").work()
    assert "http://127.0.0.1:1/fhir/MedicationRequest: no whole answer (ConnectError" in fed.feed().problem
    assert "?" not in fed.feed().problem


def test_what_cannot_be_taken_moves_no_cursor_and_the_whole_list_is_read_again(tmp_path: Path, fhir: SmallServer) -> None:
    filled(fhir)
    with feed_world(tmp_path, replace(SETTINGS, format=SheetFormat.TABLE)) as fed:
        fed.pull(fhir.url).work()
        assert (fed.orders(), cursor(fed), sorted(fed.kinds())) == ({}, Cursor(), [FAILING, REFUSED])
        assert "it is fhir, and hospital is set up to send table" in fed.feed().problem
    with feed_world(tmp_path) as fed:
        fed.pull(fhir.url).work()
        assert (len(fed.orders()), fed.kinds()) == (5, [])


def test_a_stop_of_a_server_whose_clock_is_ahead_does_not_wait(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir, 2)
    pull = fed.pull(fhir.url)
    pull.work()
    fhir.step(6 * 60)
    fhir.order("o1", status="stopped")
    pull.work()
    assert states(fed) == {"o1": "stopped", "o2": "active"}


def test_exact_amounts_stay_exact_on_the_way(fed: FeedWorld, fhir: SmallServer) -> None:
    filled(fhir, 1)
    pull = fed.pull(fhir.url)
    pull.work()
    fhir.step(5)
    fhir.order("o1", amount=0.1)
    pull.work()
    assert str(fed.orders()["o1"].line.dose[0].amount) == "1/10"


def test_the_worker_pulls_by_itself_and_again_after_a_hint(tmp_path: Path, fhir: SmallServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.adapters.feeds.feed_desk.BETWEEN_PULLS_S", 0.0)
    filled(fhir)
    pulled = threading.Semaphore(0)
    fhir.before_page = lambda page: pulled.release() if page == 0 else None
    settings = FeedSettings(SOURCE, fhir_url=fhir.url, pull_every_minutes=1440, least_share=SETTINGS.least_share)
    with feed_world(tmp_path, settings, hint_token="hint") as fed:
        ((worker, end),) = fed.desk.workers()
        worker.start()
        assert pulled.acquire(timeout=20)
        assert isinstance(fed.desk.hint(SOURCE, "wrong", b""), Refusal)
        assert fed.desk.hint(SOURCE, "hint", b"") is None
        assert pulled.acquire(timeout=20)
        fed.desk.end()
        worker.stop()
        end()
        assert fed.feed().problem == ""
