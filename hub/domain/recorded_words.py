"""The ledger's own English reasons in Russian: what a dose or pack ended of is recorded once, and told in both languages."""

import re
from collections.abc import Mapping

from hub.domain.camera_words import CAMERA_RU
from hub.domain.commands import REASONS
from hub.domain.doses import Lane
from hub.domain.label_reasons import CANNOT_BE_DRAWN, label_reason_ru
from hub.domain.machine_words import QUESTIONS_RU
from hub.domain.verdict_words import recorded_verdicts

_ORDERS: Mapping[str, str] = {
    "stopped": "отменено", "cancelled": "аннулировано", "completed": "выполнено", "entered-in-error": "внесено ошибочно", "unknown": "неизвестно",
    "active": "действует", "on-hold": "приостановлено", "rejected": "отклонено", "needs-review": "на проверке у провизора",
    "excluded": "не обслуживается аптекой", "not-packable": "не упаковывается", "prn": "по требованию", "received": "получено",
}  # fmt: skip
_LANES: Mapping[str, str] = {
    Lane.COLD.value: "хранимое в холоде", Lane.HAZARDOUS.value: "опасное", Lane.HALF_TABLET.value: "делёное",
}  # fmt: skip
_EXACT: Mapping[str, str] = {
    "the order was put on hold": "назначение приостановлено",
    "the order was changed": "назначение изменено",
    "the order is to be changed from then on": "назначение с этого времени будет изменено",
    "the order was changed before its dose was packed": "назначение изменено до фасовки дозы",
    "the order ends before the dose is due": "назначение кончается раньше времени дозы",
    "the patient leaves before the dose is due": "пациент выбывает раньше времени дозы",
    "the patient's orders were judged anew": "назначения пациента решены заново",
    "stays in the ward's stock": "остаётся в запасе отделения",
    "no cassette holds enough tablets: packed by hand": "ни в одной кассете нет столько таблеток: фасуется вручную",
    "not made or not given within four hours of its time": "не сделана или не дана в течение четырёх часов после своего времени",
    "not made in time": "не сделана вовремя",
    "not given in time": "не дана вовремя",
    "the machine refused the job": "автомат отклонил задание",
    "its label was replaced by a new one": "её этикетка заменена новой",
    "its label was too full: its doses go into smaller packs": "на её этикетку всё не поместилось: дозы разложат в упаковки поменьше",
    "let out without a verdict": "выпущена автоматом без проверки",
    "the machine diverted it without a verdict": "автомат отвёл её в брак без проверки",
    "power was lost while it was filled: it is in doubt and will be destroyed": "питание пропало при наполнении: содержимое под сомнением, будет уничтожена",
    "the machine says that this pouch was in doubt: hand it back": "автомат сообщил, что содержимое было под сомнением: верните её",
    "it was in doubt: it is destroyed in any case": "содержимое под сомнением: уничтожается в любом случае",
    "a pack that it was learned from was withdrawn": "упаковка, по которой изучали образец, отозвана",
    "came back opened": "вернулась вскрытой",
    "a lot in it was recalled or has expired": "серия в ней отозвана или просрочена",
    "returned": "возвращена",
    "refused": "пациент отказался", "asleep": "пациент спит", "absent": "пациента нет на месте", "fasting": "внутрь нельзя",
    "vomited": "пациента вырвало", "held": "врач велел подождать",
    "source pack and label scanned": "исходная упаковка и этикетка отсканированы",
    "the Code 128 contradicts the pouch's serial": "Code 128 противоречит номеру пакета",
    **{reason.en: reason.ru for reason in REASONS.values()},
    "looked at at the review station": "осмотрен на месте проверки",
    "Leave it locked": "оставить заблокированной", "Leave it": "оставить",
    "not made yet": "ещё не сделана", "at the camera station": "у камеры", "leaving the machine": "выходит из автомата",
    "waits for a person's decision": "ждёт решения человека", "released: scan it into its drawer": "выпущена: отсканируйте в её ящик",
}  # fmt: skip
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"the order ended at (.+)", "назначение окончилось {0}"),
    (r"'(.+)' of (.+) means '(.+)' now", "«{0}» источника {1} теперь означает «{2}»"),
    (r"the patient moved to (.+), which keeps its own procedure", "пациент переведён в «{0}», где свой порядок"),
    (r"the patient moved to (.+), room (.+)", "пациент переведён: {0}, палата {1}"),
    (r"the patient died at (\S+) on (\S+)", "пациент умер {1} в {0}"),
    (r"the patient leaves at (\S+) on (\S+)", "пациент выбывает {1} в {0}"),
    (r"the patient left at (\S+)", "пациент выбыл {0}"),
    (r"no lot of (.+) in the store holds (\S+) and outlives the dose", "на складе нет серии {0} на {1} ед., годной до времени дозы"),
    (r"another look came with lot (.+)", "пришла серия {0} с другим видом"),
    (r"its pouch failed (\d+) times", "её пакет не прошёл проверку {0} раз"),
    (r"expired on (\S+)", "срок годности истёк {0}"),
    (r"lot (.+?) of (.+?) was recalled: (.+)", "серия {0} препарата {1} отозвана: {2}"),
    (r"the label says (.+), not (.+)", "на этикетке {0}, а не {1}"),
    (r"the drop sensor counted (\d+) of (\d+) from cassette (\d+)", "датчик насчитал {0} из {1} из кассеты {2}"),
    (r"the machine dropped from cassette (\d+), cassette (\d+) was planned", "автомат взял из кассеты {0}, запланирована {1}"),
    (r"the machine was asked for (\d+) from cassette (\d+), (\d+) were planned", "у автомата запрошено {0} из кассеты {1}, запланировано {2}"),
    (r"to be given once, and the dose of (.+) on (\S+) was (given|missed)", "даётся однократно, а доза {1} в {0} уже дана или пропущена"),
    (
        r"too soon after the dose of (\S+) on (\S+) that was given: not before (\S+) on (\S+)",
        "слишком скоро после данной дозы {1} в {0}: не раньше {3} в {2}",
    ),
)
_COMPILED = tuple((re.compile(pattern), russian) for pattern, russian in (*recorded_verdicts(), *_PATTERNS, *QUESTIONS_RU, *CAMERA_RU))
_ORDER = re.compile(r"the order (?:was|is) ([a-z-]+)( when its doses are packed)?")
_STOCK = re.compile(r"(.+): stays in the ward's stock")
_REVOKED = re.compile(r"revoked: (.+)")
_UNREADABLE = re.compile(r"label unreadable: (.+)")
_ENTERED = re.compile(r"entered in error \((.+)\), and its order is not in force as it was")
_NOT_RESTOCKED = re.compile(r"([a-z-]+) items are not restocked")


