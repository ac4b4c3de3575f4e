"""How a pouch lies and how well the camera sees it: drawn by severity from a seed, or ordered field by field."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

SEVERITIES = ("none", "mild", "severe")
STRATA = ("apart", "touching", "overlapping")
LIGHTS = 2


@dataclass(frozen=True)
class Lights:
    """Which of the station's two lights are on; the first stands on the left, the second on the right."""

    first: bool = True
    second: bool = True

    @property
    def lit(self) -> tuple[int, ...]:
        """Give the numbers of the lights that are on."""
        return tuple(number for number, on in ((1, self.first), (2, self.second)) if on)


BOTH = Lights()


@dataclass(frozen=True)
class Glare:
    """Where the film throws a light back: centre, length and width in pouch mm, angle in degrees, 1 = saturated."""

    light: int
    x_mm: float
    y_mm: float
    length_mm: float
    width_mm: float
    angle: float
    strength: float = 1.0


@dataclass(frozen=True)
class Conditions:
    """How the pouch lies and how well the camera sees it; angles in degrees, sizes in px if not said otherwise.

    `glare` is a stripe that no light moves (place along the pouch 0..1, angle, width in mm), `film_glare` what each light makes
    on the film. `wrinkle_mm` is how far the film shifts the print, by wrinkle field number `wrinkle`; `light` is the share of the right
    exposure; `dust` counts specks of at most `dust_mm`; `covered_mm` is left, top, width, height of what lies on the label.
    """

    angle: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    tilt: tuple[float, float] = (0.0, 0.0)
    blur_sigma: float = 0.6
    noise_sigma: float = 2.0
    motion_px: float = 0.0
    motion_angle: float = 0.0
    light: float = 1.0
    wrinkle_mm: float = 0.0
    wrinkle: int = 0
    dust: int = 0
    dust_mm: float = 0.3
    covered_mm: tuple[float, float, float, float] | None = None
    glare: tuple[float, float, float] | None = None
    film_glare: tuple[Glare, ...] = ()
    touching: bool = False
    overlapping: bool = False
    unreadable: bool = False


def draw_conditions(chance: random.Random, severity: str) -> Conditions:
    """Draw how the pouch lies; ValueError for a severity that does not exist.

    `none` is a well adjusted station, `mild` a real one with about 1 % unreadable, `severe` one that nobody looks after.
    """
    if severity == "none":
        return Conditions(angle=chance.uniform(-1, 1), shift_mm=(chance.uniform(-1, 1), chance.uniform(-0.5, 0.5)))
    if severity == "mild":
        return _mild(chance)
    if severity == "severe":
        return _severe(chance)
    raise ValueError(f"no such severity: {severity!r}")


def _mild(chance: random.Random) -> Conditions:
    unreadable, touching = chance.random() < 0.008, chance.random() < 0.03
    blinded = unreadable and chance.random() < 0.5
    glare = None
    if blinded:
        glare = (0.2, chance.uniform(-5, 5), 48.0)
    elif chance.random() < 0.006:
        glare = (chance.random(), chance.uniform(0, 180), chance.uniform(0.5, 3.0))
    return Conditions(
        angle=chance.uniform(-3.5, 3.5),
        shift_mm=(chance.uniform(-4, 4), chance.uniform(-0.5, 0.5)),
        tilt=(chance.uniform(-3, 3), chance.uniform(-3, 3)),
        blur_sigma=7.0 if unreadable and not blinded else chance.triangular(0.5, 1.6, 0.8),
        noise_sigma=chance.triangular(2, 8, 3),
        motion_px=chance.uniform(1, 3) if chance.random() < 0.1 else 0.0,
        motion_angle=chance.uniform(0, 180),
        light=chance.uniform(0.92, 1.0),
        wrinkle_mm=chance.uniform(0, 0.05),
        wrinkle=chance.randrange(1 << 16),
        dust=chance.choice((0, 0, 1, 2, 3)),
        dust_mm=0.3,
        glare=glare,
        film_glare=_film_glare(chance, often=0.015, strength=(0.6, 1.0)),
        touching=touching,
        overlapping=chance.random() < 0.01,
        unreadable=unreadable,
    )


