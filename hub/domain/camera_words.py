"""What is wrong with the camera, its frames or its lights, in both languages; a state is told with its figure."""

import re
from collections.abc import Iterable, Mapping

from hub.domain.words import Words

LIVE, CONNECTING = "live", "connecting"
_STATES: Mapping[str, tuple[str, str]] = {
    "connecting": ("the camera is being connected", "камера подключается"),
    "stale": ("the camera is connected and has sent no picture for {0}: look at its cable", "камера подключена, но не присылает снимков уже {0}: проверьте кабель"),
    "frozen": (
        "the camera sends the same picture again and again ({0} times): switch it off and on",
        "камера присылает один и тот же снимок (подряд {0}): выключите и включите её",
    ),
    "black": ("the picture is black: uncover the lens and look at the lights", "снимок чёрный: откройте объектив и проверьте свет"),
    "torn": ("{0} of the last pictures are torn: look at cable and network of the camera", "снимки разорваны ({0} последних): проверьте кабель и сеть камеры"),
    "slow": ("the camera sends only {0} pictures a second: look at network and settings", "камера присылает лишь {0} снимков в секунду: проверьте сеть и настройки"),
    "down": ("the camera does not answer ({0}): look at power, cable and address", "камера не отвечает ({0}): проверьте питание, кабель и адрес"),
}  # fmt: skip
_FRAMES: Mapping[str, str] = {
    "the picture is black: the lens is covered or there is no light": "снимок чёрный: объектив закрыт или нет света",
    "the picture is torn: lines are shifted or missing": "снимок разорван: строки сдвинуты или отсутствуют",
    "the frames of this pouch show different contents": "снимки этого пакета показывают разное содержимое",
    "a picture shows the code of the pouch before in the place of this one": "на снимке на месте этого пакета виден код предыдущего",
    "the pouch's own code is in sight twice": "собственный код пакета виден дважды",
}
_LIGHTS = (
    "the lights cannot be switched ({0}): look at the relay board's cable, the station goes on with the light there is",
    "свет не переключается ({0}): проверьте кабель платы реле, станция работает с тем светом, что есть",
)
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "exposure-auto": ("fixed exposure", "фиксированную экспозицию"), "width": ("width", "ширину"), "height": ("height", "высоту"),
    "fps": ("pictures a second", "снимков в секунду"), "exposure": ("exposure", "экспозицию"),
}  # fmt: skip
_REFUSED = ("the camera did not take: {0}", "камера не приняла: {0}")


def camera_words(state: str, figure: str) -> Words:
    """Return what a state of the camera means and what to do; nothing to do where it is live."""
    if state == LIVE:
        return Words("", "")
    english, russian = _STATES[state]
    return Words(english.format(figure or "-"), russian.format(figure or "-"))


def lights_words(trouble: str) -> Words:
    """Return why the lights stay as they are."""
    return Words(_LIGHTS[0].format(trouble), _LIGHTS[1].format(trouble))


def refused_words(refused: Iterable[tuple[str, float, float]]) -> Words:
    """Return which settings a camera did not take: each by its name, what was asked and what the camera keeps."""
    told = [(*_SETTINGS[name], f"{wanted:g}", f"{kept:g}") for name, wanted, kept in refused]
    english = ", ".join(f"{name} {wanted} (it keeps {kept})" for name, _, wanted, kept in told)
    return Words(_REFUSED[0].format(english), _REFUSED[1].format(", ".join(f"{name} {wanted} (остаётся {kept})" for _, name, wanted, kept in told)))


def _pattern(english: str) -> str:
    return re.escape(english).replace(re.escape("{0}"), "(.+)")


CAMERA_RU: tuple[tuple[str, str], ...] = (
    *((_pattern(english), russian) for english, russian in _STATES.values()),
    *((re.escape(english), russian) for english, russian in _FRAMES.items()),
    (_pattern(_LIGHTS[0]), _LIGHTS[1]),
)  # fmt: skip
"""The same as patterns: the ledger keeps English."""
