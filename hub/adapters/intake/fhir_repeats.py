"""Orders that come again in one file: the same one word for word, or another one under the same id.

The first pass sees every id in a bit map of fixed size; only the orders of ids that may have come before are held for the second one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.adapters.intake.fhir_found import Found
from hub.adapters.intake.fhir_model import MedicationRequest

MAP_BITS = 2**26
Content = MedicationRequest | bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order whose id came more than once: it is the first one, another one, or said before word for word.

    `differs_from`: where the first one is, for another one; where the other ones are, for the first. `again`: where it is repeated.
    """

    is_first: bool
    is_said: bool = False
    again: tuple[str, ...] = ()
    differs_from: tuple[str, ...] = ()


@dataclass(slots=True)
class Repeats:
    """`see` every order once in the file's order, then ask what is `known` of each of them in the same order.

    `later` holds the orders whose two bits were set before them: those that come again, and the few that share them by chance. `identity`
    and `content` give an order's id (never empty) and what is compared of two orders of one id.
    """

    identity: Callable[[Found], str]
    content: Callable[[Found], Content]
    seen: bytearray = field(default_factory=lambda: bytearray(MAP_BITS // 8))
    later: dict[str, list[tuple[str, Content]]] = field(default_factory=dict)
    firsts: dict[str, list[tuple[str, Content]]] = field(default_factory=dict)

    def see(self, found: Found) -> None:
        """Remember the id of an order, and its content where the id may have come before."""
        identity, seen = self.identity(found), self.seen
        mixed = hash(identity)
        one, two = mixed % MAP_BITS, (mixed >> 26) % MAP_BITS
        if seen[one >> 3] >> (one & 7) & 1 and seen[two >> 3] >> (two & 7) & 1:
            self.later.setdefault(identity, []).append((found.position, self.content(found)))
        seen[one >> 3] |= 1 << (one & 7)
        seen[two >> 3] |= 1 << (two & 7)

    def known(self, found: Found) -> Known | None:
        """Return what is known of an order; None where its id comes only once."""
        identity = self.identity(found) if self.later else ""
        if identity not in self.later:
            return None
        content, firsts = self.content(found), self.firsts.setdefault(identity, [])
        if any(content == first for _, first in firsts):
            return Known(is_first=False, is_said=True)
        firsts.append((found.position, content))
        after = [(place, other == content) for place, other in self.later[identity] if place != found.position]
        again = tuple(place for place, is_same in after if is_same)
        if len(firsts) > 1:
            return Known(False, again=again, differs_from=(firsts[0][0],))
        return Known(True, again=again, differs_from=tuple(place for place, is_same in after if not is_same))
