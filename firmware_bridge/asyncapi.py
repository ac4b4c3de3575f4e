"""The MQTT contract as an AsyncAPI 3 document: each channel stated once, the payloads taken from the types that the code reads and writes.

Pure: it returns the document. `python -m tests.mqtt` writes it to docs/mqtt.yaml, and a test holds the file to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from firmware_bridge import contract, print_contract, service_contract, trace_contract

Party = Literal["bridge", "hub"]
Schema = dict[str, Any]

QOS = 1
REF = "#/components/schemas/{name}"
SITE_PATTERN = "^[a-z0-9-]{1,64}$"
DEVICE_PATTERN = "^(?!hub$)[a-z0-9-]{1,64}$"


@dataclass(frozen=True)
class Message:
    """One sort of message: its name in the document, what it says, and the JSON schema of its payload."""

    name: str
    summary: str
    payload: Schema


@dataclass(frozen=True)
class Channel:
    """One topic: who sends there, who listens, whether the broker keeps the last message, and with which QoS it is sent and heard."""

    name: str
    leaf: str
    sender: Party
    receiver: Party
    retained: bool
    summary: str
    messages: tuple[Message, ...]
    sent_qos: int = QOS
    heard_qos: int = QOS

    @property
    def address(self) -> str:
        """The topic with its parameters in braces."""
        return contract.topic("{site}", "hub" if self.name.startswith("hub-") else "{device}", self.leaf)

    @property
    def parameters(self) -> dict[str, Schema]:
        """What may stand for the parameters of the address."""
        site = _parameter("The hospital or building.", SITE_PATTERN)
        device = _parameter("The machine, as the bridge's configuration names it; never `hub`.", DEVICE_PATTERN)
        return {"site": site} | ({"device": device} if "{device}" in self.address else {})


def document() -> Schema:
    """Return the whole document; source of its rules: AsyncAPI 3.0.0 and the MQTT binding 0.2.0."""
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {"site": _server()},
        "channels": {channel.name: _described(channel) for channel in CHANNELS},
        "operations": {name: operation for channel in CHANNELS for name, operation in _operations(channel)},
        "components": {
            "messages": {message.name: _message(message) for channel in CHANNELS for message in channel.messages},
            "schemas": _schemas(),
            "securitySchemes": {
                "user": {"type": "userPassword", "description": "One user a device; see deployment.md."}
            },
        },
    }


def _info() -> Schema:
    return {
        "title": "Dosehub: hub and firmware bridge",
        "version": "1.0.0",
        "description": "What crosses the broker between the hub and the bridge at each machine and label printer. docs/mqtt.md says how it is to be used; "
        "unknown members are ignored, missing ones refuse the message, and commands are never retained.",
        "license": {"name": "Apache-2.0"},
    }


def _server() -> Schema:
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "The broker of the house, with the configuration of docs/deployment/.",
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _parameter(description: str, pattern: str) -> Schema:
    # AsyncAPI 3 has no place for a parameter's pattern, so it goes into an extension.
    return {"description": description, "x-pattern": pattern}


def _described(channel: Channel) -> Schema:
    return {
        "address": channel.address,
        "summary": channel.summary,
        "parameters": channel.parameters,
        "messages": {message.name: {"$ref": f"#/components/messages/{message.name}"} for message in channel.messages},
    }


def _operations(channel: Channel) -> list[tuple[str, Schema]]:
    """Return who sends and who receives; only the sender says whether the message is retained."""
    sends = {"qos": channel.sent_qos, "retain": channel.retained, "bindingVersion": "0.2.0"}
    receives = {"qos": channel.heard_qos, "bindingVersion": "0.2.0"}
    return [
        (f"{channel.sender}-sends-{channel.name}", _operation("send", channel, channel.sender, sends)),
        (f"{channel.receiver}-receives-{channel.name}", _operation("receive", channel, channel.receiver, receives)),
    ]


def _operation(action: str, channel: Channel, party: Party, binding: Schema) -> Schema:
    place = f"#/channels/{channel.name}"
    return {
        "action": action,
        "channel": {"$ref": place},
        "messages": [{"$ref": f"{place}/messages/{message.name}"} for message in channel.messages],
        "tags": [{"name": party}],
        "bindings": {"mqtt": binding},
    }


def _message(message: Message) -> Schema:
    return {"name": message.name, "summary": message.summary, "payload": message.payload}


def _schemas() -> Schema:
    """Return the schema of each type that a message carries, and of what these are made of."""
    commands = [*get_args(contract.Command), *get_args(service_contract.ServiceCommand), print_contract.PrintCommand]
    types = [*commands, *PLAIN, *contract.EVENT_DATA.values()]
    _, components = msgspec.json.schema_components(types, ref_template=REF)
    return {name: _with_defaults_read(schema) for name, schema in sorted(components.items())}


def _with_defaults_read(schema: Schema) -> Schema:
    """Return the schema with each default where it is read: what stands beside a reference is not."""
    members = {
        name: {"allOf": [{"$ref": member["$ref"]}], "default": member["default"]} if {"$ref", "default"} <= member.keys() else member
        for name, member in schema.get("properties", {}).items()
    }
    return schema | {"properties": members} if members else schema


def _ref(shape: type[Struct]) -> Schema:
    return {"$ref": REF.format(name=shape.__name__)}


def _narrowed(shape: type[Struct], properties: Schema) -> Schema:
    return {"allOf": [_ref(shape), {"type": "object", "properties": properties}]}


def _plain(name: str, shape: type[Struct]) -> Message:
    return Message(name, shape.__doc__ or "", _ref(shape))


def _state(name: str, summary: str, *words: str) -> Message:
    return Message(name, summary, _narrowed(contract.DeviceState, {"state": {"enum": list(words)}}))


def _commands(union: Any) -> tuple[Message, ...]:
    """Return a message for each command of a union, named for its `kind`."""
    return tuple(_plain(f"{shape.__struct_config__.tag}-command", shape) for shape in get_args(union))


def _events(shape: type[Struct], kinds: dict[str, Any]) -> tuple[Message, ...]:
    """Return a message for each kind of event: the envelope, with this kind and the data that belong to it."""
    return tuple(
        Message(f"{kind}-event", data.__doc__ or "", _narrowed(shape, {"kind": {"const": kind}, "data": _ref(data)}))
        for kind, data in kinds.items()
    )


def _outcomes() -> tuple[Message, ...]:
    """Return a message for each outcome of a print."""
    summaries = {
        "printed": "The printer itself named the process ID.",
        "refused": "Nothing was sent to the printer, and why.",
        "in-doubt": "A label may exist: a person looks.",
    }
    return tuple(
        Message(f"{kind}-outcome", summary, _narrowed(print_contract.PrintEvent, {"kind": {"const": kind}}))
        for kind, summary in summaries.items()
    )


def _answers() -> tuple[Message, ...]:
    """Return a message for each sort of answer to a service command, told apart by what it was asked and its rc."""
    event, done = service_contract.ServiceEvent, {"const": "OK"}
    lock = {"rc": {"enum": ["OK", "LOCKED"]}, "data": _ref(service_contract.LockHolder)}
    tests = msgspec.json.schema(dict[service_contract.SelfTestWord, service_contract.TestResultWord]) | {
        "minProperties": 1
    }
    refused = {"rc": {"not": {"enum": ["OK", "LOCKED", "OFFSET"]}}, "data": _ref(service_contract.ServiceRefused)}
    offset = {"rc": {"enum": ["OK", "OFFSET"]}, "data": _ref(service_contract.FirmwareOffset)}
    return (
        Message("lock-answer", "Whose the service lock is now.", _narrowed(event, lock)),
        Message("self-test-answer", "What each test found.", _narrowed(event, {"rc": done, "data": tests})),
        Message(
            "watch-answer",
            "The frames are told from now on.",
            _narrowed(event, {"rc": done, "data": _ref(service_contract.Watching)}),
        ),
        Message(
            "jog-answer",
            "Where the motor is.",
            _narrowed(event, {"rc": done, "data": _ref(service_contract.JogPosition)}),
        ),
        Message(
            "job-query-answer",
            "What the machine's journal has of a job.",
            _narrowed(event, {"rc": done, "data": _ref(service_contract.JobStanding)}),
        ),
        Message(
            "firmware-status-answer",
            "What lies in both firmware slots.",
            _narrowed(event, {"rc": done, "data": _ref(service_contract.FirmwareSlots)}),
        ),
        Message("firmware-offset-answer", "From where on the image is to be carried.", _narrowed(event, offset)),
        Message(
            "service-done",
            "Firmware was committed or confirmed.",
            _narrowed(event, {"rc": done, "data": {"type": "object", "maxProperties": 0}}),
        ),
        Message(
            "service-refusal",
            "Nothing was done, and why; with NO_ANSWER it is not known whether it was.",
            _narrowed(event, refused),
        ),
    )


PLAIN: Sequence[type[Struct]] = (
    contract.BridgeEvent,
    contract.EventAck,
    contract.DeviceState,
    contract.Description,
    contract.StatusReport,
    service_contract.ServiceEvent,
    service_contract.LockHolder,
    service_contract.JogPosition,
    service_contract.Watching,
    service_contract.JobStanding,
    service_contract.FirmwareSlots,
    service_contract.FirmwareOffset,
    service_contract.ServiceRefused,
    service_contract.SelfTestReport,
    trace_contract.TraceReport,
    print_contract.PrintEvent,
    print_contract.PrintAck,
)

CHANNELS = (
    Channel(
        "state", "$state", "bridge", "hub", True, "Birth and death of a machine's connection.",
        (
            _state("device-birth", "The bridge is connected; `ready` once the machine answers it.", "init", "ready"),
            _state("device-death", "The last will, or the farewell: it counts only for the session of its birth.", "lost"),
        ),
    ),
    Channel(
        "description", "$description", "bridge", "hub", True, "What the machine is.",
        (_plain("description", contract.Description),),
    ),
    Channel(
        "status", "status", "bridge", "hub", True, "The machine's state, at each change, at most twice a second.",
        (_plain("status", contract.StatusReport),),
    ),
    Channel(
        "job-commands", "job/cmd", "hub", "bridge", False, "What the machine is to do.",
        _commands(contract.Command),
    ),
    Channel(
        "job-events", "job/evt", "bridge", "hub", False, "What happened, sent again until the hub acknowledges it.",
        _events(contract.BridgeEvent, contract.EVENT_DATA),
    ),
    Channel(
        "job-acknowledgements", "job/ack", "hub", "bridge", False, "The hub has committed an event.",
        (_plain("event-acknowledgement", contract.EventAck),),
    ),
    Channel(
        "service-commands",
        "svc/cmd",
        "hub",
        "bridge",
        False,
        "What an engineer wants of the machine; done at once or never.",
        _commands(service_contract.ServiceCommand),
        heard_qos=0,
    ),
    Channel(
        "service-answers", "svc/evt", "bridge", "hub", False, "The one answer to each service command.", _answers()
    ),
    Channel(
        "self-test", "self-test", "bridge", "hub", True, "What the machine's last self test found.",
        (_plain("self-test-report", service_contract.SelfTestReport),),
    ),
    Channel(
        "trace", "trace", "bridge", "hub", False, "The frames on the wire to the machine, only while somebody watches.",
        (_plain("trace-report", trace_contract.TraceReport),),
        sent_qos=0, heard_qos=0,
    ),
    Channel(
        "print-commands", "print/cmd", "hub", "bridge", False, "What a label printer is to print.",
        (_plain("print-command", print_contract.PrintCommand),),
    ),
    Channel(
        "print-outcomes", "print/evt", "bridge", "hub", False, "What became of a print, sent again until the hub acknowledges it.",
        _outcomes(),
    ),
    Channel(
        "print-acknowledgements", "print/ack", "hub", "bridge", False, "The hub has committed the outcome of a print.",
        (_plain("print-acknowledgement", print_contract.PrintAck),),
    ),
    Channel(
        "hub-state", "$state", "hub", "bridge", True, "Birth and death of the hub; no new job starts while it is lost.",
        (
            _state("hub-birth", "The hub is connected.", "ready"),
            _state("hub-death", "The last will, or the farewell: it counts only for the session of its birth.", "lost"),
        ),
    ),
)  # fmt: skip
