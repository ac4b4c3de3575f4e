"""Scans of makers' packs: the medicine code or GS1 elements, or why a scan is neither, in words that a person can act on."""

import re
from collections.abc import Mapping
from datetime import date

from hub.domain.makers_codes import MakersCode
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from labels.gs1 import Unread, UnreadReason, looks_like_gs1, read_elements
from labels.held_gtin import bare_gtin, held_gtin
from labels.medicine_code import is_cut_short, is_medicine_code, read_medicine_code

_TYPED_IN_RUSSIAN = re.compile(r"(?=.*[\u0400-\u04ff]).*01\d{14}", re.DOTALL).match
_LONGEST_SHOWN = 40
_SAID: Mapping[UnreadReason, tuple[str, Words]] = {
    UnreadReason.KEYBOARD_LAYOUT: ("keyboard-layout", Words(
        "The scan holds Cyrillic letters: switch the keyboard to the Latin layout and scan again.", "В коде русские буквы: переключите клавиатуру на латинскую раскладку и отсканируйте снова.",
    )),
    UnreadReason.CAPS_LOCK: ("caps-lock", Words(
        "Caps Lock is on: switch it off and scan again.", "Включён Caps Lock: выключите его и отсканируйте снова.",
    )),
    UnreadReason.NOT_GS1: ("not-gs1", Words(
        "The symbol is no GS1 code ({0}): scan the square code of the maker's pack.", "Это не код GS1 ({0}): отсканируйте квадратный код на упаковке производителя.",
    )),
    UnreadReason.SEPARATOR_LOST: ("separator-lost", Words(
        "The scanner dropped the separator of the code, and where its parts end cannot be told: set the scanner to send GS and the prefix ]d2, or use a camera. {0}",
        "Сканер потерял разделитель, и где кончаются части кода, сказать нельзя: настройте сканер на передачу GS и префикса ]d2 или считайте камерой. {0}",
    )),
    UnreadReason.CHECK_DIGIT: ("gtin", Words(
        "The check digit of GTIN {0} is wrong: scan again.", "Контрольная цифра GTIN {0} не сходится: отсканируйте снова.",
    )),
    UnreadReason.NO_SUCH_DATE: ("unread-code", Words(
        "The code holds a date that does not exist ({0}): scan again, or enter the pack by hand.", "В коде несуществующая дата ({0}): отсканируйте снова или введите упаковку вручную.",
    )),
    UnreadReason.ELEMENTS: ("unread-code", Words(
        "The code has other parts than those of a medicine's pack ({0}): enter the pack by hand.", "В коде не те части, что у лекарственной упаковки ({0}): введите упаковку вручную.",
    )),
    UnreadReason.FORM: ("unread-code", Words(
        "The code cannot be read as a maker's code ({0}): scan again, or enter the pack by hand.", "Код не читается как код производителя ({0}): отсканируйте снова или введите упаковку вручную.",
    )),
}  # fmt: skip


def read_makers_code(scanned: str, today: date) -> MakersCode | Refusal | None:
    """Read a scan of a maker's pack; None where it does not claim to be one (a code of the stock room's own).

    A text that holds a GTIN in any other form is a maker's code without a serial: it names a product, never a single pack.
    """
    gtin = bare_gtin(scanned)
    if not gtin and (looks_like_gs1(scanned) or _TYPED_IN_RUSSIAN(scanned)):
        return _read(scanned, today)
    held = gtin or held_gtin(scanned)
    return MakersCode(held, scanned=scanned) if held else None


def _read(scanned: str, today: date) -> MakersCode | Refusal:
    if is_medicine_code(scanned):
        code = read_medicine_code(scanned)
        return _refused(code) if isinstance(code, Unread) else MakersCode(code.gtin, code.serial, proof=code.key + code.signature, scanned=scanned)
    said = read_elements(scanned, today)
    if isinstance(said, Unread) or is_cut_short(said):
        return _refused(said if isinstance(said, Unread) else Unread(UnreadReason.SEPARATOR_LOST, scanned))
    return MakersCode(said.gtin, said.serial, said.lot, said.expires_on, scanned=scanned)


def _refused(unread: Unread) -> Refusal:
    code, words = _SAID[unread.reason]
    shown = "".join(letter if letter.isprintable() else "·" for letter in unread.detail[:_LONGEST_SHOWN])
    return Refusal(code, words.en.format(shown), words.ru.format(shown))
