"""`python -m tests.mqtt` writes docs/mqtt.yaml anew from the code."""

from pathlib import Path

import yaml

from firmware_bridge.asyncapi import document

FILE = Path(__file__).parents[2] / "docs" / "mqtt.yaml"
HEAD = "# Written by `python -m tests.mqtt` from firmware_bridge/asyncapi.py and contract.py; a test compares. Do not edit.\n"


class _WithoutAnchors(yaml.SafeDumper):
    """Writes what is said twice out twice: readers of AsyncAPI stumble over YAML's anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def text() -> str:
    """Return what docs/mqtt.yaml is to hold."""
    return HEAD + yaml.dump(document(), Dumper=_WithoutAnchors, sort_keys=False, allow_unicode=True, width=140)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
