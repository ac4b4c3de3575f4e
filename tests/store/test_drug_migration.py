"""A directory from before: what could be split can still be split, and nothing is claimed of doses that nobody wrote."""

from pathlib import Path

from pysqlite3 import dbapi2 as sqlite

from hub.adapters import database
from hub.adapters.repository import KINDS, SqlRepository
from hub.domain.drugs import Coating, Dosing, Drug


def test_drugs_of_an_older_store_keep_what_may_be_split(tmp_path: Path) -> None:
    connection = sqlite.connect(str(tmp_path / "hub.db"), isolation_level=None)
    database.migrate(connection, "0002")
    for code, splittable in (("HALVED", 1), ("WHOLE", 0)):
        connection.execute(
            'INSERT INTO drugs (code, inn, trade_name, form, strength, unit, "group", drug_class, high_alert, hazardous, look_alike_group, '
            "storage, splittable, prepack_allowed, price) VALUES (?, 'x', '', 'tablet', '5 mg', 'tablet', '', 'ordinary', 0, 0, '', 'room', ?, 1, NULL)",
            (code, splittable),
        )
    database.migrate(connection)
    kind = next(kind for kind in KINDS if kind.record is Drug)
    drugs = {drug.code: drug for drug in SqlRepository(connection, kind).where()}
    assert {code: drug.divisible_by for code, drug in drugs.items()} == {"HALVED": 4, "WHOLE": 1}
    assert {(drug.coating, drug.dosed, drug.usual_dose, drug.most_at_once, drug.most_a_day, drug.told_apart) for drug in drugs.values()} == {
        (Coating.PLAIN, Dosing.DAILY, None, None, None, "")
    }
    connection.close()
