"""Code tables as CSV: what ships is understood, and a wrong row is named."""

from pathlib import Path

import pytest

from hub.adapters.intake.codes import codes_of, read_codes, shipped_codes
from hub.adapters.intake.drug_match import drugs_like
from hub.adapters.intake.errors import IntakeError
from hub.bootstrap import frequency_table
from hub.domain.records import CodeKind
from tests.intake.ward_tables import DIRECTORY

TABLE = frequency_table()
HEAD = "source,kind,code,meaning\n"


def test_the_shipped_tables_are_understood() -> None:
    shipped = shipped_codes(TABLE)
    assert shipped["sample"][CodeKind.FREQUENCY, "при t>38"] == "PRN" and shipped["sample"][CodeKind.UNIT, "таб-ка"] == "tablet"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("w,frequency,x,вздор", "codes.csv, line 2, field meaning: 'вздор' is neither a frequency"), ("w,size,x,y", "line 2, field kind: 'size' is none of"),
        ("w,route,x,никуда", "line 2, field meaning"), ("w,unit,x,штучка", "line 2, field meaning"), (",unit,x,mg", "line 2, field source: a value is needed"),
        ("w,unit,,mg", "line 2, field code: a value is needed"), ("w,unit,Т,mg\nw,unit,т,g", "line 3, field code: 'т' is there twice"),
        ("w,unit,x", "line 2: the row has 3 cells and the header 4"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(row: str, words: str) -> None:
    with pytest.raises(IntakeError) as caught:
        read_codes("codes.csv", f"{HEAD}{row}\n".encode(), TABLE)
    assert words in str(caught.value)


def test_a_source_s_own_file_goes_over_the_shipped_table(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"{HEAD}sample,unit,т,капс\nsample,drug,эг25,T001\n", encoding="utf-8")
    tables = codes_of({"sample": str(own), "other": ""}, TABLE)
    assert tables["sample"][CodeKind.UNIT, "т"] == "capsule" and tables["sample"][CodeKind.UNIT, "кс"] == "capsule"
    assert tables["sample"][CodeKind.DRUG, "эг25"] == "T001"
    with pytest.raises(IntakeError, match="has no row of the source 'other'"):
        codes_of({"other": str(own)}, TABLE)
    with pytest.raises(IntakeError, match="the code table cannot be opened"):
        codes_of({"sample": str(tmp_path / "none.csv")}, TABLE)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Эгелок 50 мг таб", ["T002", "T001"]), ("Egilok 25 mg", ["T001", "T002"]), ("Варфорин 2,5 мг", ["T012"]), ("Фуросемит", ["A001"]),
        ("нечто 25 мг", []), ("25 мг таб.", []), ("", []),
    ],
)  # fmt: skip
def test_drugs_are_offered_by_the_sound_of_their_names_and_never_by_strength_alone(text: str, codes: list[str]) -> None:
    assert [drug.code for drug in drugs_like(text, DIRECTORY.values(), 5)] == codes
