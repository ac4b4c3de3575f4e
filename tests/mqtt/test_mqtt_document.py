"""docs/mqtt.yaml is what the code says, is AsyncAPI 3, and leaves no topic of docs/mqtt.md out."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from firmware_bridge.__main__ import ConfigError, read_config
from firmware_bridge.asyncapi import DEVICE_PATTERN, SITE_PATTERN, document
from tests.mqtt.__main__ import FILE, text

Document = dict[str, Any]


def test_file_is_what_the_generator_writes_now() -> None:
    assert FILE.read_text("utf-8") == text(), "run `python -m tests.mqtt`"


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_file_is_a_document_of_asyncapi_3_by_an_independent_reader() -> None:
    from asyncapi3.models import AsyncAPI3

    read = AsyncAPI3.model_validate(yaml.safe_load(FILE.read_text("utf-8")))
    assert read.asyncapi == "3.0.0"
    for place, wrong in [
        (("channels", "state", "adress"), "a member that there is not"),
        (("channels", "state", "address"), 7),
        (("operations", "bridge-sends-state", "action"), "shout"),
        (("operations", "bridge-sends-state", "bindings", "mqtt", "qos"), 3),
        (("components", "messages", "status", "payload"), 3),
    ]:
        with pytest.raises(ValueError, match="validation error"):
            AsyncAPI3.model_validate(_changed(document(), place, wrong))


def _changed(whole: Document, place: tuple[str, ...], value: object) -> Document:
    changed = copy.deepcopy(whole)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


def test_every_reference_leads_somewhere_and_every_message_is_sent_and_received() -> None:
    whole = document()
    for reference in _references(whole):
        _at(whole, reference)
    for action in ("send", "receive"):
        named = {
            _at(whole, message["$ref"])["$ref"].rsplit("/", 1)[1]
            for operation in whole["operations"].values()
            if operation["action"] == action
            for message in operation["messages"]
        }
        assert named == set(whole["components"]["messages"])


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            assert set(part) == {"$ref"}, "what stands beside a reference is not read"
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _at(whole: Document, reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = whole
    for name in reference[2:].split("/"):
        found = found[name]
    return found


def test_every_payload_is_a_json_schema_of_draft_7() -> None:
    whole = document()
    for message in whole["components"]["messages"].values():
        Draft7Validator.check_schema(message["payload"])
    for schema in whole["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_topics_senders_and_retention_are_those_of_the_page() -> None:
    page = (Path(FILE).parent / "mqtt.md").read_text("utf-8")
    assert FILE.name in page
    assert "python -m tests.mqtt" in page
    rows = re.findall(r"^\| `(\S+)` \| (bridge|hub)[^|]* \| (yes|no) \|", page, flags=re.MULTILINE)
    told = {(leaf.replace("<site>", "{site}"), sender, kept == "yes") for leaf, sender, kept in rows}
    assert told == set(_channels(document()))


def _channels(whole: Document) -> Iterator[tuple[str, str, bool]]:
    for operation in whole["operations"].values():
        if operation["action"] == "send":
            address = _at(whole, operation["channel"]["$ref"])["address"]
            retained = operation["bindings"]["mqtt"]["retain"]
            yield address.removeprefix("dosehub/v1/{site}/{device}/"), operation["tags"][0]["name"], retained


@pytest.mark.parametrize("name", ["a", "packager-1", "9", "x" * 64, "", "x" * 65, "Packager", "a/b", "+", "#", "пост"])
def test_site_and_device_match_their_patterns_where_the_bridge_takes_them(tmp_path: Path, name: str) -> None:
    assert bool(re.search(SITE_PATTERN, name)) == _taken(tmp_path, name, "packager-1")
    assert bool(re.search(DEVICE_PATTERN, name)) == _taken(tmp_path, "mercy", name)


def test_no_device_is_named_like_the_hub(tmp_path: Path) -> None:
    assert not re.search(DEVICE_PATTERN, "hub")
    assert not _taken(tmp_path, "mercy", "hub")


def _taken(folder: Path, site: str, device: str) -> bool:
    config = folder / "bridge.toml"
    config.write_text(
        f'[bridge]\nsite = "{site}"\nbroker = "mqtt://127.0.0.1"\nspool = "s"\n[[device]]\nid = "{device}"\nurl = "u"\n',
        "utf-8",
    )
    try:
        read_config(config)
    except ConfigError:
        return False
    return True
