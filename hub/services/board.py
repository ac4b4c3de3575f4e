"""The state of the line in numbers: what waits, what runs, what ended."""

from collections.abc import Mapping
from typing import Any

from hub.domain.doses import DoseState
from hub.domain.packs import JobState, PackState
from hub.services.doubts import jobs_in_doubt
from hub.services.pick_packs import open_picks
from hub.services.ports import Repository, UnitOfWork
from hub.services.reject_packs import packs_to_reject
from hub.services.return_packs import packs_to_return


def line_state(unit: UnitOfWork) -> dict[str, Any]:
    """Return counts by state of jobs, packs and doses, and how much waits for people and devices."""
    picks = open_picks(unit)
    printed = sum(1 for pack in picks if (label := unit.prints.get(pack.serial)) is not None and label.printed)
    return {
        "jobs": _by_state(unit.jobs, JobState),
        "packs": _by_state(unit.packs, PackState),
        "doses": _by_state(unit.doses, DoseState),
        "reviews": unit.reviews.count(decision=""),
        "doubts": len(jobs_in_doubt(unit)),
        "rejects": len(packs_to_reject(unit)),
        "returns": len(packs_to_return(unit)),
        "picks": len(picks),
        "picks_printed": printed,
        "requisitions": unit.requisitions.count(issued=False),
        "unlabelled": unit.packs.count(state=PackState.EXPECTED, label_digest="", reason=""),
        "outbox": unit.commands.count(done=False),
        "devices": [{"device": device.id, "state": device.state} for device in unit.devices.where(order_by="id")],
    }


def _by_state(repository: Repository[Any], states: Any) -> Mapping[str, int]:
    counted = {state.value: repository.count(state=state) for state in states}
    return {state: count for state, count in counted.items() if count}
