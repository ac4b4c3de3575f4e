"""Reads docs/mqtt.yaml as a stranger's program would: which channel a topic is, and which of its messages a payload fits."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml
from jsonschema import Draft7Validator, FormatChecker

from tests.mqtt.__main__ import FILE

_formats = FormatChecker(formats=())
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


@_formats.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    """RFC 3339 with an offset."""
    return not isinstance(value, str) or bool(_INSTANT.fullmatch(value) and datetime.fromisoformat(value))


@dataclass(frozen=True)
class Crossed:
    """One message as a subscriber saw it."""

    topic: str
    payload: bytes
    qos: int
    retained: bool


class Contract:
    """The document in the repository."""

    def __init__(self) -> None:
        self._whole: Mapping[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))

    @property
    def message_names(self) -> set[str]:
        """The names of all messages that there are."""
        return set(self._whole["components"]["messages"])

    def fits(self, crossed: Crossed) -> set[str]:
        """Return the messages that it fits; raise AssertionError for a topic, QoS or retained flag that the document does not have."""
        channel = self._channel(crossed.topic)
        sends = next(one for one in self._operations(channel) if one["action"] == "send")
        assert crossed.qos == sends["bindings"]["mqtt"]["qos"]
        assert crossed.retained == sends["bindings"]["mqtt"]["retain"]
        content = json.loads(crossed.payload)
        return {
            name for name in self._whole["channels"][channel]["messages"] if self._validator(name).is_valid(content)
        }

    def faults(self, crossed: Crossed) -> list[str]:
        """Return, for each message of the topic, why it is not that one."""
        content = json.loads(crossed.payload)
        names = self._whole["channels"][self._channel(crossed.topic)]["messages"]
        return [f"{name}: {error.message}" for name in names for error in self._validator(name).iter_errors(content)]

    def _operations(self, channel: str) -> Iterator[Mapping[str, Any]]:
        place = f"#/channels/{channel}"
        return (one for one in self._whole["operations"].values() if one["channel"]["$ref"] == place)

    def _channel(self, topic: str) -> str:
        found = [name for name, channel in self._whole["channels"].items() if _is_at(topic, channel)]
        assert len(found) == 1, f"{topic} is {found or 'no channel of the document'}"
        return found[0]

    def _validator(self, name: str) -> Draft7Validator:
        payload = self._whole["components"]["messages"][name]["payload"]
        schema = {"allOf": [payload], "components": self._whole["components"]}
        return Draft7Validator(schema, format_checker=_formats)


def _is_at(topic: str, channel: Mapping[str, Any]) -> bool:
    given, named = topic.split("/"), channel["address"].split("/")
    return len(given) == len(named) and all(
        re.search(channel["parameters"][name[1:-1]]["x-pattern"], part) if name.startswith("{") else part == name
        for part, name in zip(given, named, strict=True)
    )