def _severe(chance: random.Random) -> Conditions:
    lie = chance.random()
    return Conditions(
        angle=chance.uniform(-12, 12),
        shift_mm=(chance.uniform(-6, 6), chance.uniform(-1.5, 1.5)),
        tilt=(chance.uniform(-15, 15), chance.uniform(-15, 15)),
        blur_sigma=chance.triangular(0.6, 3.5, 1.2),
        noise_sigma=chance.triangular(3, 20, 6),
        motion_px=chance.uniform(2, 12) if chance.random() < 0.4 else 0.0,
        motion_angle=chance.uniform(0, 180),
        light=chance.triangular(0.35, 1.0, 0.9),
        wrinkle_mm=chance.uniform(0.03, 0.2),
        wrinkle=chance.randrange(1 << 16),
        dust=chance.randrange(12),
        dust_mm=1.0,
        covered_mm=_cover(chance) if chance.random() < 0.25 else None,
        film_glare=_film_glare(chance, often=0.6, strength=(0.3, 1.0)),
        touching=lie < 0.35,
        overlapping=0.35 <= lie < 0.5,
    )


def _film_glare(chance: random.Random, often: float, strength: tuple[float, float]) -> tuple[Glare, ...]:
    """Draw what each light makes on the film: stripes along wrinkles, and spots, in other places for each light."""
    glares: list[Glare] = []
    for light in range(1, LIGHTS + 1):
        while chance.random() < often and len(glares) < 8:
            stripe = chance.random() < 0.6
            length, width = (chance.uniform(8, 40), chance.uniform(0.4, 2.0)) if stripe else (chance.uniform(2, 7),) * 2
            x, y, angle = chance.uniform(4, 76), chance.uniform(4, 94), chance.uniform(0, 180)
            glares.append(Glare(light, x, y, length, width, angle, chance.uniform(*strength)))
    return tuple(glares)


def _cover(chance: random.Random) -> tuple[float, float, float, float]:
    return chance.uniform(0, 70), chance.uniform(2, 45), chance.uniform(2, 12), chance.uniform(2, 12)


NUMBERS = {
    "angle": (-180.0, 180.0),
    "blur_sigma": (0.3, 10.0),
    "noise_sigma": (0.0, 60.0),
    "motion_px": (0.0, 40.0),
    "motion_angle": (-180.0, 180.0),
    "light": (0.0, 1.5),
    "wrinkle_mm": (0.0, 1.0),
    "dust": (0, 200),
    "dust_mm": (0.05, 5.0),
}
PAIRS = {"tilt": (-60.0, 60.0), "shift_mm": (-40.0, 40.0)}


def ordered(conditions: Conditions, order: Mapping[str, Any]) -> Conditions:
    """Return conditions with the ordered fields in place of the drawn ones; ValueError names a field or value that is none."""
    changed: dict[str, Any] = {}
    for name, value in order.items():
        if name == "stratum" and value in STRATA:
            changed.update(touching=value == "touching", overlapping=value == "overlapping")
        elif name in NUMBERS:
            number = _within(name, value, *NUMBERS[name])
            changed[name] = int(number) if name == "dust" else number
        elif name in PAIRS and isinstance(value, list) and len(value) == 2:
            changed[name] = tuple(_within(name, part, *PAIRS[name]) for part in value)
        elif name == "covered_mm" and isinstance(value, list) and len(value) == 4:
            changed[name] = tuple(_within(name, part, 0, 150) for part in value)
        elif name == "film_glare" and isinstance(value, list) and len(value) <= 16:
            changed[name] = tuple(_glare(each) for each in value)
        else:
            raise ValueError(f"no such condition: {name} = {value!r}")
    return replace(conditions, **changed)


def _glare(order: Any) -> Glare:
    if not isinstance(order, dict) or order.get("light") not in (1, 2) or set(order) - set(Glare.__dataclass_fields__):
        raise ValueError(f"not a glare: {order!r}")
    try:
        return Glare(
            order["light"], **{name: _within(name, order[name], -180, 180) for name in order if name != "light"}
        )
    except TypeError as error:
        raise ValueError(f"not a glare: {error}") from None


def _within(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} is a number from {low:g} to {high:g}, not {value!r}")
    return float(value)
