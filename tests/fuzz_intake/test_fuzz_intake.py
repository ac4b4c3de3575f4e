"""A short run of the hostile files, and proof that the judge sees what it looks for."""

from dataclasses import replace

import pytest

from hub.domain.orders import OrderSheet
from tests.fuzz_intake.fuzz import run
from tests.fuzz_intake.readers import READERS, Reader


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_file_raises_anything_but_a_refusal(name: str) -> None:
    result = run(READERS[name], 300, seed=20260305)
    assert result.faults == []
    assert result.refused and result.sheets and result.unreadable + result.rejects


def test_the_judge_sees_an_exception_a_silent_refusal_and_a_line_without_an_id() -> None:
    def broken(data: bytes) -> OrderSheet:
        if len(data) % 3 == 0:
            raise KeyError("status")
        if len(data) % 3 == 1:
            raise ValueError
        sheet = READERS["fhir"].read(READERS["fhir"].seeds[0])
        return replace(sheet, lines=(replace(sheet.lines[0], id=""), *sheet.lines[1:]))  # type: ignore[arg-type]

    found = " ".join(run(Reader("broken", READERS["fhir"].seeds, broken, (ValueError,)), 60, seed=1).faults)
    assert all(words in found for words in ("KeyError: 'status'", "a refusal without a reason", "a line without id"))
