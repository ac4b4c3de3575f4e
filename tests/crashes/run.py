"""One day of a ward on a plant that crashes, and what the strangers who check it say."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.writer import Writer
from hub.bootstrap import house_of
from hub.demo.api import HubClient, Refused
from hub.demo.case import PEOPLE, PIN, DayCase, Upload
from hub.demo.day import Day, DayResult, Stuck
from hub.demo.plant import PlantFailure
from hub.demo.run import set_up, summarise
from hub.demo.stopwatch import Stopwatch
from hub.domain.refusals import Refusal
from hub.services.ports import UnitOfWork
from hub.settings import HubSettings
from tests.crashes.answers import Answers, Monitor
from tests.crashes.crasher import Crasher, Toll
from tests.crashes.plant import CrashingPlant, HeldHub, HeldPeople

Take = Callable[[UnitOfWork, str, str, bytes], dict[str, Any] | Refusal]
STORIES = 5
DOSE_ENDS = frozenset(f"dose-{end}" for end in ("given", "returned", "wasted", "cancelled", "missed", "unfulfillable", "lost"))


@dataclass
class CrashedDay:
    """What came of one day: `wrong` says everything that must not be."""

    toll: Toll
    doses: int = 0
    in_doubt: int = 0
    lost: int = 0
    doubled: int = 0
    entries: int = 0
    seconds: float = 0.0
    ended_by_themselves: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was lost or doubled, and nothing else is wrong."""
        return not (self.wrong or self.lost or self.doubled)


def crash_day(folder: Path, case: DayCase, kills: int, seed: int, tell: Callable[[str], None]) -> CrashedDay:
    """Run a day, kill so many processes in it if it lasts that long, and have it checked; the plant has ended when this returns."""
    plant = CrashingPlant(folder, "max", seed, "mild")
    started_s = time.monotonic()
    set_up(folder, case)
    try:
        result = _run(plant, case, kills, seed, tell)
        plant.stop(["people", "bridge", "packager"])
        _judge(result, plant, case)
    finally:
        plant.stop()
    result.seconds = time.monotonic() - started_s
    result.ended_by_themselves = plant.ended_by_themselves
    return result


def _run(plant: CrashingPlant, case: DayCase, kills: int, seed: int, tell: Callable[[str], None]) -> CrashedDay:
    plant.start_devices()
    url, watch = plant.start_hub(plant.folder, case.starts_at, case.zone, case.language), Stopwatch()
    people, monitor = HeldPeople(plant.start_people(url), watch), Monitor(plant.broker_url)
    badge = PEOPLE["system"][2]
    hub, onlooker = HeldHub(url, badge, PIN, watch), HubClient(url, badge, PIN, Stopwatch())
    plant.clock = lambda: hub.clock or case.starts_at
    crasher = Crasher(plant, people, hub, Answers(plant, onlooker, monitor), case.starts_at, kills, str(seed))
    result = CrashedDay(crasher.toll)

    def progress(text: str, _done: int, _of: int) -> None:
        tell(f"{text} {len(crasher.toll.answered)} kills")

    supervisor = plant.supervise()
    crasher.start()
    day = Day(case, plant, hub, people, progress)
    try:
        day.run()
    except (Stuck, Refused, PlantFailure) as error:
        result.wrong.append(f"the day broke off: {error}")
    finally:
        crasher.stop()
        plant.release()
        supervisor.join()
        monitor.close()
    if crasher.toll.failure:
        result.wrong.append(f"a process did not come back: {crasher.toll.failure}")
    result.troubles = [*people.troubles, *day.result.problems]
    for each in (hub, onlooker, people):
        each.close()
    return result


