"""The words of the nurse's phone, in Russian and English; those under `said_` are the scripts' own."""

from hub.web.pages.spoken import Table, spoken

_WORDS: Table = {
    "title": ("Обход", "Ward round"), "until": ("До", "Due until"), "nothing_due": ("ничего не назначено", "nothing due"), "due": ("к даче", "due"),
    "patient": ("пациент", "patient"), "patients": ("пациентов", "patients"), "no_department": ("Ни в одном отделении нет пациентов.", "No department has patients."),
    "scan": ("Сканер", "Scan"), "hint": ("браслет, затем упаковка", "wristband, then pack"), "enter": ("Ввод", "Enter"), "type": ("Клавиши", "Type"),
    "leave": ("Выйти", "Leave"), "ready": ("Готово", "Ready"), "all": ("Все отделения", "All departments"), "why_not": ("Почему не дана?", "Why was it not given?"),
    "back": ("Назад", "Back"), "room": ("палата", "room"), "bed": ("койка", "bed"), "give": ("Дать", "Give"), "not_given": ("Не дана", "Not given"),
    "nothing_open": ("Открытых доз на это время здесь нет.", "Nothing is open and due here."),
    "namesake": ("Однофамилец в палате", "Namesake in this room · однофамилец в палате"),
    "first": ("Отсканируйте браслет пациента.", "Scan the patient's wristband."),
    "said_wristband": ("Браслет", "Wristband"), "said_not_listed": ("в этом списке для этого браслета ничего нет", "nothing of this list is for this wristband"),
    "said_is_pack": ("Это упаковка. Сначала отсканируйте браслет пациента.", "This is a pack. Scan the patient's wristband first."),
    "said_given": ("Дано.", "Given."), "said_scan_pack": ("Отсканируйте упаковку.", "Scan the pack."),
    "said_nothing": (
        "По этому браслету здесь сейчас ничего не назначено. Отсканируйте упаковку, чтобы спросить систему, или другой браслет.",
        "Nothing is due here for this wristband. Scan the pack to ask the hub, or another wristband.",
    ),
    "said_from_ward": ("Дано из запаса отделения.", "Given from the ward's stock."), "said_this_first": ("Сначала отсканируйте браслет этого пациента.", "Scan this patient's wristband first."),
    "said_source": ("отсканируйте упаковку ампулы или флакона.", "scan the ampoule's or vial's pack."), "said_recorded": ("Записано как не данное:", "Recorded as not given:"),
    "said_many": ("Ждёт слишком много сканирований. Дождитесь, пока эта строка сменится.", "Too many scans wait. Wait for this line to change."),
    "said_pending": ("Ещё без ответа:", "Not answered yet:"), "said_before": ("Отсканированное ранее записано.", "What was scanned before is recorded."),
}  # fmt: skip
_REASONS: Table = {
    "refused": ("Пациент отказался", "The patient refused"), "asleep": ("Пациент спит", "The patient sleeps"), "absent": ("Пациента нет на месте", "The patient is not here"),
    "fasting": ("Внутрь сейчас нельзя", "Nothing by mouth now"), "vomited": ("Пациента вырвало", "The patient vomited"), "held": ("Врач велел подождать", "A doctor said to wait"),
}  # fmt: skip
_WHERE: Table = {
    "expected": ("ещё не сделана", "not made yet"), "produced": ("у камеры", "at the camera"), "verified": ("выходит из автомата", "leaving the machine"),
    "released": ("в аптеке", "in the pharmacy"), "loaded": ("в тележке, не отправлена", "in the trolley, not sent"), "dispatched": ("в пути", "on its way"),
    "received": ("здесь", "here"), "held": ("не дана, вернуть", "not given, must go back"), "revoked": ("отозвана: верните", "revoked: hand it back"),
    "quarantined": ("в карантине", "in quarantine"), "frozen": ("не готова", "not ready"), "packed": ("запас отделения", "ward stock"),
}  # fmt: skip


def ward_words(language: str) -> dict[str, str]:
    """Return every word of the pages in `ru` or `en`."""
    return spoken(_WORDS, language)


def script_words(language: str) -> dict[str, str]:
    """Return the words that the page's script says."""
    return {name.removeprefix("said_"): said for name, said in spoken(_WORDS, language).items() if name.startswith("said_") or name == "first"}


def reasons_in(language: str) -> dict[str, str]:
    """Return why a dose may not be given, by the API's own word."""
    return spoken(_REASONS, language)


def where_in(language: str) -> dict[str, str]:
    """Return where a pack or dose is, by its state."""
    return spoken(_WHERE, language)
