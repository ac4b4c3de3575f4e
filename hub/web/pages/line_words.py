"""The words of the packing line's page, in Russian and English: its board, its scans, and the machine in doubt."""

from collections.abc import Mapping

from hub.domain.commands import REASONS
from hub.domain.state_words import device_state_ru, named_ru
from hub.services.drops import WRONG_CASSETTE
from hub.services.machine_events import VERDICT_REFUSED
from hub.services.reject_packs import LABEL_REVIEW
from hub.services.replaced_labels import LABEL_IN_DOUBT
from hub.services.verify_pack import POUCH, POUCH_FAILED
from hub.web.pages.spoken import Table, spoken

_WORDS: Table = {
    "title": ("Линия", "Line"), "heading": ("Линия фасовки", "The packing line"),
    "scan": ("Сканер", "Scan"), "scan_hint": ("этикетка, упаковка", "label or source pack"), "enter": ("Ввод", "Enter"), "ready": ("Готово", "Ready"),
    "prompt": (
        "Отсканируйте этикетку: упаковки, которую наполняете, пакета, о котором решаете, или пакета для короба брака.",
        "Scan the label of a bag to fill, of a pouch to decide about, or of a pouch for the reject bin.",
    ),
    "leave_task": ("Оставить (Esc)", "Leave it (Esc)"),
    "reject_title": ("Почему в брак?", "Why is it rejected?"), "reject_other": ("Другая причина", "Another reason"), "use": ("Записать", "Use this"),
    "reject_not": ("Не браковать (Esc)", "Do not reject (Esc)"),
    "sheets": ("Листы назначений", "Sheets"), "to_intake": ("На страницу «Приём»", "Look at the page Intake"), "to_review": ("строки в ожидании провизора", "lines waiting for a pharmacist"),
    "machines": ("Устройства", "Machines"), "trouble": ("неисправность", "trouble"),
    "packager": ("фасовочный автомат", "packager"), "label-printer": ("принтер этикеток", "label-printer"), "camera": ("камера", "camera"),
    "waiting_packager": ("команд ждёт", "commands waiting"), "waiting_label-printer": ("этикеток ждёт", "labels waiting"), "waiting_camera": ("пакетов под ней", "pouches there"),
    "batches": ("Партии дня", "Batches of the day"), "stat": ("СРОЧНО", "STAT"), "cut": ("срез", "cut"), "at_ward": ("в отделении", "at the ward"),
    "all_ready": ("всё готово", "all ready"), "packing": ("фасуется", "packing"), "nothing_to_pack": ("фасовать нечего", "nothing to pack"), "not_cut": ("ещё не срезана", "not cut yet"),
    "ready_of": ("Готово упаковок, {slot}", "Ready packs of {slot}"), "of": ("из", "of"), "packs_ready": ("упаковок готово", "packs ready"),
    "to_make": ("сделать ещё {count}", "{count} to make"), "being_checked": ("проверяется {count}", "{count} being checked"), "doses_planned": ("Доз запланировано: {count}", "{count} doses planned"),
    "drawn": ("Готовится этикеток: {count}.", "{count} labels are being drawn."),
    "pouches": ("Пакеты автомата", "Pouches of the machine"), "under_way": ("Сейчас в работе", "Under way now"), "from_slot": ("из ячейки", "from slot"), "room": ("палата", "room"),
    "nothing_to_make": ("Автомату сейчас нечего делать.", "The machine has nothing to make now."),
    "to_decide": ("Решить", "To decide"), "one_by_one": ("Осмотреть пакеты по одному", "Look at pouches one by one"), "seen_of": ("Что видела камера: {pack}", "What the camera saw of {pack}"),
    "pictures_of": ("Снимки {pack}", "Pictures of {pack}"), "since": ("с", "since"), "should_hold": ("Должно лежать", "Should hold"), "accept_there": ("Принять: осмотреть", "Accept: look at it"),
    "nothing_to_decide": ("Решения ничто не ждёт.", "Nothing waits for a decision."),
    "for_bin": ("В короб брака", "For the reject bin"), "unreadable": ("Этикетка не читается …", "Label unreadable …"), "bin_empty": ("Сканировать в брак нечего.", "No pouch has to be scanned out."),
    "to_fill": ("Наполнить вручную", "To fill by hand"), "due": ("время", "due"), "not_printed": ("этикетка не напечатана", "label not printed"),
    "new_label": ("Новая этикетка", "New label"),
    "new_label_said": (
        "Печатается новая этикетка с другим номером. Прежнюю выбросьте: система её не примет.",
        "A new label with another number is being printed. Throw the old one away: it is refused from now on.",
    ),
    "lot": ("серия", "lot"), "no_bag": ("Наполнять вручную нечего.", "No bag waits to be filled."),
    "more_bags": ("и ещё {count}; отсканируйте этикетку, чтобы открыть упаковку.", "and {count} more; scan a label to open its bag."),
    "for_wards": ("Для отделений", "For the wards"), "issue": ("Выдать: сканируйте упаковки", "Issue: scan packs"), "no_ward": ("Запаса не ждёт ни одно отделение.", "No ward waits for stock."),
    "more": ("и ещё {count}.", "and {count} more."), "to_come_back": ("Должно вернуться из отделений упаковок: {count}.", "{count} packs are to come back from the wards."),
}  # fmt: skip

