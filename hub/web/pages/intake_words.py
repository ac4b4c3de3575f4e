"""The words of the page Intake, in Russian and English."""

from collections.abc import Mapping

from hub.domain.orders import Outcome
from hub.domain.state_words import state_ru

LANGUAGES = ("ru", "en")
KINDS = ("sheet", "changes", "discharges", "allergies")
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Приём листов", "Intake"),
    "alarms": ("Требует внимания", "Needs somebody"),
    "since": ("с", "since"),
    "look": ("Просмотреть", "Look at it"),
    "clear_it": ("Разобрано …", "Dealt with …"),
    "pharmacist": ("Решает провизор.", "A pharmacist decides."),
    "sources": ("Источники", "Sources"),
    "never": ("ещё ничего не присылал", "has sent nothing yet"),
    "orders": ("назначений", "orders"),
    "usual": ("обычно", "usually"),
    "expected": ("ожидается к", "due by"),
    "ways": ("Как приходит", "Comes by"),
    "by_upload": ("только загрузка", "upload alone"),
    "way_folder": ("папка", "folder"),
    "way_fhir": ("опрос FHIR", "FHIR pull"),
    "way_mllp": ("HL7 v2", "HL7 v2"),
    "way_hint": ("уведомления", "hints"),
    "fine": ("в порядке", "fine"),
    "attention": ("внимание", "attention"),
    "silent": ("молчит", "silent"),
    "in_review": ("строки в ожидании провизора", "lines waiting for a pharmacist"),
    "upload": ("Загрузить файл", "Upload a file"),
    "source": ("Кто прислал", "Who sent it"),
    "kind": ("Что это", "What it is"),
    "kind_sheet": ("Лист назначений", "Day's sheet"),
    "kind_changes": ("Изменения за день", "Changes of the day"),
    "kind_discharges": ("Список выписанных", "Discharged patients"),
    "kind_allergies": ("Список аллергий", "List of allergies"),
    "choose": ("Выбрать файл", "Choose a file"),
    "or_drop": ("или перетащите его сюда", "or drop it here"),
    "nothing_yet": ("Сначала показывается, что изменится. Принимается только то, что вы увидели.", "First you see what would change. Only what you saw is taken in."),
    "reading": ("Файл читается …", "The file is being read …"),
    "preview": ("Что будет принято", "What would be taken in"),
    "of": ("из", "of"),
    "planned": ("новых доз на сегодня", "new doses for today"),
    "no_change": ("Назначения не меняются.", "No order changes."),
    "new": ("новых", "new"),
    "changed": ("изменённых", "changed"),
    "unchanged": ("без изменений", "unchanged"),
    "unlisted": ("нет в листе", "no longer listed"),
    "unlisted_why": (
        "Эти назначения действуют, но в листе их нет. Они остаются в силе: отменить их может врач, источник или выписка.",
        "These orders are in force and the sheet does not list them. They stay in force: a doctor, the source or a discharge ends them.",
    ),
    "not_scheduled": ("Не попадёт в расписание", "Not scheduled"),
    "scheduled": ("Попадёт в расписание", "Scheduled"),
    "as_understood": ("как понято", "as understood"),
    "unread": ("Не прочитано", "Could not be read"),
    "more_lines": ("и ещё строк:", "and more lines:"),
    "take": ("Принять", "Take in"),
    "take_anyway": ("Принять: это всё, что есть", "Take it in: this is all there is"),
    "hold": ("Передать провизору", "Leave it to a pharmacist"),
    "discard": ("Отклонить", "Discard"),
    "discard_held": ("Отклонить лист …", "Discard the sheet …"),
    "taken": ("Принято.", "Taken in."),
    "discarded": ("Отклонено: ничего не принято.", "Discarded: nothing was taken in."),
    "cleared": ("Тревога снята.", "The alarm is cleared."),
    "held": ("Лист ждёт провизора.", "The sheet waits for a pharmacist."),
    "failed": ("Система не ответила. Принято ли, неизвестно: посмотрите список источников.", "The hub did not answer. Whether it was taken in is not known: look at the sources."),
    "waits": ("Система ещё не ответила: будет отправлено снова и засчитано один раз.", "The hub has not answered yet: it is sent again, and counts once."),
    "why_cleared": ("Что вы выяснили?", "What did you find out?"),
    "why_discarded": ("Почему лист отклоняется?", "Why is the sheet discarded?"),
    "keep": ("Сохранить", "Keep it"),
    "cancel": ("Назад (Esc)", "Back (Esc)"),
    "patient": ("Пациент", "Patient"),
    "drug": ("Препарат", "Drug"),
    "why": ("Почему", "Why"),
    "outcome": ("Итог", "Outcome"),
    "orders_out": ("назначений снято с упаковки", "orders taken out of what is packed"),
    "patients": ("пациентов в списке", "patients listed"),
    "unknown": ("пациентов не найдено", "patients whom no sheet told of"),
    "changes_read": ("изменений прочитано", "changes read"),
}  # fmt: skip


def words_of(language: str) -> dict[str, str]:
    """Return every word of the page in a language."""
    at = LANGUAGES.index(language)
    outcomes = {f"outcome_{outcome.value}": state_ru(outcome) if language == "ru" else outcome.value.replace("-", " ") for outcome in Outcome}
    return {name: told[at] for name, told in _WORDS.items()} | outcomes
