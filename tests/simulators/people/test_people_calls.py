"""How people reach hub and machines when these are slow, gone or of another opinion."""

from people_plant import HANG_UP, Plant

from simulators.people.calls import ATTEMPTS
from simulators.people.crew import Report


def test_a_write_keeps_its_event_id_when_the_connection_breaks(plant: Plant) -> None:
    plant.hub.on("POST", "/api/picks", HANG_UP, HANG_UP, (200, {"released": "S1"}))
    assert plant.crew.hub.write("technician", "/api/picks", label="S1", packs=["p1"]).ok
    events = [body["event"] for body in plant.hub.bodies("/api/picks")]
    assert len(events) == 3
    assert len(set(events)) == 1
    assert plant.pauses == [0.1, 0.2]


def test_two_writes_never_share_an_event_id(plant: Plant) -> None:
    for _ in range(5):
        plant.crew.hub.write("technician", "/api/picks")
    assert len({body["event"] for body in plant.hub.bodies("/api/picks")}) == 5


def test_the_tries_are_bounded(plant: Plant) -> None:
    plant.hub.on("POST", "/api/picks", HANG_UP)
    reply = plant.crew.hub.write("technician", "/api/picks")
    assert (reply.ok, reply.status) == (False, 0)
    assert len(plant.hub.bodies("/api/picks")) == ATTEMPTS
    assert 20 < sum(plant.pauses) < 22


def test_a_session_that_ended_is_opened_again_and_the_write_repeated(plant: Plant) -> None:
    plant.hub.on("POST", "/api/session", (200, {"token": "fresh"}))
    plant.hub.on("POST", "/api/picks", (401, {"detail": "expired"}), (200, {"released": "S1"}))
    assert plant.crew.hub.write("technician", "/api/picks").ok
    assert plant.hub.callers("/api/picks") == ["token-badge-technician", "fresh"]
    first, second = plant.hub.bodies("/api/picks")
    assert first == second


def test_a_hand_movement_that_may_have_happened_is_not_repeated(plant: Plant) -> None:
    plant.packager.on("POST", "/cassettes/7", HANG_UP)
    assert not plant.crew.packager.post("/cassettes/7", {"count": 10}).ok
    assert len(plant.packager.bodies("/cassettes/7")) == 1


def test_a_hand_waits_for_the_power_of_a_machine(plant: Plant) -> None:
    plant.packager.on("POST", "/output/take", (409, {"error": "the power is off"}), (200, []))
    assert plant.crew.packager.post("/output/take").ok
    assert plant.pauses == [0.1]


def test_troubles_are_kept_once_each_and_bounded() -> None:
    report = Report("done")
    for number in range(150):
        report.trouble(f"call {number}", "500")
        report.trouble("always", "the same")
    answer = report.answer()
    assert len(answer["troubles"]) == 100
    assert answer["troubles_left_out"] >= 51
    assert answer["done"] == 0
