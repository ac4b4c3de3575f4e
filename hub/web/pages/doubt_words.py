"""The words of a machine in doubt and of the dialog that a person answers it in, in Russian and English."""

from collections.abc import Mapping

from hub.web.pages.spoken import Table, spoken

_WORDS: Table = {
    "in_doubt": ("Под сомнением", "In doubt"), "how_many": ("{device} ждёт: сколько {name} упало?", "{device} waits: how many {name} fell?"),
    "lead_before": ("Питание пропало, когда", "Power was lost while"), "lead_pouch": ("падало в пакет", "fell into pouch"),
    "lead": (
        "Автомат не знает, сколько упало. Он ничего не двигает, и новых заданий он не получит, пока человек не сосчитает.",
        "The machine does not know how many fell. It moves nothing, and no new job goes to it, until a person has counted.",
    ),
    "not_taken": (
        "Последний ответ автомат не принял ({reason}): ничего не учтено. Сосчитайте ещё раз.",
        "The machine did not take the last answer ({reason}): nothing was booked. Count again.",
    ),
    "step_stop": ("Остановитесь. Пока ничего не берите из выходного лотка.", "Stop. Take nothing out of the output bin meanwhile."),
    "step_open": ("Откройте автомат и выньте пакет со всем, что в нём.", "Open the machine and take out the pouch, with everything in it."),
    "step_count": ("Сосчитайте в нём таблетки", "Count the tablets of"),
    "step_funnel": ("и те, что лежат в воронке ячейки {slot}.", "in it, and those that lie in the funnel of slot {slot}."),
    "leave_out": ("Не считайте {count}", "Leave out {count}"), "other_drop": ("они упали другим отсчётом и уже сосчитаны.", "they fell in another drop, and were counted then."),
    "step_bin": ("Всё это — в короб брака. Ничего из этого никому не дают.", "Put all of it into the reject bin. Nothing of it is given to anybody."),
    "step_say": ("Скажите здесь, сколько их было.", "Say here how many there were."),
    "second_too": ("Препарат высокого риска: считает и второй человек.", "High-alert drug: a second person counts too."),
    "machine_says": ("Что говорит автомат", "The machine says"), "drop_of": ("отсчёт {drop} из {drops}", "drop {drop} of {drops}"), "asked_of_it": ("Что ему задано", "Asked of it"),
    "of_slot": ("{count} из ячейки {slot}, кассета {cassette}", "{count} from slot {slot}, cassette {cassette}"),
    "its_count": ("Сколько в кассете по его счёту", "Its count of that cassette"), "not_told": ("не сообщил", "not told"),
    "its_question": ("Его вопрос", "Its question"), "event": ("событие {event}, запуск {boot}, {clock}", "event {event} of boot {boot}, {clock}"), "last_report": ("Последнее сообщение", "Last report"),
    "this_job": ("об этом задании", "about this job"), "another_job": ("о другом задании", "about another job"),
    "hub_knows": ("Что знает система", "The hub knows"), "drop": ("Отсчёт", "Drop"), "planned": ("Задано", "Planned"), "heard": ("Что сообщено", "Heard of it"),
    "place": ("ячейка {slot}, кассета {cassette}", "slot {slot}, cassette {cassette}"), "fell": ("упало {count}", "{count} fell"), "nothing": ("ничего", "nothing"),
    "books": ("Кассета {cassette} по учёту: таблеток {count}, из них зарезервировано {reserved}.", "Cassette {cassette} by the books: {count} tablets, {reserved} of them reserved."),
    "took_job": ("Автомат взял задание.", "The machine took the job."), "took_not": ("Взял ли автомат задание, он не сообщил.", "The machine has not said that it took the job."),
    "answered": ("ответ дан", "answered"), "being_told": ("{person}: насчитано {count}. Ответ передаётся автомату.", "{person} counted {count}. The machine is being told."),
    "counted_button": ("Сосчитано: указать сколько …", "I have counted: say how many …"), "end_button": ("Автомат о нём больше не знает: закрывают двое …", "The machine no longer knows of it: two people end it …"),
    "who_must": ("Сосчитать и ответить должен провизор или фармацевт.", "A pharmacist or a technician must count and answer."),
    "title": ("Сколько упало?", "How many fell?"),
    "only_seen": ("Считайте только то, что видели. Ничего не нашли — напишите 0. Пакет уничтожается в любом случае.", "Count only what you saw. Nothing found: write 0. The pouch is destroyed in any case."),
    "counted": ("Сосчитано таблеток", "Tablets counted"), "reason": ("Как считали, что видели", "How it was counted, what was seen"),
    "second": ("Считает и второй человек", "A second person counts too"), "badge": ("Бейдж второго человека", "Badge of the second person"), "pin": ("PIN второго человека", "PIN of the second person"),
    "send": ("Столько упало", "This many fell"), "not_yet": ("Ещё нет (Esc)", "Not yet (Esc)"),
}  # fmt: skip

_SCRIPT: Table = {
    "resolve_why": ("Препарат высокого риска: считает и второй человек", "High-alert drug: a second person counts too"),
    "end_why": ("Без автомата считают и решают двое", "Without the machine two people count and decide"),
    "resolve_done": (
        "Насчитано {count}: ответ передаётся на {device}. Его пакет — в короб брака; отсканируйте его там.",
        "{count} counted: {device} is being told. Its pouch goes into the reject bin; scan it there.",
    ),
    "end_done": (
        "Насчитано {count}: задание {device} закрыто без него. Его пакет — в короб брака; отсканируйте его там.",
        "{count} counted: the job of {device} is ended without it. Its pouch goes into the reject bin; scan it there.",
    ),
    "away": ("Система ещё не ответила. Не закрывайте: ответ будет отправлен снова и учтён один раз.", "The hub has not answered yet. Leave this open: it is sent again, and counts once."),
    "about": ("{device}, пакет {pouch}: сколько {name} упало? Задано: {count}.", "{device}, pouch {pouch}: how many {name} fell? Asked for: {count}."),
}  # fmt: skip


_REFUSED: Mapping[str, str] = {
    "STALE_EVENT": "его вопрос теперь другой", "UNKNOWN_JOB": "этого задания он не знает", "EXPIRED": "ответ пришёл слишком поздно", "FENCED": "им управляет другой мост",
    "LOCKED": "он на обслуживании", "SAFE_MODE": "он в безопасном режиме",
}  # fmt: skip


def doubt_words(language: str) -> dict[str, str]:
    """Return every word of the section and the dialog in `ru` or `en`."""
    return spoken(_WORDS, language)


def refused_answer(refused: str, language: str) -> str:
    """Return why a machine did not take an answer (`rc` or `rc: reason`) as it is shown; a code without a word alone."""
    code = refused.partition(":")[0]
    return refused if language != "ru" else f"{code}: {_REFUSED[code]}" if code in _REFUSED else code


def doubt_script_words(language: str) -> dict[str, str]:
    """Return what the dialog's script says in `ru` or `en`."""
    return spoken(_SCRIPT, language)