_SCRIPT: Table = {
    "destroyed": ("{pack} в коробе брака.", "{pack} is in the reject bin."), "remade": ("Пакет делается заново: {remade_as}.", "It is made anew as {remade_as}."),
    "look_there": (
        "Пакет {pack} ждёт решения: осмотрите его на странице «Осмотр», чтобы принять, или нажмите «В брак».",
        "Pouch {pack} waits for a decision: look at it at the review station to accept it, or press Reject.",
    ),
    "issued": ("Выдано отделению: {name}", "Issued to the ward: {name}"),
    "not_ours": (
        "{code}: такую упаковку не наполняют, о таком пакете не решают, и в короб брака он не идёт.",
        "{code} is no bag to fill, no pouch to decide about and none for the reject bin.",
    ),
    "step": ("{units} × {name}, серия {lot}", "{units} × {name}, lot {lot}"), "bag": ("Упаковка {pack}", "Bag {pack}"),
    "source": ("Отсканируйте исходную упаковку: {step}", "Scan the source pack: {step}"), "next_source": ("Отсканируйте следующую исходную упаковку: {step}", "Scan the next source pack: {step}"),
    "filled": ("Упаковка {pack} наполнена и выпущена.", "Bag {pack} is filled and released."),
    "settled": ("Решено.", "Settled."), "left_as_is": ("Решено: оставлено как есть.", "Settled: left as it is."),
    "pouch": ("Пакет {pack}", "Pouch {pack}"), "cannot_scan": ("Пакет {pack}: его этикетка не сканируется", "Pouch {pack}: its label cannot be scanned"),
    "scan_issue": ("Отсканируйте его упаковку: {name}", "Scan a pack of it: {name}"), "rejected": ("Забраковано. Отсканируйте пакет в короб брака.", "Rejected. Scan it into the reject bin."),
    "full": ("Ждёт слишком много сканирований. Дождитесь, пока эта строка сменится.", "Too many scans wait. Wait for the line above to change."),
    "left": ("Оставлено. Отсканируйте следующую этикетку.", "Left. Scan the next label."), "before": ("Отсканированное ранее записано.", "What was scanned before is recorded."),
}  # fmt: skip

# What accepting and rejecting mean for each kind of question; an empty word: that answer is not offered.
# A pouch is accepted at the review station alone, where the look is timed.
_DECISIONS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    POUCH: (("", ""), ("В брак …", "Reject …")),
    POUCH_FAILED: (("Осмотрено: в короб брака", "Seen: into the reject bin"), ("", "")),
    LABEL_REVIEW: (("Осмотрено: здесь её не расфасовать", "Seen: it cannot be packed here"), ("", "")),
    WRONG_CASSETTE: (("Снова верная: разблокировать", "Right one again: unlock"), ("Оставить заблокированной", "Leave it locked")),
    "job-refused": (("Сделать заново", "Make it anew"), ("", "")),
    VERDICT_REFUSED: (("Сообщить автомату ещё раз", "Tell the machine again"), ("Оставить", "Leave it")),
    "label-refused": (("Исправлено: повторить", "Mended: try it anew"), ("", "")),
    LABEL_IN_DOUBT: (("Её там нет или она выброшена", "None lies there, or it is thrown away"), ("", "")),
    "": (("Осмотрено, решено", "Seen, settled"), ("", "")),
}


_QUESTIONS_RU: Mapping[str, str] = {
    POUCH: "осмотр пакета", POUCH_FAILED: "пакет не прошёл", LABEL_REVIEW: "этикетка", WRONG_CASSETTE: "не та кассета", LABEL_IN_DOUBT: "этикетка под сомнением",
    VERDICT_REFUSED: "решение не принято", "label-refused": "этикетка не принята", "label-outdated": "устаревшая этикетка", "job-refused": "задание отклонено", "job-late": "пакет опаздывает",
    "doubt-differs": "счёт расходится", "doubt-contradicted": "сообщения противоречат", "unknown-doubt": "сомнение без задания", "surplus": "в кассете больше, чем числилось",
    "released-unverified": "выпущен без проверки", "foreign-event": "чужое сообщение", "unreadable-event": "нечитаемое сообщение", "unknown-job": "неизвестное задание",
    "unknown-slot": "неизвестная ячейка", "unknown-command": "неизвестная команда", "move-announced": "объявлен перевод", "change-announced": "объявлено изменение",
    "end-announced": "объявлен конец", "end-overtaken": "конец противоречит новому", "discharge-overtaken": "выписка противоречит новому", "present-again": "пациент снова здесь",
    "present-after-death": "сообщение после смерти", "allergy-unknown-patient": "аллергии неизвестного пациента",
}  # fmt: skip


def line_words(language: str) -> dict[str, str]:
    """Return every word of the page and its board in `ru` or `en`."""
    return spoken(_WORDS, language)


def line_script_words(language: str) -> dict[str, str]:
    """Return what the page's script says in `ru` or `en`."""
    return spoken(_SCRIPT, language)


def decisions_in(language: str) -> dict[str, tuple[str, str, str]]:
    """Return by the kind of a question the words for accepting and rejecting, and the English that the ledger keeps; `""` is for every other kind."""
    return {kind: (accept[_at(language)], reject[_at(language)], reject[1]) for kind, (accept, reject) in _DECISIONS.items()}


def reject_reasons(language: str) -> list[tuple[str, str]]:
    """Return the usual reasons of a rejection: what the ledger keeps, and what is shown."""
    return [(reason.en, reason.said(language)) for reason in REASONS.values()]


def device_state(state: str, language: str) -> str:
    """Return a device's state as it is shown."""
    return device_state_ru(state) if language == "ru" else state


def question_kind(kind: str, language: str) -> str:
    """Return the kind of a question to a person as it is shown."""
    return _QUESTIONS_RU.get(kind, "вопрос") if language == "ru" else kind.replace("-", " ")


def named(name: str, language: str) -> str:
    """Return a job's state or a lane as it is shown."""
    return named_ru(name) if language == "ru" else name


def _at(language: str) -> int:
    return 0 if language == "ru" else 1
