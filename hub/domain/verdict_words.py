"""The rules that a verdict on a pouch is made by, each with its sentence in both languages and its source.

A sentence is written once: what the ledger recorded in English is told in Russian by the same pair (`recorded_words`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.orders import Reason
from hub.domain.packs import PackState
from hub.domain.state_words import state_ru
from hub.domain.words import Words

_RELEASE = "docs/architecture.md, invariants: 5"
_CODES = "docs/verification.md, codes"
_PICTURE = "docs/verification.md, what a picture can tell"
_LOOK_ALIKES = "docs/verification.md, tablets that look alike"
_ONCE = "docs/architecture.md, invariants: 9"
_EVIDENCE = "docs/evidence-kept.md"


class VerdictRule(StrEnum):
    """What speaks for or against a pouch."""

    OWN_CODE = "own-code"
    TWO_CODES = "two-codes"
    NOT_OUR_CODE = "not-our-code"
    UNKNOWN_SERIAL = "unknown-serial"
    OTHER_POUCH = "other-pouch"
    REVOKED_LABEL = "revoked-label"
    CODES_DISAGREE = "codes-disagree"
    MAKERS_CODE = "makers-code"
    NO_CODE = "no-code"
    NO_CAMERA = "no-camera"
    NO_POUCH = "no-pouch"
    POUCH_REVOKED = "pouch-revoked"
    POUCH_IN_DOUBT = "pouch-in-doubt"
    POUCH_ELSEWHERE = "pouch-elsewhere"
    DROP_COUNT = "drop-count"
    DROP_RECORDS = "drop-records"
    PICTURE_COUNT = "picture-count"
    PICTURE_STRANGER = "picture-stranger"
    PICTURE_UNCERTAIN = "picture-uncertain"
    PICTURE_GUESS = "picture-guess"
    PICTURE_BLIND = "picture-blind"
    PICTURE_DOUBT = "picture-doubt"
    EVIDENCE_NOT_KEPT = "evidence-not-kept"
    CASSETTE_RECORD = "cassette-record"
    LOOK_ALIKE_TABLETS = "look-alike-tablets"


@dataclass(frozen=True, slots=True)
class _Sentence:
    en: str
    ru: str
    source: str


SENTENCES: Mapping[VerdictRule, _Sentence] = {
    VerdictRule.OWN_CODE: _Sentence("its own code was read, and {0} counted by the drop sensor", "прочитан её собственный код, датчик насчитал {0}", _RELEASE),
    VerdictRule.TWO_CODES: _Sentence("{0} different Data Matrix codes are in sight", "видно разных Data Matrix: {0}", _CODES),
    VerdictRule.NOT_OUR_CODE: _Sentence(
        "the label says {0}, not {1}: that is no serial of ours, its check character is wrong", "на этикетке {0}, а не {1}: это не наш номер, контрольный знак не сходится", _CODES,
    ),
    VerdictRule.UNKNOWN_SERIAL: _Sentence(
        "the label says {0}, not {1}: this site never made such a pack", "на этикетке {0}, а не {1}: у нас такой упаковки не делали", _CODES,
    ),
    VerdictRule.OTHER_POUCH: _Sentence("the label is that of pack {0} for {1}, not of {2}", "этикетка упаковки {0} для «{1}», а не {2}", _CODES),
    VerdictRule.REVOKED_LABEL: _Sentence(
        "the label is that of pack {0}, which is revoked or has ended, not of {1}", "этикетка упаковки {0}, которая отозвана или закончена, а не {1}", _CODES,
    ),
    VerdictRule.CODES_DISAGREE: _Sentence("the Code 128 says {0} and contradicts the pouch's serial", "Code 128 говорит {0} и противоречит номеру пакета", _CODES),
    VerdictRule.MAKERS_CODE: _Sentence(
        "a code that is not of our labels lies in sight ({0}): take it away", "в поле зрения код не с нашей этикетки ({0}): уберите его", _CODES,
    ),
    VerdictRule.NO_CODE: _Sentence("no Data Matrix could be read", "Data Matrix не читается", _CODES),
    VerdictRule.NO_CAMERA: _Sentence("the camera does not answer", "камера не отвечает", _RELEASE),
    VerdictRule.NO_POUCH: _Sentence("no pouch is in sight", "пакета не видно", _RELEASE),
    VerdictRule.POUCH_REVOKED: _Sentence("revoked: {0}", "отозвана: {0}", "docs/architecture.md, invariants: 7"),
    VerdictRule.POUCH_IN_DOUBT: _Sentence("it was in doubt: it is destroyed in any case", "содержимое под сомнением: уничтожается в любом случае", _ONCE),
    VerdictRule.POUCH_ELSEWHERE: _Sentence(
        "by the books this pouch is {0}, not just made: nobody knows what lies here", "по записям упаковка {0}, а не только что сделана: что здесь лежит, неизвестно", _RELEASE,
    ),
    VerdictRule.DROP_COUNT: _Sentence("the drop sensor counted {0} where {1} were asked for", "датчик насчитал {0}, запрошено {1}", _RELEASE),
    VerdictRule.DROP_RECORDS: _Sentence("the machine's records tell of {0} dropped, {1} are expected", "по записям автомата упало {0}, ожидалось {1}", _RELEASE),
    VerdictRule.PICTURE_COUNT: _Sentence("the picture shows {0}, {1} are expected", "на снимке {0}, ожидалось {1}", _PICTURE),
    VerdictRule.PICTURE_STRANGER: _Sentence(
        "the picture shows a tablet that is none of the confirmed looks of this pouch", "на снимке таблетка, не похожая ни на один подтверждённый образец этого пакета", _PICTURE,
    ),
    VerdictRule.PICTURE_UNCERTAIN: _Sentence(
        "the picture does not show each of the {0} alone and whole", "на снимке не видно каждую из {0} отдельно и целиком", _PICTURE,
    ),
    VerdictRule.PICTURE_GUESS: _Sentence("the picture seems to show {0}, {1} are expected", "на снимке, похоже, {0}, ожидалось {1}", _PICTURE),
    VerdictRule.PICTURE_BLIND: _Sentence("the picture cannot tell how many there are", "по снимку нельзя сосчитать содержимое", _PICTURE),
    VerdictRule.EVIDENCE_NOT_KEPT: _Sentence("its frames could not be kept: {0}", "снимки не удалось сохранить: {0}", _EVIDENCE),
    VerdictRule.CASSETTE_RECORD: _Sentence(
        "look alike on pictures: {0} and {1}, so that it is the right one rests on the cassette's record", "на снимке неразличимы: {0} и {1}, поэтому верность препарата держится на записи о загрузке кассеты", _LOOK_ALIKES,
    ),
    VerdictRule.LOOK_ALIKE_TABLETS: _Sentence(
        "look alike on pictures: {0} and {1}, and the cassette's record is missing or in doubt", "на снимке неразличимы: {0} и {1}, а записи о загрузке кассеты нет или она под сомнением", _LOOK_ALIKES,
    ),
}  # fmt: skip

PICTURE_DOUBTS: Mapping[str, str] = {
    "no picture came that can be looked into": "нет ни одного снимка, который удалось бы разобрать",
    "no pouch label found": "этикетка пакета не найдена",
    "something is not the outline of one expected tablet": "что-то не похоже по контуру на одну ожидаемую таблетку",
    "something reaches under the label or out of the picture": "что-то уходит под этикетку или за край снимка",
    "the lower edge of the label is not clear": "нижний край этикетки неясен",
    "glare on the label, which may hide its edge": "блик на этикетке, он может скрывать её край",
    "the pouch reaches out of the picture": "пакет выходит за край снимка",
    "a fragment too small for a tablet": "осколок, слишком малый для таблетки",
    "an expected tablet is as dark as the base": "ожидаемая таблетка так же темна, как подложка",
    "more things than can be counted": "предметов больше, чем можно сосчитать",
    "a tablet has not the colour and outline of any expected tablet left": "таблетка ни цветом, ни контуром не подходит к оставшимся ожидаемым",
    "the pouch moved between the pictures": "пакет сдвинулся между снимками",
    "a code that is not of our labels": "код не с нашей этикетки",
}
"""What stands between a picture and a certain count, in Russian by the English of the camera's notes."""
_UNKNOWN_LOOKS = (r"nobody recorded what (\d+) of the tablets should look like", "никто не записал, как выглядят {0} из таблеток")


