"""Records and rows: every record of every kind comes back equal from the database."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2 as sqlite
from store_records import records_of

from hub.adapters.codecs import codecs_of
from hub.adapters.repository import KINDS, Kind, SqlRepository, member_names
from hub.domain.doses import DoseState, PlannedDose


def _bare_repository(kind: Kind[Any]) -> SqlRepository[Any]:
    connection = sqlite.connect(":memory:", isolation_level=None)
    columns = ", ".join(f'"{name}"' for name in member_names(kind))
    key = ", ".join(f'"{name}"' for name in kind.key)
    connection.execute(f'CREATE TABLE "{kind.table}" ({columns}, PRIMARY KEY ({key}))')
    return SqlRepository(connection, kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
@given(data=st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_every_record_comes_back_equal(kind: Kind[Any], data: st.DataObject) -> None:
    records = data.draw(st.lists(records_of(kind.record), min_size=1, max_size=3))
    repository = _bare_repository(kind)
    newest = {tuple(getattr(record, name) for name in kind.key): record for record in records}
    repository.put_many(records)
    for key, record in newest.items():
        assert repository.get(*key) == record
    assert {tuple(getattr(record, name) for name in kind.key): record for record in repository.where()} == newest
    for key, record in newest.items():
        repository.put(record)
        repository.delete(*key)
    assert repository.count() == 0


def test_times_are_sortable_text_in_utc_and_naive_ones_are_refused() -> None:
    encode = codecs_of(PlannedDose)["due"].encode_one
    moscow = datetime(2026, 11, 22, 8, 0, tzinfo=timezone(timedelta(hours=3)))
    instants = [moscow + timedelta(microseconds=step * 500_000) for step in range(4)]
    assert encode(moscow) == "2026-11-22T05:00:00+00:00"
    assert sorted(map(encode, instants)) == [encode(instant) for instant in instants]
    with pytest.raises(ValueError, match="needs its offset"):
        encode(datetime(2026, 11, 22, 8, 0, tzinfo=UTC).replace(tzinfo=None))


def test_exact_quantities_are_numerator_and_denominator() -> None:
    codec = codecs_of(PlannedDose)["units"]
    assert (codec.encode_one(Fraction(1, 3)), codec.encode_one(Fraction(2))) == ("1/3", "2/1")
    assert codec.decode_one("-7/2") == Fraction(-7, 2)


def test_a_state_that_the_code_does_not_know_is_not_read() -> None:
    codec = codecs_of(PlannedDose)["state"]
    assert codec.decode_one("given") is DoseState.GIVEN
    with pytest.raises(KeyError):
        codec.decode_one("eaten")


def test_floats_have_no_column() -> None:
    wrong = dataclasses.make_dataclass("Wrong", [("amount", float)])
    with pytest.raises(TypeError, match="no floats"):
        codecs_of(wrong)
