"""What every store must do, whatever database is behind it: a test class that a store's own tests inherit."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from store_records import MORNING, planned_doses

from hub.adapters.ledger_store import entries
from hub.adapters.unit_of_work import EventConflict, SqlUnitOfWork, answered_once
from hub.adapters.writer import Writer
from hub.domain.doses import DoseState, PlannedDose
from hub.domain.identifiers import DeviceId, DrugCode, LotId
from hub.domain.ledger import Shortage
from hub.domain.records import Received
from hub.domain.stock import LOST, STORE, SUPPLIER, SURPLUS, WASTE, Account, StockMove


def move(source: Account, target: Account, quantity: Fraction | int) -> StockMove:
    """Return a move of the lot that all tests use."""
    return StockMove(DrugCode("D1"), LotId("L1"), source, target, Fraction(quantity))


def kinds(work: SqlUnitOfWork) -> list[str]:
    """Return the kinds of all entries, in order."""
    return [entry.kind for entry in entries(work.connection)]


class StoreContract:
    """Inherit this and offer a fixture `store`: an empty Writer whose clock stands at MORNING."""

    def test_a_record_comes_back_as_it_was_put_and_a_second_put_replaces_it(self, store: Writer) -> None:
        (dose,) = planned_doses(1)
        later = replace(dose, state=DoseState.GIVEN, units=Fraction(1, 3), reason="")
        assert store.submit("a", lambda work: (work.doses.put(dose), work.doses.get(dose.id))[1]).result() == dose
        store.submit("a", lambda work: work.doses.put(later)).result()
        assert store.submit("a", lambda work: work.doses.get(dose.id)).result() == later
        assert store.submit("a", lambda work: work.doses.get("unknown")).result() is None

    def test_where_finds_by_equality_by_one_of_several_and_by_nothing(self, store: Writer) -> None:
        doses = planned_doses(60)
        doses[7] = replace(doses[7], pack="P1", state=DoseState.PACKED)  # type: ignore[arg-type]
        doses[9] = replace(doses[9], state=DoseState.GIVEN)
        store.submit("a", lambda work: work.doses.put_many(iter(doses))).result()

        def ask(**equal: Any) -> list[str]:
            return sorted(dose.id for dose in store.submit("a", lambda work: work.doses.where(**equal)).result())

        assert ask() == [dose.id for dose in doses]
        assert ask(pack="P1") == [doses[7].id]
        assert ask(state=[DoseState.PACKED, DoseState.GIVEN]) == [doses[7].id, doses[9].id]
        assert ask(state=()) == []
        assert len(ask(pack=None)) == 59
        assert len(ask(pack=(None, "P1"))) == 60
        assert ask(units=Fraction(1, 2), order="order-3") == [doses[7].id]
        assert store.submit("a", lambda work: work.doses.count(patient="patient-0")).result() == 12

    def test_a_put_after_a_read_writes_what_changed_and_survives_a_failed_decision(self, store: Writer) -> None:
        doses = planned_doses(3)
        store.submit("a", lambda work: work.doses.put_many(doses)).result()

        def give_and_fail(work: SqlUnitOfWork) -> None:
            known = work.doses.get(doses[0].id)
            assert known == doses[0]
            work.doses.put(replace(known, state=DoseState.GIVEN))
            assert work.doses.get(doses[0].id) == replace(doses[0], state=DoseState.GIVEN)
            raise RuntimeError

        assert isinstance(store.submit("a", give_and_fail).exception(), RuntimeError)
        assert store.submit("a", lambda work: work.doses.get(doses[0].id)).result() == doses[0]

        def twice(work: SqlUnitOfWork) -> None:
            (known,) = work.doses.where(id=doses[1].id)
            work.doses.put(replace(known, state=DoseState.PACKED, units=Fraction(2)))
            work.doses.put(replace(known, state=DoseState.PACKED, reason="again"))
            work.doses.delete(doses[2].id)
            work.doses.put(doses[2])

        store.submit("a", twice).result()
        assert store.submit("a", lambda work: work.doses.get(doses[1].id)).result() == replace(
            doses[1], state=DoseState.PACKED, reason="again"
        )
        assert store.submit("a", lambda work: work.doses.get(doses[2].id)).result() == doses[2]

    def test_what_many_are_put_over_is_read_anew_and_what_else_is_remembered_stays_true(self, store: Writer) -> None:
        doses = planned_doses(4)
        given = [replace(dose, state=DoseState.GIVEN) for dose in doses]

        def put_over(work: SqlUnitOfWork) -> list[list[PlannedDose]]:
            work.doses.put_many(doses)
            seen = [work.doses.where(order_by="id")]
            work.doses.put_many(given[:2])
            seen.append(work.doses.where(order_by="id"))
            work.doses.put_many(given[2:3])
            return [*seen, work.doses.where(order_by="id"), [dose for dose in map(work.doses.get, [one.id for one in doses]) if dose]]

        first, two_over, three_over, one_by_one = store.submit("a", put_over).result()
        assert first == doses
        assert two_over == [*given[:2], *doses[2:]]
        assert three_over == one_by_one == [*given[:3], doses[3]]
        assert store.submit_read(lambda work: work.doses.where(order_by="id")).result() == three_over

    def test_a_time_is_the_same_whether_it_is_remembered_or_read(self, store: Writer) -> None:
        (dose,) = planned_doses(1)
        moscow = timezone(timedelta(hours=3))
        late = replace(dose, due=datetime(2026, 4, 2, 0, 30, tzinfo=moscow))

        def put_and_get(work: SqlUnitOfWork) -> tuple[PlannedDose | None, PlannedDose | None]:
            work.doses.put(dose)
            first = work.doses.get(dose.id)
            work.doses.put(late)
            return first, work.doses.get(dose.id)

        _, remembered = store.submit("a", put_and_get).result()
        assert remembered is not None and remembered.due == late.due
        assert remembered.due.date() == late.due.astimezone(UTC).date()

    def test_an_equal_time_of_another_zone_is_remembered_as_it_was_read(self, store: Writer) -> None:
        (dose,) = planned_doses(1)
        given = replace(dose, due=dose.due.astimezone(timezone(timedelta(hours=3))), state=DoseState.GIVEN)

        def put_and_get(work: SqlUnitOfWork) -> PlannedDose | None:
            work.doses.put(dose)
            work.doses.get(dose.id)
            work.doses.put(given)
            return work.doses.get(dose.id)

        remembered = store.submit("a", put_and_get).result()
        assert remembered == given and remembered.due.utcoffset() == timedelta(0)

    def test_since_and_below_keep_a_range_and_go_with_the_other_conditions(self, store: Writer) -> None:
        doses = planned_doses(60)
        store.submit("a", lambda work: work.doses.put_many(doses)).result()
        late = sorted(dose.due for dose in doses)[30]
        found = store.submit("a", lambda work: work.doses.where(state=[DoseState.PLANNED], below=("due", late))).result()
        assert {dose.id for dose in found} == {dose.id for dose in doses if dose.due < late}
        soon = sorted(dose.due for dose in doses)[10]
        found = store.submit("a", lambda work: work.doses.where(since=("due", soon), below=("due", late))).result()
        assert {dose.id for dose in found} == {dose.id for dose in doses if soon <= dose.due < late}
        with pytest.raises(ValueError, match="no member"):
            store.submit("a", lambda work: work.doses.where(below=("nothing", 1))).result()

    def test_where_orders_and_limits(self, store: Writer) -> None:
        doses = planned_doses(30)
        store.submit("a", lambda work: work.doses.put_many(reversed(doses))).result()
        first = store.submit("a", lambda work: work.doses.where(order_by="due", limit=3)).result()
        last = store.submit("a", lambda work: work.doses.where(order_by="drug, -due", limit=1)).result()
        assert first == doses[:3]
        assert last == doses[:1]

    @pytest.mark.parametrize(
        ("numbers", "gaps"),
        [
            ([], []),
            ([5], []),  # nothing is within
            ([3, 1, 2], []),
            ([9, 1, 4], [(2, 3), (5, 8)]),
            ([1, 4_000_000_000], [(2, 3_999_999_999)]),
        ],
    )
    def test_gaps_are_the_numbers_in_between_that_nothing_has(
        self, store: Writer, numbers: list[int], gaps: list[tuple[int, int]]
    ) -> None:
        machine, other = DeviceId("m"), DeviceId("n")
        of_others = [Received(machine, "s", 2, 3, MORNING), Received(machine, "s", 2, 6, MORNING), Received(other, "s", 1, 2, MORNING)]
        heard = [Received(machine, "s", 1, number, MORNING) for number in numbers]
        store.submit("a", lambda work: work.received.put_many([*of_others, *heard])).result()
        found = store.submit("a", lambda work: work.received.gaps("event", device=machine, boot=1)).result()
        assert [tuple(gap) for gap in found] == gaps
        assert store.submit("a", lambda work: work.received.gaps("event", device=machine, boot=[2, 9])).result() == [(4, 5)]
        with pytest.raises(ValueError, match="no member"):
            store.submit("a", lambda work: work.received.gaps("nothing")).result()

    @pytest.mark.parametrize("wrong", [{"order_by": "due; DROP TABLE doses"}, {"no_member": 1}, {"order_by": "nothing"}])
    def test_only_members_can_be_named(self, store: Writer, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="has no member"):
            store.submit("a", lambda work: work.doses.where(**wrong)).result()

    def test_a_decision_that_raises_leaves_nothing_and_the_chain_goes_on(self, store: Writer) -> None:
        def failing(work: SqlUnitOfWork) -> None:
            work.record("note", {"n": 2})
            work.doses.put_many(planned_doses(3))
            work.move(move(SUPPLIER, STORE, 5), "receipt")
            raise KeyError("mine")

        assert store.submit("a", lambda work: work.record("note", {"n": 1})).result() == 1
        with pytest.raises(KeyError, match="mine"):
            store.submit("a", failing).result()
        assert store.submit("a", lambda work: work.record("note", {"n": 3})).result() == 2
        found = store.submit("a", lambda work: (kinds(work), work.doses.count(), dict(work.balance("store")))).result()
        assert found == (["note", "note"], 0, {})

    def test_many_entries_are_numbered_in_order_and_failing_ones_take_no_number(self, store: Writer) -> None:
        def partly(work: SqlUnitOfWork) -> int:
            with pytest.raises(ValueError, match="cannot be written exactly"):
                work.record_many("note", [{"n": 1}, {"n": 0.5}])
            work.record_many("note", [{"n": number} for number in range(5)])
            return work.record("note", {})

        assert store.submit("a", partly).result() == 6

    def test_exact_quantities_and_times_are_text_in_the_ledger(self, store: Writer) -> None:
        said = {"units": Fraction(1, 3), "at": MORNING, "state": DoseState.GIVEN, "list": (Fraction(1, 2), None, True)}
        store.submit("nurse-1", lambda work: work.record("note", said)).result()
        (entry,) = store.submit("a", lambda work: list(entries(work.connection))).result()
        assert entry.data == {"units": "1/3", "at": "2026-11-22T08:00:00Z", "state": "given", "list": ["0.5", None, True]}
        assert (entry.at, entry.actor) == ("2026-11-22T08:00:00Z", "nurse-1")

    def test_stock_moves_exactly_and_is_recorded(self, store: Writer) -> None:
        def moving(work: SqlUnitOfWork) -> None:
            work.move(move(SUPPLIER, STORE, 1), "receipt", unit_cost=Fraction(5, 2))
            for _ in range(3):
                work.move(move(STORE, WASTE, Fraction(1, 3)), "wasted")

        store.submit("a", moving).result()
        held = store.submit("a", lambda work: (dict(work.balance("store")), work.held("waste", "L1"), work.held("supplier", "L1"))).result()
        assert held == ({}, 1, -1)
        first = next(store.submit("a", lambda work: iter(list(entries(work.connection)))).result())
        assert (first.kind, first.data) == (
            "stock-moved",
            {"item": "D1", "lot": "L1", "from": "supplier", "to": "store", "quantity": "1", "because": "receipt", "unit_cost": "2.5"},
        )

    def test_a_shortage_moves_nothing(self, store: Writer) -> None:
        store.submit("a", lambda work: work.move(move(SUPPLIER, STORE, 1), "receipt")).result()
        with pytest.raises(Shortage) as caught:
            store.submit("a", lambda work: work.move(move(STORE, WASTE, Fraction(4, 3)), "wasted")).result()
        assert (caught.value.account, caught.value.held, caught.value.wanted) == ("store", 1, Fraction(4, 3))
        store.submit("a", lambda work: work.move(move(SURPLUS, LOST, 2), "lost")).result()
        assert store.submit("a", lambda work: (work.held("store", "L1"), work.held("surplus", "L1"))).result() == (1, -2)

    def test_many_moves_are_all_or_nothing(self, store: Writer) -> None:
        moves = [(move(SUPPLIER, STORE, 2), {"source_pack": "A"}), (move(STORE, WASTE, 3), {})]
        with pytest.raises(Shortage):
            store.submit("a", lambda work: work.move_many(moves, "receipt")).result()
        store.submit("a", lambda work: work.move_many(moves[:1], "receipt")).result()
        assert store.submit("a", lambda work: (work.held("store", "L1"), kinds(work))).result() == (2, ["stock-moved"])

    @pytest.mark.parametrize("quantity", [0, -1, Fraction(-1, 2)])
    def test_a_move_of_nothing_or_less_is_refused(self, store: Writer, quantity: Fraction) -> None:
        with pytest.raises(ValueError, match="is none"):
            store.submit("a", lambda work: work.move(move(SUPPLIER, STORE, quantity), "receipt")).result()
        with pytest.raises(ValueError, match="is none"):
            store.submit("a", lambda work: work.move(move(STORE, STORE, 1), "receipt")).result()

    def test_four_threads_taking_a_hundred_times_lose_no_update(self, store: Writer) -> None:
        store.submit("a", lambda work: work.move(move(SUPPLIER, STORE, 400), "receipt")).result()
        answers: list[Future[None]] = []

        def take() -> None:
            for _ in range(101):
                answers.append(store.submit("a", lambda work: work.move(move(STORE, WASTE, 1), "wasted")))

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = [answer for answer in answers if isinstance(answer.exception(), Shortage)]
        assert len(refused) == 4
        assert store.submit("a", lambda work: (work.held("store", "L1"), work.held("waste", "L1"))).result() == (0, 400)

    def test_an_event_id_gets_the_same_answer_and_is_decided_once(self, store: Writer) -> None:
        def once(body: str) -> tuple[str, bool]:
            def decide(work: SqlUnitOfWork) -> tuple[str, bool]:
                return answered_once(work, "event-1", body, lambda: f"entry {work.record('note', {'body': body})}")

            return store.submit("a", decide).result()

        assert once("same") == ("entry 1", False)
        assert once("same") == ("entry 1", True)
        with pytest.raises(EventConflict):
            once("other")
        assert store.submit("a", kinds).result() == ["note"]

    def test_queries_see_what_is_committed_and_can_change_nothing(self, store: Writer) -> None:
        store.submit("a", lambda work: work.doses.put_many(planned_doses(5))).result()
        assert store.submit_read(lambda work: work.doses.count()).result() == 5
        with pytest.raises(Exception, match=r"readonly|read-only"):
            store.submit_read(lambda work: work.doses.put_many(planned_doses(6))).result()
        assert store.submit_read(lambda work: work.doses.count()).result() == 5

    def test_coroutines_get_their_answers(self, store: Writer) -> None:
        async def many() -> list[int]:
            numbers = await asyncio.gather(*(store.run("a", lambda work: work.record("note", {})) for _ in range(40)))
            assert await store.read(lambda work: len(kinds(work))) == 40
            return list(numbers)

        assert sorted(asyncio.run(many())) == list(range(1, 41))

    def test_a_decision_knows_its_actor_and_one_time(self, store: Writer) -> None:
        assert store.submit("nurse-7", lambda work: (work.actor, work.now)).result() == ("nurse-7", MORNING)
