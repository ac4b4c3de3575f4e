"""Directories, cassette maps, stock, discharges, allergies and settings: what is read and what is refused."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.adapters.intake.allergies import read_allergies
from hub.adapters.intake.cassettes import cassettes_from, fits_cassette, look_alike_neighbours, read_cassettes
from hub.adapters.intake.directory import DIRECTORY_COLUMNS, coating_told, read_directory
from hub.adapters.intake.discharges import read_discharges
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.sources import read_sources, shipped_sources
from hub.adapters.intake.stock import make_stock, read_stock
from hub.domain.drugs import Coating, Dosing, Drug, DrugClass, DrugDirectory, Form, Storage
from hub.domain.orders import SourceSettings
from hub.services.stock_in import Receipt
from tests.said import english

MOSCOW = ZoneInfo("Europe/Moscow")
WARD = SourceSettings("ward", True, True, None, True, ())
HEAD = ",".join(DIRECTORY_COLUMNS)
METOPROLOL = 'T001,метопролол,Эгилок,tablet,25 мг,tablet,бета-адреноблокаторы,ordinary,no,no,метопролол,room,4,yes,"3,10"'
FORMULARY_HEAD = "code,drug,strength,dispense_unit,form,class,high_alert,hazardous,splittable,ndc,gsn"


def own(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows, ""]).encode()


def formulary(*rows: str) -> bytes:
    return "\n".join([FORMULARY_HEAD, *rows, ""]).encode()


def refusal(call: object, *arguments: object, **named: object) -> str:
    assert callable(call)
    with pytest.raises(IntakeError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_the_full_format() -> None:
    assert read_directory("d.csv", own(METOPROLOL)).drugs["T001"] == Drug(  # type: ignore[index]
        "T001", "метопролол", "Эгилок", Form.TABLET, "25 мг", "tablet", "бета-адреноблокаторы", DrugClass.ORDINARY,
        False, False, "метопролол", Storage.ROOM, 4, True, Decimal("3.10"),
    )  # fmt: skip


def test_a_blank_class_is_none_and_a_bad_one_is_refused_with_its_line() -> None:
    blank = read_directory("d.csv", own(METOPROLOL.replace("ordinary", ""))).drugs
    assert [drug.drug_class for drug in blank.values()] == [None]
    assert refusal(read_directory, "d.csv", own(METOPROLOL, METOPROLOL.replace("ordinary", "strong"))) == (
        "d.csv, line 3, field class: 'strong' is none of ordinary, narcotic, psychotropic, potent, toxic."
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",tablet,25", ",pill,25", "field form: 'pill' is none of"),
        (",room,", ",shelf,", "field storage: 'shelf' is none of"),
        (",room,4", ",room,3", "field divisible_by: '3' is none of 1, 2, 4"),
        ("ordinary,no", "ordinary,", "field high_alert: '' is neither yes nor no"),
        ('"3,10"', "cheap", "field price: 'cheap' is no price"),
        ("метопролол,Эгилок", ",Эгилок", "field inn: a value is needed"),
    ],
)
def test_bad_values_of_a_directory_are_refused(old: str, new: str, words: str) -> None:
    assert words in refusal(read_directory, "d.csv", own(METOPROLOL.replace(old, new)))


DOSED = HEAD + ",coating,dosed,usual_dose,most_at_once,most_a_day,told_apart"


def dosed(*values: str, row: str = METOPROLOL) -> bytes:
    return "\n".join([DOSED, ",".join([row, *values]), ""]).encode()


def test_what_is_known_of_a_drug_s_doses() -> None:
    (drug,) = read_directory("d.csv", dosed("", "weekly", "50 мг", '"0,2 г"', "400 мг", "метоклопрамид")).drugs.values()
    assert (drug.coating, drug.dosed, drug.parts) == (Coating.PLAIN, Dosing.WEEKLY, 4)
    assert [str(amount) for amount in (drug.usual_dose, drug.most_at_once, drug.most_a_day)] == ["50 mg", "0.2 g", "400 mg"]
    assert drug.told_apart == "метоклопрамид"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("enteric", "", "", "", "", ""), "line 2, field divisible_by: a tablet with the coating 'enteric' is never split: write no or 1"),
        (("prolonged", "", "", "", "", ""), "field divisible_by: a tablet with the coating 'prolonged' is never split"),
        (("sugar", "", "", "", "", ""), "field coating: 'sugar' is none of plain, enteric, prolonged"),
        (("", "monthly", "", "", "", ""), "field dosed: 'monthly' is none of daily, weekly"),
        (("", "", "50", "", "", ""), "field usual_dose: '50' is no amount with a unit"),
        (("", "", "", "5 попугаев", "", ""), "field most_at_once: '5 попугаев' is no amount with a unit: the unit 'попугаев' is not known"),
        (("", "", "", "", '"1,125 г"', ""), "field most_a_day: '1,125 г' is no amount with a unit: '1,125' may mean 1125 or 1.125"),
        (("", "", "0 мг", "", "", ""), "field usual_dose: '0 мг' is not more than nothing"),
        (("", "", "5 mg/kg", "", "", ""), "field usual_dose: '5 mg/kg' depends on the patient"),
    ],
)
def test_bad_values_of_doses_are_refused_with_their_line(values: tuple[str, ...], words: str) -> None:
    assert words in refusal(read_directory, "d.csv", dosed(*values))


def test_a_coated_tablet_that_is_not_split_is_read() -> None:
    (drug,) = read_directory("d.csv", dosed("enteric", "", "", "", "", "", row=METOPROLOL.replace("room,4", "room,1"))).drugs.values()
    assert (drug.coating, drug.divisible_by, drug.parts) == (Coating.ENTERIC, 1, 1)


@pytest.mark.parametrize(("written", "parts"), [("yes", 4), ("no", 1), ("да", 4)])
def test_a_directory_that_only_tells_splittable_is_read_as_before(written: str, parts: int) -> None:
    older = own(METOPROLOL.replace("room,4", f"room,{written}")).replace(b"divisible_by", b"splittable")
    assert [drug.divisible_by for drug in read_directory("d.csv", older).drugs.values()] == [parts]


@pytest.mark.parametrize(
    ("name", "coating"),
    [
        ("MetFORMIN XR (Glucophage XR)", Coating.PROLONGED), ("Aspirin EC", Coating.ENTERIC), ("Диабетон МВ", Coating.PROLONGED),
        ("Divalproex (EXTended Release)", Coating.PROLONGED), ("Divalproex (DELayed Release)", Coating.ENTERIC), ("Индапамид ретард", Coating.PROLONGED),
        ("таблетки кишечнорастворимые", Coating.ENTERIC), ("метопролол пролонгированного действия", Coating.PROLONGED), ("Sertraline", Coating.PLAIN),
        ("OxycoDONE (Immediate Release)", Coating.PLAIN), ("Ceruloplasmin", Coating.PLAIN), ("Дексаметазон", Coating.PLAIN),
    ],
)  # fmt: skip
def test_names_tell_what_coats_a_tablet(name: str, coating: Coating) -> None:
    assert coating_told(name) is coating


def test_a_tablet_that_is_coated_by_its_name_is_never_split_and_the_line_is_warned_of() -> None:
    file = read_directory("f.csv", formulary("METF500XR,MetFORMIN XR (Glucophage XR),500mg Tab,TAB,tablet,ordinary,no,no,yes,0,1"))
    (drug,) = file.drugs.values()
    assert (drug.divisible_by, drug.parts) == (4, 1)
    assert english(file.warnings) == ("f.csv, line 2: METF500XR is prolonged by its name and is never split, whatever the line says",)


def test_a_directory_without_a_column_or_with_a_code_twice_is_refused() -> None:
    assert "field price: the required column is missing" in refusal(
        read_directory, "d.csv", own(METOPROLOL).replace(b",price", b",cost")
    )
    assert "line 3, field code: the code T001 is there twice" in refusal(read_directory, "d.csv", own(METOPROLOL, METOPROLOL))


def test_the_formulary_keeps_the_first_of_a_code_and_warns_of_what_differs() -> None:
    file = read_directory(
        "f.csv",
        formulary(
            "PANT40,Pantoprazole,40 mg Tablet,TAB,tablet,ordinary,no,no,yes,00904647461,1",
            "PANT40,Pantoprazole,40mg Tab,TAB,tablet,ordinary,no,no,yes,00008084199,1",
            "NS1000,0.9% Sodium Chloride,1000mL Bag,BAG,bag,ordinary,no,no,no,0,1",
            "NS1000,0.9% Sodium Chloride,1000mL Bag,mL,liquid,ordinary,no,no,no,0,1",
        ),
    )
    assert [(drug.code, drug.form, drug.unit, drug.strength) for drug in file.drugs.values()] == [
        ("PANT40", Form.TABLET, "tablet", "40 mg Tablet"),
        ("NS1000", Form.BAG, "bag", "1000mL Bag"),
    ]
    assert english(file.warnings) == ("f.csv, line 5: NS1000 differs from its first line in form, dispense_unit",)


def test_a_code_whose_first_line_states_no_strength_has_the_one_that_another_line_states() -> None:
    senna = "SENN187,Senna,{},TAB,tablet,ordinary,no,no,yes,00904516561,1"
    one = read_directory("f.csv", formulary(senna.format("1 Tablet"), senna.format("8.6 mg Tablet")))
    two = read_directory("f.csv", formulary(*(senna.format(text) for text in ("1 Tablet", "8.6 mg Tablet", "15 mg Tablet"))))
    assert [drug.strength for drug in one.drugs.values()] == ["8.6 mg Tablet"]
    assert [drug.strength for drug in two.drugs.values()] == ["1 Tablet"]


@pytest.fixture(scope="module")
def tablets() -> DrugDirectory:
    rows = [METOPROLOL.replace("T001", f"T{number:03}").replace("25 мг", f"{number} мг") for number in range(1, 5)]
    rows += [METOPROLOL.replace("T001", f"W{number:03}").replace("метопролол", f"варфарин{number}") for number in range(4)]
    rows += [
        METOPROLOL.replace("T001", "HT").replace(",tablet,бета", ",HALF TAB,бета"),
        METOPROLOL.replace("T001", "HZ").replace("ordinary,no,no", "ordinary,no,yes"),
        METOPROLOL.replace("T001", "CO").replace(",room,", ",cold,"),
        METOPROLOL.replace("T001", "NA").replace("ordinary", "narcotic"),
        METOPROLOL.replace("T001", "NC").replace("ordinary", ""),
        METOPROLOL.replace("T001", "NP").replace(",4,yes,", ",4,no,"),
        METOPROLOL.replace("T001", "AM").replace(",tablet,25", ",ampoule,25"),
    ]
    return read_directory("d.csv", own(*rows)).drugs


def test_only_whole_ordinary_tablets_are_for_cassettes(tablets: DrugDirectory) -> None:
    places = cassettes_from(tablets, slots=250)
    assert sorted(place.item for place in places) == ["T001", "T002", "T003", "T004", "W000", "W001", "W002", "W003"]
    assert [place.slot for place in places] == list(range(1, 9))
    groups = [tablets[place.item].look_alike_group for place in places]
    assert all(one != other for one, other in pairwise(groups))
    assert places == cassettes_from(dict(reversed(tablets.items())), slots=250)


def test_the_most_wanted_drugs_get_the_slots(tablets: DrugDirectory) -> None:
    wanted = dict(zip(sorted(tablets), range(100), strict=False))
    places = cassettes_from(tablets, slots=2, capacity=150, wanted=wanted)
    assert {place.item for place in places} == {"W002", "W003"}
    assert {place.capacity for place in places} == {150}


def test_names_that_may_be_taken_for_each_other_are_kept_apart_and_a_map_that_does_not_is_warned_of() -> None:
    names = ("винбластин", "винкристин", "винкристина", "омепразол", "гепарин", "дигоксин")
    rows = [METOPROLOL.replace("T001", f"N{number}").replace("метопролол", name, 1).replace("Эгилок", "").replace(",метопролол,room", ",,room") for number, name in enumerate(names)]
    directory = read_directory("d.csv", own(*rows)).drugs
    assert look_alike_neighbours(cassettes_from(directory, slots=250), directory) == ()
    placed = "cassette,item,slot,capacity\n1,N0,7,300\n2,N1,8,300\n3,N3,10,300\n"
    (warning,) = look_alike_neighbours(read_cassettes("c.csv", placed.encode(), directory), directory)
    assert english(warning).startswith("slots 7 and 8 hold 'винбластин 25 мг' and 'винкристин 25 мг': they begin alike")
    apart = placed.replace(",8,", ",9,")
    assert look_alike_neighbours(read_cassettes("c.csv", apart.encode(), directory), directory) == ()


def test_where_nothing_else_is_left_look_alikes_stand_together_and_it_is_told() -> None:
    rows = [METOPROLOL.replace("T001", f"T{number}").replace("25 мг", f"{number} мг") for number in range(1, 4)]
    directory = read_directory("d.csv", own(*rows)).drugs
    assert len(look_alike_neighbours(cassettes_from(directory, slots=250), directory)) == 2


def test_a_cassette_map_and_what_is_refused_of_it(tablets: DrugDirectory) -> None:
    good = "cassette,item,slot,capacity\n101,T001,1,300\n102,W001,2,300\n"
    assert [place.item for place in read_cassettes("c.csv", good.encode(), tablets)] == ["T001", "W001"]
    for row, words in {
        "101,T002,3,300": "line 4, field cassette: the cassette 101 is there twice",
        "103,T002,2,300": "line 4, field slot: the slot 2 is of cassette 102 already",
        "103,X,3,300": "field item: the drug 'X' is not in the directory",
        "103,HZ,3,300": "HZ may not be in a cassette: it is hazardous",
        "103,HT,3,300": "HT may not be in a cassette: it is dispensed in halves",
        "103,T002,251,300": "field slot: '251' is no number from 1 to 250",
        "0,T002,3,300": "field cassette: '0' is no number",
        "103,T002,3,1e3": "field capacity: '1e3' is no number",
    }.items():
        assert words in refusal(read_cassettes, "c.csv", f"{good}{row}\n".encode(), tablets)


def test_stock_and_what_is_refused_of_it(tablets: DrugDirectory) -> None:
    good = "code,item,lot,expires_on,units,unit_cost\nSP1,T001,A1,2027-05-01,100,3.10\n"
    assert read_stock("s.csv", good.encode(), tablets) == (
        Receipt("SP1", tablets["T001"].code, "A1", date(2027, 5, 1), Fraction(100), Decimal("3.10")),  # type: ignore[index]
    )
    for row, words in {
        "SP1,T001,A1,2027-05-01,100,3": "line 3, field code: the source pack SP1 is there twice",
        "SP2,X,A1,2027-05-01,100,3": "field item: the drug 'X' is not in the directory",
        "SP2,T001,A1,soon,100,3": "field expires_on: 'soon' is no date",
        "SP2,T001,A1,2027-05-01,0,3": "field units: '0' is no amount",
        "SP2,T001,A1,2027-05-01,5,free": "field unit_cost: 'free' is no price",
        "SP2,T001,,2027-05-01,5,3": "field lot: a value is needed",
    }.items():
        assert words in refusal(read_stock, "s.csv", f"{good}{row}\n".encode(), tablets)


def test_made_stock_follows_from_directory_and_day(tablets: DrugDirectory) -> None:
    stock = make_stock(tablets, date(2026, 3, 5))
    assert stock == make_stock(dict(reversed(tablets.items())), date(2026, 3, 5))
    assert len({receipt.code for receipt in stock}) == len(stock) == 2 * len(tablets)
    for first, second in zip(stock[::2], stock[1::2], strict=True):
        assert first.item == second.item
        assert first.lot != second.lot
        assert date(2026, 3, 5) < first.expires_on < second.expires_on
    assert {receipt.units for receipt in stock if receipt.item == "T001"} == {Fraction(100)}
    assert {receipt.units for receipt in stock if receipt.item == "AM"} == {Fraction(50)}


def test_the_hospital_formulary_gives_cassettes_and_stock(hospital: Path) -> None:
    file = read_directory("formulary.csv", (hospital / "formulary.csv").read_bytes())
    assert len(file.drugs) == 759
    places = cassettes_from(file.drugs, slots=250)
    assert len(places) == 250
    assert all(fits_cassette(file.drugs[place.item]) for place in places)
    assert not {"METO12.5HT", "MIRT7.5HT", "TRAZ25HT"} & {place.item for place in places}
    names = [file.drugs[place.item].inn.casefold() for place in places]
    assert all(one != other for one, other in pairwise(names))
    stock = make_stock(file.drugs, date(2026, 3, 5))
    assert len({receipt.code for receipt in stock}) == 2 * 759


def test_discharges_finish_stays() -> None:
    data = "код пациента;пациент;дата рождения;отделение;выписан\n26-1;;;Терапия;05.03.2026 12:00\n"
    (stay,) = read_discharges("d.csv", data.encode(), WARD, zone=MOSCOW, now=datetime(2026, 3, 5, 13, tzinfo=MOSCOW)).stays
    assert (stay.patient, stay.department, stay.finished_at) == ("26-1", "Терапия", datetime(2026, 3, 5, 12, tzinfo=MOSCOW))
    for row, words in {
        ";Ильина Анна;;Терапия;05.03.2026 12:00": "line 3, field patient: neither a code nor a name",
        "26-2;;;Терапия;завтра": "line 3, field discharged_at: 'завтра' is no date and time",
        "26-2;;;Терапия;": "field discharged_at: '' is no date and time",
    }.items():
        assert words in refusal(read_discharges, "d.csv", f"{data}{row}\n".encode(), WARD, zone=MOSCOW, now=datetime(2026, 3, 5, 13, tzinfo=MOSCOW))


def test_allergies_by_patient() -> None:
    data = "patient code,patient,birth date,allergy\n26-1,,,йод\n26-1,,,новокаин\n26-1,,,йод\n"
    assert read_allergies("a.csv", data.encode()) == {"26-1": ("йод", "новокаин")}
    assert "field allergy: a value is needed" in refusal(read_allergies, "a.csv", f"{data}26-2,,,\n".encode())
    assert "field allergy: the required column is missing" in refusal(read_allergies, "a.csv", b"patient code,x\n1,2\n")


def test_shipped_sources() -> None:
    sources = shipped_sources()
    assert (sources["sample"].course_required, sources["sample"].signature_required) == (True, True)
    assert sources["sample"].allergies_provided
    hospital = sources["hospital"]
    assert (sources["sample"].decimal_sign, hospital.decimal_sign) == (",", ".")
    assert (hospital.course_required, hospital.signature_required, hospital.reconfirm_days) == (False, False, 3)

    def excluded(department: str) -> bool:
        return any(text.casefold() in department.casefold() for text in hospital.excluded_departments)

    for department in (
        "Emergency Department", "Emergency Department Observation", "Coronary Care Unit (CCU)", "PACU", "Trauma SICU (TSICU)",
        "Medical/Surgical Intensive Care Unit (MICU/SICU)", "Cardiac Vascular Intensive Care Unit (CVICU)",
        "Отделение реанимации и интенсивной терапии", "Приёмное отделение", "Родильное отделение",
    ):  # fmt: skip
        assert excluded(department), department
    for department in ("Med/Surg", "Medicine/Cardiology", "Neuro Stepdown", "Discharge Lounge", "Occupational Medicine", "Терапия"):
        assert not excluded(department), department


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("[a\n", "it is no TOML file"),
        ("a = 1", "source a: it is no table of settings"),
        ("[a]\ncourse_required = 1", "source a, field course_required: 1 is not a value for it"),
        ("[a]\nreconfirm_days = 0", "source a, field reconfirm_days: 0 is not a value for it"),
        ("[a]\ndecimal_sign = ';'", "source a, field decimal_sign: ';' is neither ',' nor '.'"),
        ("[a]\nrange_policy = 'both'", "source a, field range_policy: 'both' is none of ask, lower, upper"),
        ("[a]\ncourses = true", "source a, field courses: there is no such setting"),
        ("[a]\ncourse_required = true", "source a, field signature_required: the setting is missing"),
    ],
)
def test_bad_settings_are_refused(text: str, words: str) -> None:
    assert words in refusal(read_sources, "sources.toml", text.encode())
