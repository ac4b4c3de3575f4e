"""Sources of rules in Russian words; names of files, standards and their members stay as they are written there."""

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "Kemerovo order 1088": "приказ № 1088 (Кемерово)", "order 1088": "приказ № 1088", "section": "раздел", "appendix": "приложение",
    "separate lists for the ward's and the treatment nurse": "отдельные листы постовой и процедурной медсестры",
    "the senior nurses are told of errors in the sheets": "старшим медсёстрам сообщают об ошибках в листах",
    "list of discharged patients": "список выписанных", "drug directory": "справочник препаратов", "directory INN, trade name and group": "справочник: МНН, название и группа",
    "patient's allergies": "аллергии пациента", "classes by ATC and INN stems": "классы по АТХ и основам МНН",
    "the ward's time-table": "распорядок отделения", "route table of the lanes": "таблица путей введения", "cut times of the intake slots": "время отсечек приёмов",
    "books of the cassettes": "учёт кассет", "priority of the order": "срочность назначения", "code table of the source": "таблица кодов источника",
    "settings of the source": "настройки источника", "the settings of the hub": "настройки системы", "settings of the house": "настройки больницы",
    "the house's own choices": "собственные правила больницы", "invariants": "инварианты", "step": "шаг", "ledger": "журнал",
    "custody is proven by scans": "передачу подтверждают сканированием", "the hub's own records": "записи системы", "the table of roles": "таблица ролей",
    "changes of the day": "изменения за день", "format of the sheet": "формат листа", "note of the order": "примечание назначения",
    "schedule of the order": "расписание назначения", "as-needed doses mostly come back": "дозы по требованию чаще всего возвращаются",
    "FHIR R4 modifier elements": "модифицирующие элементы FHIR R4", "plausibility": "правдоподобие", "intake slots": "приёмы дня", "sheet": "лист",
    "a deed has its reason in words": "у действия есть причина словами", "an event id means one thing": "номер события означает одно действие",
    "the same sheet twice changes nothing": "тот же лист второй раз ничего не меняет",
    "a high-alert or look-alike drug is confirmed by two people": "опасный или похожий препарат подтверждают двое",
    "the prescriber's own maximum": "предел, указанный врачом", "pharmaceutical advice": "фармацевтическая экспертиза",
    "two identifiers of a patient": "два признака пациента",
}  # fmt: skip
_PHRASE = re.compile("|".join(rf"(?<![\w/.-]){re.escape(phrase)}(?![\w/-]|\.\w)" for phrase in sorted(_WORDS, key=len, reverse=True)))


def source_ru(source: str) -> str:
    """Return where a rule is written, in Russian as far as it has a name here."""
    return _PHRASE.sub(lambda found: _WORDS[found[0]], source)
