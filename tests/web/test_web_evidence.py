"""Pages of kept pictures: shown where they are whole, told where they were removed, damaged or lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from web_plant import WebPlant

from hub.adapters.evidence_retention import EvidenceRetention
from hub.domain.evidence import EvidenceRules
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict
from hub.domain.people import Role
from hub.services.evidence import name_frames
from hub.services.ports import UnitOfWork

FRAME = b"\xff\xd8 a frame"


@pytest.fixture
def digests(plant: WebPlant) -> tuple[str, ...]:
    """Keep a whole frame, a damaged one, a lost one and one that was removed by its rule, all of pack EVIDENCE1."""
    hub, pack = plant.hub, PackSerial("EVIDENCE1")
    kept = hub.evidence.keep_all((FRAME, b"damaged", b"lost", b"removed")).digests
    hub.writer.submit("system", lambda unit: name_frames(unit, pack, Verdict.LOOK, kept[:3])).result()
    hub.writer.submit("system", lambda unit: name_frames(unit, pack, Verdict.PASS, kept[3:])).result()
    (hub.settings.data_dir / "evidence" / f"{kept[1]}.jpg").write_bytes(b"something else")
    hub.evidence.remove(kept[2])
    return kept


def remove_passes(plant: WebPlant) -> None:
    """Let a retention of one day go by for what was kept of passes."""
    hub = plant.hub

    def age(unit: UnitOfWork) -> None:
        frames = unit.kept_frames.where(verdict=Verdict.PASS, removed_at=None)
        unit.kept_frames.put_many([replace(frame, kept_at=frame.kept_at - timedelta(days=2)) for frame in frames])

    hub.writer.submit("system", age).result()
    EvidenceRetention(hub.writer, hub.evidence, EvidenceRules(pass_days=1)).work()


def test_a_pack_shows_its_pictures_and_says_what_became_of_the_others(plant: WebPlant, digests: tuple[str, ...]) -> None:
    remove_passes(plant)
    client = plant.client(Role.PHARMACIST)
    text = client.get("/evidence/EVIDENCE1?language=ru").text
    assert text.count("<img") == 1 and f'src="/api/evidence/{digests[0]}"' in text
    assert "повреждён" in text and "файла нет" in text and "по правилу хранения: 1 день." in text
    assert "by the rule of 1 day." in client.get("/evidence/EVIDENCE1?language=en").text
    assert "EVIDENCE1" in client.get("/evidence").text


def test_the_api_gives_the_picture_or_the_reason(plant: WebPlant, digests: tuple[str, ...]) -> None:
    remove_passes(plant)
    client = plant.client(Role.PHARMACIST)
    answers = [client.get(f"/api/evidence/{digest}") for digest in (*digests, "ab" * 31)]
    assert answers[0].content == FRAME and answers[0].headers["content-type"] == "image/jpeg"
    assert [(answer.status_code, answer.json()["refused"]) for answer in answers[1:]] == [
        (410, "evidence-damaged"), (410, "evidence-missing"), (410, "evidence-removed"), (404, "unknown"),
    ]  # fmt: skip


def test_pictures_are_for_those_who_decide(plant: WebPlant) -> None:
    assert plant.client(Role.NURSE).get("/evidence").status_code == 403
    assert plant.client(Role.NURSE).get("/evidence/EVIDENCE1").status_code == 403