def _judge(result: CrashedDay, plant: CrashingPlant, case: DayCase) -> None:
    """Have the invariants and the independent checker judge the day by the ledger's export and the truth files."""
    summary = summarise(plant.folder, plant, case, DayResult(), 0.0)
    entries = [json.loads(line) for line in (plant.folder / "ledger.ndjson").read_text(encoding="utf-8").splitlines()]
    ends = Counter(entry["data"]["dose"] for entry in _counting(entries) if entry["kind"] in DOSE_ENDS)
    facts = {entry["data"]["dose"]: entry["data"] for entry in entries if entry["kind"] == "dose-planned"}
    planned = facts.keys()
    result.doses, result.entries, result.in_doubt = len(planned), len(entries), summary["doubts"]["told"]
    wanted = planned_by_sheets(plant.folder / "undisturbed", case)
    result.lost = len(planned - ends.keys()) + len(wanted - {(fact["order"], datetime.fromisoformat(fact["due"])) for fact in facts.values()})
    result.wrong += [f"without an end: {story_of(entries, dose)}" for dose in sorted(planned - ends.keys())[:STORIES]]
    result.doubled = sum(count > 1 for count in ends.values()) + _pouches_made_twice(plant.folder / "packager.truth.ndjson")
    result.wrong += [f"invariant {name} is broken" for name, answer in summary["invariants"].items() if answer is False]
    result.wrong += [f"truth: {json.dumps(mismatch, ensure_ascii=False)}" for mismatch in summary["truth"]["first"]]
    if summary["truth"]["mismatches"] and not summary["truth"]["first"]:
        result.wrong.append(f"truth: {summary['truth']['mismatches']} mismatches")
    if summary["ledger"]["imbalance"]:
        result.wrong.append(f"the ledger's imbalance is {summary['ledger']['imbalance']}")
    if summary["doubts"]["told"] > summary["doubts"]["resolved"]:
        result.wrong.append(f"doubts without an answer: {summary['doubts']}")


def story_of(entries: list[dict[str, Any]], dose: str) -> str:
    """Tell all that the ledger has of a dose and of its packs: with a crash come by chance, it may be all that is left to see."""
    packs = {entry["data"]["pack"] for entry in entries if entry["kind"] == "pack-expected" and dose in entry["data"]["doses"]}
    jobs = {entry["data"]["job"] for entry in entries if entry["kind"] == "job-queued" and entry["data"]["pack"] in packs}
    named = packs | jobs | {dose}
    story = [f"{entry['at'][11:19]} {entry['kind']}" for entry in entries if not named.isdisjoint(_texts(entry["data"]))]
    return f"dose {dose}, packs {sorted(packs)}: {', '.join(story)}"


def _texts(data: dict[str, Any]) -> Iterator[str]:
    for value in data.values():
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def planned_by_sheets(folder: Path, case: DayCase) -> set[tuple[str, datetime]]:
    """Return the doses (order, due time) that the day's sheets plan at a hub that nothing disturbs: none may be missing from one that crashed."""
    folder.mkdir()
    set_up(folder, case)
    desk = IntakeDesk(house_of(HubSettings(folder, zone=case.zone, language=case.language)))
    with Writer(folder / "dosehub.sqlite", lambda: case.starts_at) as writer:
        if case.allergies is not None:
            _taken(writer, desk.allergies, case.source, case.allergies)
        for sheet in case.sheets:
            _taken(writer, desk.sheet, case.source, sheet)
        doses = writer.submit_read(lambda unit: unit.doses.where()).result()
        return {(dose.order, dose.due) for dose in doses}


def _taken(writer: Writer, take: Take, source: str, upload: Upload) -> dict[str, Any]:
    told = writer.submit("system", lambda unit: take(unit, source, upload.name, upload.data)).result()
    assert isinstance(told, dict), told
    return told


def _counting(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the entries that no later one corrects."""
    corrected = {entry["data"]["corrects"] for entry in entries if "corrects" in entry["data"]}
    return (entry for entry in entries if entry["seq"] not in corrected)


def _pouches_made_twice(truth: Path) -> int:
    facts = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    made = Counter(fact["job"] for fact in facts if fact["what"] == "pouch-cut")
    return sum(count > 1 for count in made.values())
