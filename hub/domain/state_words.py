"""States and ways in Russian words; in English their own names are the words."""

from collections.abc import Mapping
from enum import StrEnum

from hub.domain.doses import DoseState, Lane
from hub.domain.orders import LineState, Outcome
from hub.domain.packs import JobState, PackState

_RUSSIAN: Mapping[str, str] = {
    PackState.EXPECTED: "ещё не сделана", PackState.PRODUCED: "сделана, не проверена", PackState.VERIFIED: "проверена",
    PackState.RELEASED: "выпущена", PackState.LOADED: "в тележке", PackState.DISPATCHED: "в пути", PackState.RECEIVED: "в отделении",
    PackState.HELD: "отложена в отделении", PackState.GIVEN: "дана", PackState.GIVEN_IN_PART: "дана частично",
    PackState.RESTOCKED: "возвращена на склад", PackState.DESTROYED: "уничтожена", PackState.LOST: "утеряна",
    PackState.QUARANTINED: "в карантине", PackState.REVOKED: "отозвана", PackState.NEVER_MADE: "не была сделана",
    DoseState.PLANNED: "запланирована", DoseState.FROZEN: "в партии", DoseState.PACKED: "упакована", DoseState.NOT_GIVEN: "не дана",
    DoseState.RETURNED: "возвращена", DoseState.WASTED: "списана", DoseState.CANCELLED: "отменена",
    DoseState.MISSED: "пропущена", DoseState.UNFULFILLABLE: "не могла быть выдана",
    JobState.QUEUED: "в очереди", JobState.SENT: "отправлено", JobState.ACCEPTED: "принято", JobState.RUNNING: "выполняется",
    JobState.DONE: "выполнено", JobState.PARTIAL: "выполнено частично", JobState.REFUSED: "отклонено", JobState.ABORTED: "прервано",
    JobState.IN_DOUBT: "под сомнением",
    Lane.MACHINE: "машина", Lane.HALF_TABLET: "часть таблетки", Lane.TRAY: "лоток", Lane.AMPOULE: "ампулы", Lane.INJECTION: "инъекция",
    Lane.LIQUID: "жидкость", Lane.COLD: "холод", Lane.HAZARDOUS: "опасный препарат", Lane.WARD_STOCK: "запас отделения",
    Outcome.SCHEDULED: "по расписанию", Outcome.PRN: "по требованию", Outcome.ONCE: "однократно", Outcome.NOT_PACKABLE: "не упаковывается",
    Outcome.NEEDS_REVIEW: "на проверке", Outcome.REJECTED: "отклонена", Outcome.EXCLUDED: "не наша",
    LineState.RECEIVED: "получена", LineState.ACTIVE: "действует", LineState.ON_HOLD: "приостановлена",
    LineState.STOPPED: "остановлена", LineState.COMPLETED: "завершена",
}  # fmt: skip


def state_ru(state: StrEnum) -> str:
    """Return a state or lane in Russian; its own name where it has no word. States of one name have one word."""
    return _RUSSIAN.get(state, state.value)
