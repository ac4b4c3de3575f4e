"""The thresholds of the content check and the error rates that were measured with them, as a page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.known_bad import Misses, told
from hub.domain.words import Words

LAYS: Mapping[str, Words] = {
    "single": Words("one tablet alone", "одна таблетка"),
    "apart": Words("several, apart", "несколько, раздельно"),
    "touching": Words("touching", "касаются"),
    "overlapping": Words("overlapping", "перекрываются"),
}
UNITS: Mapping[str, Words] = {
    "share": Words("share", "доля"), "times": Words("times", "раз"), "mm": Words("mm", "мм"), "mm²": Words("mm²", "мм²"),
    "0..255": Words("of 255", "из 255"), "0..441": Words("of 441", "из 441"),
}  # fmt: skip
FAULTS: Mapping[str, Words] = {
    "none": Words("nothing wrong", "всё верно"),
    "missing": Words("a tablet missing, the drop sensor lies", "не хватает таблетки, датчик лжёт"),
    "extra": Words("a tablet too many, the drop sensor lies", "лишняя таблетка, датчик лжёт"),
    "swapped": Words("another tablet, which is told apart", "другая таблетка, отличимая"),
    "alike": Words("another tablet, which looks alike", "другая таблетка, неотличимая"),
    "broken": Words("a broken tablet", "разломанная таблетка"),
}


@dataclass(frozen=True, slots=True)
class PictureThreshold:
    """A setting of the content check: its value and unit, and what a larger value trades."""

    name: str
    value: str
    unit: Words
    trades: Words


@dataclass(frozen=True, slots=True)
class PictureRate:
    """Pouches that lay in one way with one fault: how many the picture alone let by, had a person look at, and failed."""

    lay: str
    fault: str
    passed: int
    looked: int
    failed: int

    @property
    def tried(self) -> int:
        """How many pouches it were."""
        return self.passed + self.looked + self.failed

    def said(self, language: str) -> dict[str, str]:
        """Return the figure in words: of a fault what is missed, of right pouches what is stopped for nothing."""
        is_right = self.fault == "none"
        figure = told(Misses(self.failed if is_right else self.passed, self.tried))
        return {
            "lay": LAYS[self.lay].said(language), "fault": FAULTS[self.fault].said(language), "tried": str(self.tried),
            "passed": str(self.passed), "looked": str(self.looked), "failed": str(self.failed),
            "figure": "" if is_right else figure.said(language),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PictureFigures:
    """The thresholds, what was measured with them (empty: nothing yet), by which command, and whether with these very values."""

    thresholds: tuple[PictureThreshold, ...] = ()
    rates: tuple[PictureRate, ...] = ()
    command: str = ""
    is_current: bool = True
