"""The words around every page's own: links, sign-out, notices; in Russian and English."""

from hub.web.pages.spoken import Table, spoken

_WORDS: Table = {
    "Line": ("Линия", "Line"), "Station": ("Осмотр", "Station"), "Misses": ("Пропуски", "Misses"), "Returned": ("Возвраты", "Returned"), "Trolleys": ("Тележки", "Trolleys"), "Ward round": ("Обход", "Ward round"),
    "Devices": ("Автоматы", "Devices"), "Intake": ("Приём", "Intake"), "Review": ("Проверка", "Review"), "Codes": ("Коды", "Codes"), "Names": ("Названия", "Names"), "Tablets": ("Таблетки", "Tablets"), "Ledger": ("Журнал", "Ledger"), "Labels": ("Этикетки", "Labels"), "Packs": ("Упаковки", "Packs"),
    "Pictures": ("Снимки", "Pictures"), "more": ("Ещё", "More"),
    "of_line": ("Линия", "The line"), "of_store": ("Склад", "The store"), "of_wards": ("Отделения", "The wards"), "of_orders": ("Назначения", "Orders"), "of_directory": ("Справочники", "The directory"), "of_books": ("Учёт", "The books"),
    "Lines": ("Строки", "Lines"), "why": ("Почему?", "Why?"), "pages": ("Страницы", "Pages"), "content": ("К содержанию", "To the content"),
    "sign_in": ("Войти", "Sign in"), "badge_then_pin": ("Отсканируйте бейдж, затем наберите PIN.", "Scan your badge, then type your PIN."), "badge": ("Бейдж", "Badge"), "stop": ("Стоп", "Stop"),
    "sign_out": ("Выйти", "Sign out"), "demonstration": ("Демонстрация", "Demonstration"), "other_language": ("English", "По-русски"),
    "stepped": ("Часы этой системы переводят вручную", "The clock of this hub is stepped on by hand"),
    "away": (
        "Система не отвечает. То, что на экране, может быть старым; сканирования сейчас не записываются.",
        "The hub does not answer. What you see may be old; nothing you scan now is recorded.",
    ),
    "no_script": ("Для сканирования нужен JavaScript: разрешите его для этой системы.", "Scanning needs JavaScript: allow it for this hub."),
    "my_page": ("На мою страницу", "To my page"), "somebody_else": ("Войти другим человеком", "Sign in as somebody else"),
    "not_for_role": ("Эта страница не для вашей роли", "This page is not for your role"), "no_page": ("Такой страницы нет", "There is no such page"),
    "cannot": ("Это нельзя показать", "This cannot be shown"),
}  # fmt: skip


def frame_words(language: str) -> dict[str, str]:
    """Return every word around a page in `ru` or `en`."""
    return spoken(_WORDS, language)
