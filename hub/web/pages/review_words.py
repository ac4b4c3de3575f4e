"""The words of the page Review, in Russian and English."""

from collections.abc import Mapping

from hub.web.pages.spoken import spoken

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Строки на проверке", "Lines in review"),
    "lead": (
        "Эти строки ждут провизора, ничего из них не фасуется. Самые срочные — сверху. Решение действует для этого назначения, пока не изменятся препарат, доза и время.",
        "These lines wait for a pharmacist, and nothing of them is packed. The most urgent come first. A ruling holds for this order until drug, dose or times change.",
    ),
    "keys": ("Клавиши: ↑ ↓ — строки, 1–9 — действие строки, Enter — подтвердить, Esc — отменить.", "Keys: ↑ ↓ go through the lines, 1-9 choose an action of the line, Enter confirms, Esc leaves."),
    "only": ("Решение принимает провизор.", "A pharmacist decides."),
    "none": ("Ни одна строка не ждёт.", "No line waits."),
    "more": ("Остальные строки появятся после решений; их ещё:", "The other lines come up once these are decided; there are"),
    "all": ("Все отделения", "All departments"),
    "no_place": ("Место не указано", "Place not known"),
    "room": ("палата", "room"),
    "bed": ("койка", "bed"),
    "due": ("следующая доза", "next dose"),
    "due_unknown": ("время дозы неизвестно", "time of the dose not known"),
    "stat": ("СРОЧНО", "STAT"),
    "high_alert": ("высокий риск", "high-alert"),
    "since": ("ждёт с", "waits since"),
    "signed": ("подпись", "signed by"),
    "written": ("В листе", "The sheet says"),
    "note": ("Примечание", "Note"),
    "understood": ("Понято как", "Understood as"),
    "not_understood": ("Режим приёма не понят", "The times are not understood"),
    "why": ("Почему ждёт", "Why it waits"),
    "rule": ("Правило", "Rule"),
    "beside": ("Из этого препарата или группы пациент получает ещё", "Of this drug or group the patient also gets"),
    "rulings": ("Уже решено", "Ruled already"),
    "take_back": ("Отменить решение …", "Take back …"),
    "release": ("Разрешить …", "Release …"),
    "allergy": ("Разрешить вопреки аллергии …", "Let the allergy pass …"),
    "dose": ("Дать", "Give"),
    "course": ("Это длина курса …", "It is the length of the course …"),
    "infusion": ("Это инфузия, не фасовать …", "It is an infusion, not packed …"),
    "as_course": ("Как длина курса", "As the length of the course"),
    "as_infusion": ("Как инфузия", "As an infusion"),
    "validate": ("Снова принять …", "Validate again …"),
    "codes": ("Ответить, что означает", "Answer what it means:"),
    "refuse": ("Вернуть в отделение …", "Send back to the ward …"),
    "in_use": ("Действующие решения", "Rulings in force"),
    "statistics": ("Сколько ждёт", "How much waits"),
    "department": ("Отделение", "Department"),
    "lines": ("Строк", "Lines"),
    "in_force": ("Строк в силе", "Lines in force"),
    "ruled": ("Решения за последние дни", "Rulings of the last days"),
    "kind": ("Решение", "Ruling"),
    "by": ("Провизор", "Pharmacist"),
    "reason": ("Причина — печатается вместе со строкой", "Reason, printed with the line"),
    "reason_back": ("Что исправить — прочтут отделение и врач", "What to correct, for the ward and the doctor"),
    "second": ("Подтверждает второй провизор", "A second pharmacist confirms"),
    "badge": ("Бейдж второго провизора", "Badge of the second pharmacist"),
    "pin": ("PIN второго провизора", "PIN of the second pharmacist"),
    "confirm": ("Подтвердить", "Confirm"),
    "cancel": ("Не сейчас (Esc)", "Not now (Esc)"),
    "waits": ("Ответа ещё нет. Не закрывайте: запрос будет повторён и засчитан один раз.", "The hub has not answered yet. Leave this open: it is sent again, and counts once."),
    "done_on": ("Принято: {outcome}. Доз запланировано: {planned}.", "Done: {outcome}. Doses planned: {planned}."),
    "done_waits": ("Решение записано. Строка ещё ждёт: {reasons}", "The ruling is recorded. The line still waits: {reasons}"),
    "waiting_lines": ("в ожидании провизора", "waiting for a pharmacist"),
}  # fmt: skip
_KINDS: Mapping[str, tuple[str, str]] = {
    "pharmacist-released": ("разрешено", "released"), "allergy-overridden": ("разрешено вопреки аллергии", "allergy let pass"),
    "dose-settled": ("доза выбрана", "dose settled"), "duration-of-course": ("длина курса", "length of the course"),
    "duration-of-infusion": ("инфузия", "infusion"), "pharmacist-refused": ("отклонено", "refused"), "validation-withdrawn": ("проверка отозвана", "validation withdrawn"),
}  # fmt: skip


def review_words(language: str) -> dict[str, str]:
    """Return every word of the page in one language."""
    return spoken(_WORDS, language)


def ruling_kinds(language: str) -> dict[str, str]:
    """Return the kinds of rulings in words."""
    return spoken(_KINDS, language)
