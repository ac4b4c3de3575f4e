"""Whether the people of a sheet can be told apart: namesakes in one room, patients without a name, one wristband code for two.

None of this stops a line: it is told to whoever loads trolleys and gives doses (two identifiers at every hand-over).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.domain.codes import code_form
from hub.domain.identifiers import PatientId
from hub.domain.orders import Patient, Reason, Stay

RULE_NAMESAKES = "namesakes"
RULE_NO_NAME = "no-name"
RULE_ONE_CODE = "one-code-for-two"
TWO_IDENTIFIERS = "two identifiers at every hand-over"


@dataclass(frozen=True, slots=True)
class PeopleDoubt:
    """A doubt about who is who: the patients it is about, by id, and the sentence with its rule; the sentence names no names."""

    patients: tuple[PatientId, ...]
    reason: Reason


def doubts_about_people(patients: Iterable[Patient], stays: Iterable[Stay]) -> tuple[PeopleDoubt, ...]:
    """Return what may be mixed up, in a fixed order."""
    people = sorted(patients, key=lambda patient: patient.id)
    places = {stay.patient: stay for stay in stays if stay.finished_at is None}
    return (*_namesakes(people, places), *_without_name(people, places), *_one_code(people))


def _namesakes(people: Iterable[Patient], places: Mapping[PatientId, Stay]) -> Iterator[PeopleDoubt]:
    rooms: dict[tuple[str, str, str], list[Patient]] = defaultdict(list)
    for patient in people:
        stay, family = places.get(patient.id), code_form(patient.family)
        if stay is not None and family and stay.room.strip():
            rooms[code_form(stay.department), code_form(stay.room), family].append(patient)
    for same in rooms.values():
        if len(same) > 1:
            yield PeopleDoubt(tuple(patient.id for patient in same), _namesakes_reason(same, places[same[0].id]))


def _namesakes_reason(same: Iterable[Patient], stay: Stay) -> Reason:
    codes = ", ".join(patient.code for patient in same)
    return Reason(
        RULE_NAMESAKES,
        f"Patients {codes} in room {stay.room} of {stay.department} have one family name: ask for the birth date and scan the wristband.",
        TWO_IDENTIFIERS,
        f"Пациенты {codes} в палате {stay.room} ({stay.department}) — однофамильцы: сверяйте дату рождения и сканируйте браслет.",
    )


def _without_name(people: Iterable[Patient], places: Mapping[PatientId, Stay]) -> Iterator[PeopleDoubt]:
    nameless = [patient for patient in people if not patient.full_name and patient.id in places]
    if nameless and len(nameless) == sum(patient.id in places for patient in people) > 1:
        yield _feed_without_names(nameless)
        return
    for patient in nameless:
        reason = Reason(
            RULE_NO_NAME,
            f"Patient {patient.code} has no name on the sheet: ask the ward who lies there.",
            TWO_IDENTIFIERS,
            f"У пациента {patient.code} в листе нет имени: уточните в отделении, кто это.",
        )
        yield PeopleDoubt((patient.id,), reason)


def _feed_without_names(nameless: Iterable[Patient]) -> PeopleDoubt:
    """Return one doubt for a feed that brings no names at all, instead of one for every patient."""
    patients = tuple(patient.id for patient in nameless)
    reason = Reason(
        RULE_NO_NAME,
        f"None of the {len(patients)} patients of the sheet has a name: they are told apart by their codes alone.",
        TWO_IDENTIFIERS,
        f"Ни у одного из {len(patients)} пациентов листа нет имени: их различают только коды.",
    )
    return PeopleDoubt(patients, reason)


def _one_code(people: Iterable[Patient]) -> Iterator[PeopleDoubt]:
    codes: dict[str, list[Patient]] = defaultdict(list)
    for patient in people:
        if patient.code.strip():
            codes[code_form(patient.code)].append(patient)
    for code, same in codes.items():
        if len(same) > 1:
            reason = Reason(
                RULE_ONE_CODE,
                f"The wristband code {code} stands for {len(same)} patients: a scan cannot tell them apart.",
                TWO_IDENTIFIERS,
                f"Код браслета {code} указан у {len(same)} пациентов: сканирование их не различит.",
            )
            yield PeopleDoubt(tuple(patient.id for patient in same), reason)
