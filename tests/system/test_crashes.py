"""A day on a plant whose processes are killed: what was promised before a crash holds after it, and nothing happens twice."""

import pytest

from tests.crashes.crasher import FAULTS
from tests.crashes.plant import KILLED
from tests.crashes.run import CrashedDay, crash_day
from tests.crashes.ward import ward_case

PATIENTS, KILLS, SEED = 16, 24, 11

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def crashed_day(tmp_path_factory: pytest.TempPathFactory) -> CrashedDay:
    folder = tmp_path_factory.mktemp("crashes")
    case = ward_case(1, tmp_path_factory.mktemp("ward"), PATIENTS)
    return crash_day(folder, case, KILLS, SEED, lambda _: None)


def test_nothing_is_lost_or_doubled_when_processes_are_killed(crashed_day: CrashedDay) -> None:
    assert crashed_day.wrong == [], crashed_day.troubles
    assert (crashed_day.lost, crashed_day.doubled) == (0, 0)
    assert crashed_day.doses > 50


def test_every_process_was_killed_and_came_back(crashed_day: CrashedDay) -> None:
    assert len(crashed_day.toll.answered) >= KILLS
    assert {answered.name for answered in crashed_day.toll.answered} == set(KILLED)
    assert crashed_day.toll.failure == ""


def test_the_port_was_torn_away_the_clock_set_back_and_the_disk_filled(crashed_day: CrashedDay) -> None:
    assert set(crashed_day.toll.faults) == set(FAULTS)
