"""Invariant 4: tablets are conserved, and what was packed, loaded and given has moved."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from hub.demo.invariants.story import PACK_ENDS, Answer, Data, Story, Units, units_of

Lot = tuple[str, str]
MAY_BE_NEGATIVE = frozenset({"supplier", "surplus"})


def balances(story: Story) -> dict[tuple[str, Lot], Fraction]:
    """Return the balance of every (account, (item, lot)) by the stock moves."""
    held: dict[tuple[str, Lot], Fraction] = defaultdict(Fraction)
    for move in story.moves:
        lot = (move["item"], move["lot"])
        held[move["from"], lot] -= Fraction(move["quantity"])
        held[move["to"], lot] += Fraction(move["quantity"])
    return held


def imbalanced(story: Story) -> int:
    """Return how many lots do not sum to zero, and how many accounts are negative that may not be."""
    held = balances(story)
    lots: dict[Lot, Fraction] = defaultdict(Fraction)
    for (_, lot), quantity in held.items():
        lots[lot] += quantity
    negative = sum(1 for (account, _), quantity in held.items() if quantity < 0 and account not in MAY_BE_NEGATIVE)
    return sum(1 for quantity in lots.values() if quantity) + negative


def conserved(story: Story) -> Answer:
    """4: lots balance, nothing is negative, an ended pack holds nothing, and every loading, filling and giving has its moves."""
    ended = {f"pack:{pack['pack']}" for pack in story.of(*PACK_ENDS)}
    left = [account for (account, _), quantity in balances(story).items() if quantity and account in ended]
    moved = _loaded(story) and _packs_filled(story) and _patients_got(story) and _ward_doses_moved(story)
    return imbalanced(story) == 0 and not left and moved


def _loaded(story: Story) -> bool:
    """Tell whether what went into each cassette by the moves is what was recorded as loaded, lot by lot."""
    moves = [
        {**move, "cassette": move["to"].removeprefix("cassette:")} for move in story.moves if move["because"] == "cassette-load"
    ]
    return _by_place(moves) == _by_place(story.of("cassette-loaded"))


def _by_place(facts: Iterable[Data]) -> dict[tuple[str, str, str], Fraction]:
    held: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for fact in facts:
        held[str(fact["cassette"]), fact["item"], fact["lot"]] += Fraction(fact["quantity"])
    return held


def _packs_filled(story: Story) -> bool:
    """Tell whether every pack that passed or was released holds by its moves what its doses ask for."""
    passed = {data["pack"] for data in story.of("pack-verified") if data["verdict"] == "PASS"}
    released = {data["pack"] for data in story.of("pack-released")}
    return all(story.filled.get(pack) == story.wanted(pack) for pack in passed | released)


def _patients_got(story: Story) -> bool:
    """Tell whether each patient got by the moves, pack by pack and drug by drug, the doses that were given."""
    given: dict[tuple[str, str], list[Data]] = defaultdict(list)
    for data in story.of("dose-given"):
        planned = story.planned.get(data["dose"])
        if planned is None or Fraction(planned["units"]) != Fraction(data["units"]):
            return False
        given[data["patient"], data["pack"] or ""].append(planned)
    moved: dict[tuple[str, str], Units] = defaultdict(lambda: defaultdict(Fraction))
    for move in story.moves:
        if move["to"].startswith("patient:"):
            source = move["from"].removeprefix("pack:") if move["from"].startswith("pack:") else ""
            moved[move["to"].removeprefix("patient:"), source][move["item"]] += Fraction(move["quantity"])
    return {key: units_of(doses) for key, doses in given.items()} == {key: dict(units) for key, units in moved.items()}


def _ward_doses_moved(story: Story) -> bool:
    """Tell whether every dose given without a pack has a move of its own out of a ward's stock."""
    moves = {move.get("dose"): move for move in story.moves if move["because"] == "given" and move["from"].startswith("ward:")}
    return all(
        (move := moves.get(data["dose"])) is not None and Fraction(move["quantity"]) == Fraction(data["units"])
        for data in story.of("dose-given")
        if data["pack"] is None
    )
