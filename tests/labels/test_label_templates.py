"""Templates: all that ship are sound, and a wrong one is refused with its file, the field and the reason."""

from importlib.resources import files

import pytest

from labels.documents import LabelKind
from labels.errors import TemplateError
from labels.template_file import read_template, template_names, template_of, templates_of

POUCH = (files("labels") / "templates" / "pouch-80.toml").read_text("utf-8")


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_named_after_its_kind_and_width(name: str) -> None:
    kind, _, size = name.rpartition("-")
    width, longer, height = size.partition("x")
    templates = {template.name: template for template in templates_of(LabelKind(kind), int(width))}
    template = templates[name]
    assert (template.kind, template.width) == (LabelKind(kind), int(width) * 8)
    assert not longer or template.height == int(height) * 8
    assert [each.height for each in templates.values()] == sorted(each.height for each in templates.values())


def test_there_is_a_template_of_every_kind_and_of_every_film() -> None:
    names = template_names()
    assert {name.rpartition("-")[0] for name in names} == {kind.value for kind in LabelKind}
    assert {"pouch-60", "pouch-70", "pouch-80", "pouch-100", "ampoule-bag-60"} <= set(names)


def test_the_smallest_pouch_says_how_it_fits() -> None:
    assert "59.25 of 60 mm" in template_of(LabelKind.POUCH, 60).note


WRONG = {
    "an unknown field": ("width_mm = 80", "width_mm = 80\ncolour = 1", "colour", "unknown field"),
    "a field that is missing": ("height_mm = 50", "", "height_mm", "missing"),
    "an unknown kind": ('kind = "pouch"', 'kind = "box"', "kind", "no kind of label"),
    "a box off the label": ("x_mm = 61\n", "x_mm = 64\n", "area[3]", "off the label"),
    "a box in a quiet zone": ("x_mm = 61\n", "x_mm = 60\n", "area[3]", r"overlaps symbol\[2\] with its quiet zone"),
    "two symbols on each other": ("x_mm = 13.5\ny_mm = 37.25", "x_mm = 13\ny_mm = 37.25", "symbol[2]", "quiet zone"),
    "a module under 5 dots": ("module_dots = 5", "module_dots = 4", "symbol[1].module_dots", "whole number of 5"),
    "lines under 2 dots": ("module_dots = 2", "module_dots = 1", "symbol[2].module_dots", "whole number of 2"),
    "text under 7 pt": ("22, 20, 20, 20, 20, 20]", "22, 20, 20, 20, 20, 19]", "area[1].scale.small", r"less than 7 pt"),
    "half a dot": ("y_mm = 0.75", "y_mm = 0.8", "area[1].y_mm", "not whole dots"),
    "no number": ("y_mm = 0.75", 'y_mm = "up"', "area[1].y_mm", "millimetres are wanted"),
    "lists of two lengths": ("dose = [34, ", "dose = [", "area[1].scale", "different lengths"),
    "a text that no label has": (
        'field = "rules"',
        'field = "colour"',
        "area[1].row[5].left.field",
        "no text 'colour'",
    ),
    "a scale that is not there": ('scale = "dose"', 'scale = "large"', "area[1].row[4].scale", "no scale 'large'"),
    "an unknown row": ('kind = "line"', 'kind = "picture"', "area[1].row[2].kind", "no kind of row"),
    "no symbol for line scanners": ('kind = "code-128"', 'kind = "data-matrix"', "symbol[2].module_dots", "of 5"),
    "no room for a quiet zone": ("width_mm = 12.5", "width_mm = 8", "symbol[1].width_mm", "quiet zone"),
    "no TOML": ("width_mm = 80", "width_mm = ", "toml", "Invalid value"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_template_is_refused_with_file_field_and_reason(case: str) -> None:
    before, after, field, reason = WRONG[case]
    assert before in POUCH
    with pytest.raises(TemplateError, match=reason) as found:
        read_template("mine", POUCH.replace(before, after, 1))
    assert (found.value.file, found.value.field) == ("mine.toml", field)
    assert str(found.value).startswith(f"mine.toml: {field}: ")


def test_a_template_as_it_ships_is_taken() -> None:
    assert read_template("mine", POUCH).fields >= {"doses", "marks", "headline", "code", "position"}
