"""States and ways in Russian words; in English their own names are the words."""

from collections.abc import Mapping
from enum import StrEnum

from hub.domain.custody import TrolleyState
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

_TROLLEYS: Mapping[TrolleyState, str] = {
    TrolleyState.ASSEMBLING: "комплектуется", TrolleyState.SEALED: "опломбирована", TrolleyState.DISPATCHED: "в пути", TrolleyState.RECEIVED: "в отделении",
    TrolleyState.IN_ROUND: "на обходе", TrolleyState.CLOSED: "обход закрыт", TrolleyState.RECONCILED: "сверена",
}  # fmt: skip
_DEVICES: Mapping[str, str] = {
    "ready": "готов", "idle": "свободен", "running": "работает", "stopped": "остановлен", "in-doubt": "под сомнением", "lost": "нет связи", "link-down": "нет связи",
    "locked": "на обслуживании", "safe-mode": "безопасный режим", "at-camera": "у камеры", "unknown": "неизвестно", "paused": "на паузе", "offline": "отключён", "out-of-paper": "нет этикеток", "out-of-ribbon": "нет красящей ленты", "cover-open": "открыта крышка",
    "out-of-order": "неисправен", "label-waiting": "ждёт этикетка", "unknown-language": "не тот язык принтера", "connecting": "подключается", "live": "снимает",
    "stale": "кадров нет", "frozen": "кадр застыл", "black": "чёрный кадр", "torn": "рваный кадр", "slow": "мало кадров", "down": "нет связи",
}  # fmt: skip

_STOPS: Mapping[str, str] = {
    "no-verdict": "решение о пакете не пришло вовремя", "film-out": "кончилась плёнка", "door-open": "открыта дверца", "jam": "застревание", "reject-bin": "короб брака не освобождён",
    "ribbon-out": "кончилась красящая лента", "gate-stuck": "заело заслонку", "in-doubt": "неизвестно, что упало", "wrong-machine": "отвечает другой автомат",
}  # fmt: skip


def state_ru(state: StrEnum) -> str:
    """Return a state or lane in Russian; its own name where it has no word. States of one name have one word."""
    return _RUSSIAN.get(state, state.value)


def trolley_state_ru(state: TrolleyState) -> str:
    """Return a trolley's state in Russian."""
    return _TROLLEYS[state]


def named_ru(name: str) -> str:
    """Return the name of a state or lane in Russian, also that a job's pouch is at the camera; another text as it is."""
    return "у камеры" if name == "at-camera" else _RUSSIAN.get(name, name)


def stop_reason_ru(reason: str) -> str:
    """Return in Russian why a packaging machine stopped (the reasons of docs/mqtt.md); another text as it is."""
    return _STOPS.get(reason, reason)


def device_state_ru(state: str) -> str:
    """Return a device's state in Russian; what a device says in words of its own as it is."""
    return _DEVICES.get(state, state)