def in_russian(recorded: str, known: Mapping[str, str] | None = None) -> str:
    """Return a recorded reason in Russian; a person's own words stay as they were written.

    `known` are sentences that have their Russian elsewhere (the reasons of an order), by their English.
    """
    if known and recorded in known:
        return known[recorded] or recorded
    for english, russian in sorted((known or {}).items(), key=lambda each: -len(each[0])):
        if english and russian:
            recorded = recorded.replace(english, russian)
    return "; ".join(_clause(clause) for clause in recorded.split("; "))


def _clause(clause: str) -> str:
    """Return one clause of a reason in Russian."""
    if clause in _EXACT:
        return _EXACT[clause]
    order = _ORDER.fullmatch(clause)
    if order is not None and order[1] in _ORDERS:
        return f"назначение {_ORDERS[order[1]]}{' к моменту фасовки' if order[2] else ''}"
    return _nested(clause) or _by_pattern(clause)


def _nested(clause: str) -> str:
    """Return a clause that holds another one, or an empty text."""
    if (stock := _STOCK.fullmatch(clause)) is not None:
        return f"{_clause(stock[1])}: остаётся в запасе отделения"
    if (revoked := _REVOKED.fullmatch(clause)) is not None:
        return f"отозвана: {_clause(revoked[1])}"
    if (unreadable := _UNREADABLE.fullmatch(clause)) is not None:
        return f"этикетка не читается: {_clause(unreadable[1])}"
    if (drawn := CANNOT_BE_DRAWN.fullmatch(clause)) is not None:
        return f"этикетку нельзя напечатать: {label_reason_ru(drawn[1])}"
    if (entered := _ENTERED.fullmatch(clause)) is not None:
        return f"внесено ошибочно ({entered[1]}), а назначение уже не действует в прежнем виде"
    if (lane := _NOT_RESTOCKED.fullmatch(clause)) is not None:
        return f"{_LANES.get(lane[1], lane[1])} на склад не возвращают"
    return ""


def _by_pattern(clause: str) -> str:
    for pattern, russian in _COMPILED:
        if (found := pattern.fullmatch(clause)) is not None:
            return russian.format(*found.groups())
    return clause
