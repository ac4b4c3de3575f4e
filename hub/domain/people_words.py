"""Roles and deeds in Russian words, as a refusal names them."""

from collections.abc import Mapping

from hub.domain.people import Action, Role

ROLES_RU: Mapping[Role, str] = {
    Role.TECHNICIAN: "фармацевт", Role.PHARMACIST: "провизор", Role.NURSE: "постовая медсестра", Role.SENIOR_NURSE: "старшая медсестра",
    Role.TREATMENT_NURSE: "процедурная медсестра", Role.ENGINEER: "инженер", Role.HEAD: "руководитель", Role.CONTROLLER: "контролёр", Role.SYSTEM: "система",
}  # fmt: skip
ACTIONS_RU: Mapping[Action, str] = {
    Action.RECEIVE_SHEETS: "принимать листы назначений", Action.DECIDE_LINES: "решать о строках", Action.RETURN_LINES: "работать с возвращёнными строками",
    Action.CANCEL_ADMINISTRATION: "отменять запись о даче", Action.RECEIVE_STOCK: "принимать товар", Action.RECALL: "отзывать серии",
    Action.LOAD_CASSETTES: "загружать кассеты", Action.PACK: "фасовать", Action.DECIDE_REVIEWS: "решать вопросы о пакетах",
    Action.PRINT_LABELS: "печатать бейджи, карточки и описи",
    Action.LOAD_TROLLEY: "загружать тележку", Action.RECEIVE_TROLLEY: "принимать тележку", Action.RECEIVE_AMPOULES: "получать ампулы",
    Action.ADMINISTER: "давать препараты", Action.RETURN_PACKS: "возвращать упаковки", Action.OPERATE_DEVICES: "работать с автоматами",
    Action.SERVE_DEVICES: "обслуживать автоматы", Action.READ_LINE: "смотреть линию", Action.READ_MISSES: "смотреть пропуски проверок", Action.READ_LOOKING: "смотреть время решений по людям", Action.READ_WARD: "смотреть отделение",
    Action.READ_LEDGER: "читать журнал", Action.ADVANCE_CLOCK: "переводить часы",
}  # fmt: skip