def verdict_reason(rule: VerdictRule, *parts: object) -> Reason:
    """Return the reason of a rule, its sentence filled in; a part in `Words` is said in each language's own."""
    sentence = SENTENCES[rule]
    english, russian = ([part.said(language) if isinstance(part, Words) else part for part in parts] for language in ("en", "ru"))
    return Reason(rule.value, sentence.en.format(*english), sentence.source, sentence.ru.format(*russian))


def pouch_elsewhere(state: PackState) -> Reason:
    """Return the reason for a pouch that the books have in another place than at the camera."""
    return verdict_reason(VerdictRule.POUCH_ELSEWHERE, Words(state.value, state_ru(state)))


def picture_doubt(words: Words) -> Reason:
    """Return the reason for a doubt that the camera told of, in its own words."""
    return Reason(VerdictRule.PICTURE_DOUBT.value, words.en, _PICTURE, words.ru)


def recorded_verdicts() -> tuple[tuple[str, str], ...]:
    """Return (pattern of the recorded English, Russian) of every sentence of a verdict."""
    nested = (VerdictRule.POUCH_REVOKED, VerdictRule.POUCH_ELSEWHERE)
    told = [(_pattern(each.en), each.ru) for rule, each in SENTENCES.items() if rule not in nested]
    elsewhere = [(re.escape(reason.text), reason.text_ru) for reason in map(pouch_elsewhere, PackState)]
    doubts = [(re.escape(english), russian) for english, russian in PICTURE_DOUBTS.items()]
    return (*told, *elsewhere, *doubts, _UNKNOWN_LOOKS)


def _pattern(template: str) -> str:
    return re.sub(r"\\\{\d\\\}", "(.+?)", re.escape(template))
