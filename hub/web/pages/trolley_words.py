"""The words of the trolleys' pages, in Russian and English."""

from hub.domain.custody import TrolleyState
from hub.domain.state_words import trolley_state_ru
from hub.web.pages.spoken import Table, spoken

_WORDS: Table = {
    "title": ("Тележки", "Trolleys"), "none_open": ("Открытых тележек нет. Тележка отделения открывается, когда срезается партия.", "No trolley is open. One opens for each department when a batch is cut."),
    "pull_list": ("Список изъятия, для печати", "Pull list, to print"), "all": ("Все тележки", "All trolleys"),
    "scan": ("Сканер", "Scan"), "scan_hint": ("ящик и упаковка", "drawer, then pack; or a pack alone"), "enter": ("Ввод", "Enter"), "ready": ("Готово", "Ready"),
    "prompt": ("Отсканируйте ящик и затем его упаковку, или одну упаковку.", "Scan a drawer and then its pack, or the pack alone."),
    "without_mouse": ("Без мыши: Tab доходит до каждой кнопки, Esc оставляет шаг. Сканирование слов", "Without a mouse: Tab reaches every button, Esc leaves a step. Scanning the words"),
    "or": ("или", "or"), "like_buttons": ("делает то же, что кнопки.", "does what the buttons do."),
    "of": ("из", "of"), "packs_in": ("упаковок внутри", "packs in"), "missing": ("не хватает {count}", "{count} missing"), "inside": ("внутри", "in"),
    "in_trolley": ("Упаковки в тележке", "Packs in the trolley"), "seal_number": ("пломба", "seal"),
    "seal": ("Опломбировать …", "Seal …"), "dispatch": ("Отправить", "Dispatch"), "receive": ("Принять …", "Receive …"), "close": ("Закрыть обход", "Close the round"),
    "print": ("Напечатать список", "Print the list"), "printed": ("Отправлено на принтер, листов:", "Sent to the printer, sheets:"),
    "take_out": ("Изъять и отсканировать", "Take out and scan"), "to_take_out": ("изъять {count}", "{count} to take out"), "out": ("изъять", "take out"),
    "drawer": ("Ящик", "Drawer"), "complete": ("полный", "complete"), "ready_scan": ("готова: сканируйте", "ready: scan it"), "no_pack": ("Упаковок для этой тележки нет.", "No pack belongs to this trolley."),
    "list_title": ("Список изъятия", "Pull list"), "pack": ("Упаковка", "Pack"), "patient": ("Пациент", "Patient"), "contents": ("Содержимое", "Contents"), "why": ("Почему", "Why"),
    "then": ("Затем", "Then"), "replaced_by": ("Взамен", "Replaced by"), "is_out": ("Изъято", "Out"), "keep": ("придержать", "keep it back"), "to_returns": ("в возвраты", "to the returns"),
    "nothing_out": ("Изымать нечего.", "Nothing must come out."), "no_trolley_out": ("Ни в одной тележке нет того, что надо изъять.", "No trolley holds anything that must come out."),
}  # fmt: skip

_SCRIPT: Table = {
    "seal_ask": ("Отсканируйте номер пломбы.", "Scan the number of the seal."), "seal_done": ("Опломбирована: {seal}. Можно отправлять.", "Sealed with {seal}. It may leave now."),
    "receive_ask": ("Отсканируйте пломбу, чтобы принять тележку.", "Scan the seal to receive the trolley."), "receive_done": ("Принята. Пломба цела.", "Received. The seal is whole."),
    "dispatch_done": ("Отправлена: в пути в отделение.", "Dispatched: on its way to the ward."), "close_done": ("Обход закрыт.", "The round is closed."),
    "leaves": ("Esc оставляет шаг.", "Esc leaves it."), "drawer": ("Ящик {drawer}. Теперь отсканируйте его упаковку.", "Drawer {drawer}. Now scan its pack."),
    "out_return": ("{pack} изъята. Положите её в возвраты.", "{pack} is out. Put it to the returns."), "out_keep": ("{pack} изъята. Придержите её: назначение приостановлено.", "{pack} is out. Keep it back: its order is on hold."), "loaded": ("{pack} — в ящик {drawer}.", "{pack} into drawer {drawer}."),
    "still_missing": ("Не хватает упаковок: {missing}.", "{missing} packs are missing."), "all_in": ("Все упаковки на месте: тележку можно пломбировать.", "All packs are in: the trolley can be sealed."),
    "stay_behind": ("Не хватает упаковок: {missing}. Они останутся, и их передадут из рук в руки.", "{missing} packs are missing: they stay behind and go by hand."),
    "no_number": ("Это команда, а не номер пломбы.", "That is a command, not the number of a seal."),
    "prompt": _WORDS["prompt"], "full": ("Ждёт слишком много сканирований. Дождитесь, пока эта строка сменится.", "Too many scans wait. Wait for this line to change."),
    "before": ("Отсканированное ранее записано.", "What was scanned before is recorded."),
}  # fmt: skip


def trolley_words(language: str) -> dict[str, str]:
    """Return every word of the pages in `ru` or `en`."""
    return spoken(_WORDS, language)


def trolley_script_words(language: str) -> dict[str, str]:
    """Return what the page's script says in `ru` or `en`."""
    return spoken(_SCRIPT, language)


def trolley_state(state: str, language: str) -> str:
    """Return a trolley's state as it is shown."""
    return trolley_state_ru(TrolleyState(state)) if language == "ru" else str(state)
