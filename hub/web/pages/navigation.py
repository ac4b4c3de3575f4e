"""The pages that a person may open: those of every day in a row, the rest in a menu, by who works there."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.people import Action, Role, may


@dataclass(frozen=True, slots=True)
class Link:
    """A page: its path, its name and that of its group (both of frame_words.py), and the right that opens it."""

    path: str
    name: str
    group: str
    action: Action

    def holds(self, here: str) -> bool:
        """Tell whether a path is this page or lies under it."""
        return here == self.path or here.startswith(f"{self.path}/")


LINKS = (
    Link("/line", "Line", "of_line", Action.READ_LINE),
    Link("/station", "Station", "of_line", Action.DECIDE_REVIEWS),
    Link("/evidence", "Pictures", "of_line", Action.DECIDE_REVIEWS),
    Link("/devices", "Devices", "of_line", Action.READ_LINE),
    Link("/packs", "Packs", "of_store", Action.RECEIVE_STOCK),
    Link("/labels", "Labels", "of_store", Action.PRINT_LABELS),
    Link("/trolley", "Trolleys", "of_wards", Action.READ_WARD),
    Link("/ward", "Ward round", "of_wards", Action.READ_WARD),
    Link("/returned", "Returned", "of_wards", Action.RETURN_LINES),
    Link("/intake", "Intake", "of_orders", Action.RECEIVE_SHEETS),
    Link("/lines", "Lines", "of_orders", Action.READ_LINE),
    Link("/review", "Review", "of_orders", Action.READ_LINE),
    Link("/codes", "Codes", "of_directory", Action.READ_LINE),
    Link("/look-alikes", "Names", "of_directory", Action.READ_LINE),
    Link("/references", "Tablets", "of_directory", Action.DECIDE_REVIEWS),
    Link("/ledger", "Ledger", "of_books", Action.READ_LEDGER),
    Link("/misses", "Misses", "of_books", Action.READ_MISSES),
)
DAILY: Mapping[Role, tuple[str, ...]] = {
    Role.TECHNICIAN: ("/line", "/station", "/packs", "/trolley"),
    Role.PHARMACIST: ("/line", "/station", "/review", "/trolley"),
    Role.NURSE: ("/ward", "/trolley"),
    Role.SENIOR_NURSE: ("/ward", "/trolley", "/returned"),
    Role.TREATMENT_NURSE: ("/ward", "/trolley"),
    Role.ENGINEER: ("/devices", "/line", "/ledger"),
    Role.HEAD: ("/line", "/lines", "/misses", "/ledger"),
    Role.CONTROLLER: ("/ledger", "/line"),
    Role.SYSTEM: ("/intake", "/line"),
}
HOMES: tuple[tuple[Action, str], ...] = (
    (Action.PACK, "/line"),
    (Action.ADMINISTER, "/ward"),
    (Action.OPERATE_DEVICES, "/devices"),
    (Action.READ_LEDGER, "/ledger"),
)


@dataclass(frozen=True, slots=True)
class Navigation:
    """The row, the groups of the menu in their order, and the page of the menu that is open (None: one of the row, or none)."""

    row: tuple[Link, ...]
    menu: Mapping[str, tuple[Link, ...]]
    open: Link | None


def navigation(role: Role, here: str) -> Navigation:
    """Return every page that a role may open, each once."""
    mine = [link for link in LINKS if may(role, link.action)]
    row = tuple(sorted((link for link in mine if link.path in DAILY[role]), key=lambda link: DAILY[role].index(link.path)))
    rest = [link for link in mine if link not in row]
    groups = dict.fromkeys(link.group for link in rest)
    menu = {group: tuple(link for link in rest if link.group == group) for group in groups}
    return Navigation(row, menu, next((link for link in rest if link.holds(here)), None))


def home_of(role: Role) -> str:
    """Return the page that a person of that role works with: the first whose work is theirs."""
    return next((path for action, path in HOMES if may(role, action)), "/line")
