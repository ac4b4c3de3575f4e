"""What a machine or its bridge answers, in Russian: one sentence for each result code, beside the answer's own English."""

from collections.abc import Mapping

from hub.services.device_service import ServiceAnswer

BROKER_AWAY_RU = "Брокер между системой и автоматом не отвечает: ничего не отправлено."
_WORDS: Mapping[str, str] = {
    "BROKER_AWAY": BROKER_AWAY_RU,
    "UNANSWERED": "Автомат не ответил: выполнено ли, неизвестно. Посмотрите на автомат.",
    "FAILED": "В системе произошёл сбой: выполнено ли, неизвестно. Посмотрите на автомат.",
    "LOCKED": "Сервисная блокировка у другого человека.",
    "NOT_READY": "Автомат не готов: посмотрите на его экран.",
    "NO_ANSWER": "Автомат не ответил мосту: выполнено ли, неизвестно. Посмотрите на автомат.",
    "NOT_AT_ONCE": "Автомат сделает это не сразу.",
    "SAFE_MODE": "Автомат в безопасном режиме: он ничего не двигает.",
    "NOT_CONFIRMED": "Новая программа ещё не подтверждена.",
    "FENCED": "С этим автоматом говорит уже другая система: эта больше не должна.",
    "INVALID": "Мост не понял команду; если речь о expires_at, часы системы и моста расходятся.",
    "NOT_LOCKED": "Сначала возьмите сервисную блокировку.",
    "BUSY": "Автомат занят заданием: дождитесь его конца.",
    "EXPIRED": "Команда пришла слишком поздно и не выполнена.",
    "LINK_DOWN": "Связь с автоматом прервана: ничего не сделано.",
    "UNKNOWN_JOB": "Автомат не знает такого задания.",
    "STALE_EVENT": "Автомат спросил заново: этот ответ уже не к месту.",
}  # fmt: skip


def in_russian_words(answer: ServiceAnswer) -> str:
    """Return why an act was not done in Russian; the code itself where it has no sentence here; empty where it was done."""
    if answer.is_done:
        return ""
    holder = answer.data.get("owner")
    whose = f" Её держит {holder}." if answer.rc == "LOCKED" and holder else ""
    return f"{_WORDS.get(answer.rc, f'Автомат отказал: {answer.rc}.')}{whose}"
