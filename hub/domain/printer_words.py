"""What a label printer's state means to a person who stands before it, in both languages."""

from collections.abc import Mapping

from hub.domain.words import Words

_STATES: Mapping[str, Words] = {
    "out-of-paper": Words("No labels in the printer: put a roll in.", "В принтере нет этикеток: вставьте рулон."),
    "out-of-ribbon": Words("No ribbon in the printer: put one in.", "В принтере нет красящей ленты: вставьте ленту."),
    "cover-open": Words("The printer's cover or head is open: close it.", "Открыта крышка или головка принтера: закройте."),
    "paused": Words("The printer is paused: press its pause button.", "Принтер на паузе: нажмите на нём кнопку паузы."),
    "label-waiting": Words("A label waits to be taken off the printer.", "Снимите с принтера готовую этикетку."),
    "out-of-order": Words(
        "The printer reports a fault: look at its display, turn it off and on.",
        "Принтер сообщает о неисправности: посмотрите на его экран, выключите и включите его.",
    ),
    "offline": Words("The printer takes nothing now: look at it.", "Принтер сейчас ничего не принимает: посмотрите на него."),
    "unknown": Words(
        "The printer says nothing, or not all: nobody knows whether it has paper. Look at it.",
        "Принтер молчит или отвечает не полностью: неизвестно, есть ли бумага. Посмотрите на него.",
    ),
    "link-down": Words(
        "The printer is silent: nobody knows whether it has paper or is open. Look at it, its cable and its power.",
        "Принтер молчит: неизвестно, есть ли бумага и закрыт ли он. Проверьте принтер, кабель и питание.",
    ),
    "unknown-language": Words(
        "The printer speaks a language in which no label can be written: set it to ZPL or ESC/POS.",
        "Принтер работает на языке, на котором этикетку не записать: переключите его на ZPL или ESC/POS.",
    ),
}
_IN_DOUBT = Words(
    "A label may lie there that nobody counts: look at the question below.",
    "Возможно, там лежит неучтённая этикетка: посмотрите вопрос ниже.",
)


def printer_words(state: str, reason: str) -> Words | None:
    """Return what a printer's state asks of a person; None where it is ready and nothing is in doubt."""
    told = _STATES.get(state)
    if told is None:
        return _IN_DOUBT if reason == "in-doubt" else None
    if reason == "in-doubt":
        return Words(f"{told.en} {_IN_DOUBT.en}", f"{told.ru} {_IN_DOUBT.ru}")
    return told
