"""A whole world as one JSON record, for the state file when it is written anew."""

import base64
import json
from dataclasses import asdict
from typing import Any

from simulators.packager.world import Cassette, Label, Layer, Pouch, Tablet, World


def world_to_bytes(world: World) -> bytes:
    """Write everything in the world as JSON; label streams become base64 text."""
    return json.dumps(asdict(world), ensure_ascii=False, default=_text).encode()


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")


def world_from_bytes(data: bytes) -> World:
    """Undo `world_to_bytes`."""
    found = json.loads(data)
    return World(
        pouch_name=found["pouch_name"],
        cassettes={int(slot): _cassette(each) for slot, each in found["cassettes"].items()},
        forming=_pouch(found["forming"]),
        station=_pouch(found["station"]),
        chute=_pouch(found["chute"]),
        output=[pouch for each in found["output"] if (pouch := _pouch(each))],
        reject=[pouch for each in found["reject"] if (pouch := _pouch(each))],
        pouches_begun=found["pouches_begun"],
        film=found["film"],
        planted=found["planted"],
        door_open=found["door_open"],
        trouble=found["trouble"],
    )


def _cassette(found: dict[str, Any]) -> Cassette:
    layers = tuple(Layer(**layer) for layer in found["layers"])
    return Cassette(found["number"], found["remaining"], layers)


def _pouch(found: dict[str, Any] | None) -> Pouch | None:
    if found is None:
        return None
    label = found["label"]
    if label is not None:
        label = Label(base64.b64decode(label["digest"]), label["width"], label["height"],
                      base64.b64decode(label["stream"]))
    tablets = [Tablet(**tablet) for tablet in found["tablets"]]
    return Pouch(found["id"], found["job"], tablets, label, found["contrast"], found["dead_columns"])
