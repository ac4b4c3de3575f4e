"""Which source sends what: read from TOML, refused with file, source and key."""

from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from hub.adapters.feeds.feed_desk import tokens_of
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake.sources import read_feeds, read_sources, shipped_feeds, sources_of_file
from hub.bootstrap import house_of
from hub.domain.feeds import FeedSettings, SheetFormat, answered_due, is_suspiciously_small, last_due, usual_count
from hub.settings import HubSettings

BASE = "course_required = true\nsignature_required = true\nallergies_provided = true\nexcluded_departments = []\n"
WHOLE = BASE + """format = "fhir"
folder = "inbox/ward"
fhir_url = "https://his.example/fhir/"
fhir_token_env = "HIS_TOKEN"
hint_token_env = "HIS_HINTS"
pull_every_minutes = 10
mllp_port = 2575
column_map = "ward.yaml"
code_table = "ward-codes.yaml"
expected_by = ["14:00", "06:30"]
least_share = 0.6
time_zone = "Asia/Novosibirsk"
duration_as_bounds = true
"""


def test_a_source_tells_what_its_lines_bring_and_how_its_files_come() -> None:
    text = f"[ward]\n{WHOLE}".encode()
    assert read_feeds("s.toml", text)["ward"] == FeedSettings(
        "ward", SheetFormat.FHIR, "inbox/ward", "https://his.example/fhir", "HIS_TOKEN", "HIS_HINTS", 10, 2575, "ward.yaml", "ward-codes.yaml",
        (time(6, 30), time(14)), Fraction(3, 5), "Asia/Novosibirsk",
    )  # fmt: skip
    assert read_sources("s.toml", text)["ward"].duration_as_bounds
    assert read_feeds("s.toml", f"[ward]\n{BASE}".encode())["ward"] == FeedSettings("ward")
    assert not read_sources("s.toml", f"[ward]\n{BASE}".encode())["ward"].duration_as_bounds


def test_what_ships_has_no_feed_of_its_own_and_holds_stumps_of_the_hospital() -> None:
    feeds = shipped_feeds()
    assert feeds["sample"] == FeedSettings("sample")
    assert feeds["hospital"] == FeedSettings("hospital", least_share=Fraction(1, 2))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('format = "xml"', "source a, field format: 'xml' is none of any, fhir, hl7, table"),
        ('fhir_url = "ftp://x"', "field fhir_url: 'ftp://x' is not the http or https address of a FHIR server"),
        ('fhir_url = "https://me:secret@x/fhir"', "field fhir_url: 'https://me:secret@x/fhir' holds a user"),
        ('fhir_token_env = "Bearer abc.def"', "field fhir_token_env: 'Bearer abc.def' is not the name of a variable"),
        ("pull_every_minutes = 0", "field pull_every_minutes: 0 is not a value for it: a whole number from 1 to 1440"),
        ("mllp_port = 70000", "field mllp_port: 70000 is not a value for it"),
        ('expected_by = ["6:30"]', "field expected_by: ['6:30'] is not a list of times"),
        ("expected_by = []", "field expected_by: [] is not a list of times"),
        ("least_share = 1.5", "field least_share: '1.5' is not a share above 0 and up to 1"),
        ("least_share = nan", "field least_share: 'nan' is not a share"),
        ('time_zone = "Moscow"', "field time_zone: 'Moscow' is not a time zone like Europe/Moscow"),
        ('time_zone = "../etc/passwd"', "is not a time zone"),
        ("duration_as_bounds = 1", "field duration_as_bounds: 1 is not a value for it"),
        ('fhir_token = "x"', "field fhir_token: there is no such setting"),
    ],
)
def test_bad_values_are_refused_with_source_and_key(line: str, words: str) -> None:
    with pytest.raises(IntakeError) as refused:
        read_feeds("s.toml", f"[a]\n{BASE}{line}\n".encode())
    assert str(refused.value).startswith("s.toml, source a")
    assert words in str(refused.value)


def test_two_sources_of_one_folder_or_port_and_odd_names_are_refused() -> None:
    for line, words in (('folder = "in"', "field folder: 'in' is that of the source a already"), ("mllp_port = 2575", "field mllp_port: 2575 is that")):
        with pytest.raises(IntakeError) as refused:
            read_feeds("s.toml", f"[a]\n{BASE}{line}\n[b]\n{BASE}{line}\n".encode())
        assert words in str(refused.value)
    with pytest.raises(IntakeError, match="a source's name has up to 40"):
        read_feeds("s.toml", f'["a/b"]\n{BASE}'.encode())


def test_a_file_of_its_own_replaces_what_ships(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(f"[ward]\n{WHOLE}", encoding="utf-8")
    feed = sources_of_file(path)[1]["ward"]
    assert (feed.column_map, feed.code_table) == (str(tmp_path / "ward.yaml"), str(tmp_path / "ward-codes.yaml"))
    path.write_text(f"[ward]\n{BASE}time_zone = 'Asia/Novosibirsk'", encoding="utf-8")
    house = house_of(HubSettings(tmp_path, sources=path))
    assert list(house.sources) == list(house.feeds) == ["ward"]
    assert house.zone_of("ward").utcoffset(datetime(2026, 3, 2, tzinfo=UTC).replace(tzinfo=None)) == timedelta(hours=7)
    assert house.zone_of("other") == house.zone
    with pytest.raises(IntakeError, match="cannot be opened"):
        sources_of_file(tmp_path / "none.toml")


def test_secrets_come_from_the_environment_alone() -> None:
    feeds = {"a": FeedSettings("a", fhir_token_env="T1", hint_token_env="T2"), "b": FeedSettings("b")}
    assert tokens_of(feeds, {"T1": "one", "T2": "two"}) == {"a": ("one", "two"), "b": ("", "")}
    with pytest.raises(IntakeError, match="source a, field hint_token_env: the environment has no variable T2"):
        tokens_of(feeds, {"T1": "one", "T2": ""})
    with pytest.raises(IntakeError, match="holds a space"):
        tokens_of(feeds, {"T1": "one\n", "T2": "two"})


def test_a_sheet_is_small_against_the_median_of_the_last_ones() -> None:
    half = Fraction(1, 2)
    assert usual_count(()) is None
    assert usual_count((900, 10, 920, 910)) == 905
    assert is_suspiciously_small(452, (900, 10, 920, 910), half)
    assert not is_suspiciously_small(453, (900, 10, 920, 910), half)
    assert not is_suspiciously_small(0, (), half)
    assert not is_suspiciously_small(0, (900,), None)


def test_due_times_are_wall_times_of_the_source() -> None:
    times = (time(6, 30), time(14))
    at = datetime(2026, 3, 2, 6, 29, tzinfo=UTC)
    assert last_due(at, times, UTC) == datetime(2026, 3, 1, 14, tzinfo=UTC)
    assert last_due(at + timedelta(minutes=1), times, UTC) == datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    assert last_due(at, (), UTC) is None
    assert answered_due(at.replace(hour=10, minute=0), times, UTC) == datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    assert answered_due(at.replace(hour=10), times[:1], UTC) == datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    assert answered_due(at.replace(hour=20), times[:1], UTC) == datetime(2026, 3, 3, 6, 30, tzinfo=UTC)
