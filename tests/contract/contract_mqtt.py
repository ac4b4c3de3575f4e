"""A small hub at a broker: sends commands, hears events and acknowledges them. It knows docs/mqtt.md and nothing else."""

import base64
import json
import os
import queue
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from contract_host import PATIENCE_S, WIDTH, new_label
from contract_machine import until
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

REPEAT_S = 1.0
NOT_DONE = {"LINK_DOWN", "NOT_AT_ONCE"}
EVENT_MEMBERS = {"source", "boot", "event", "kind", "job", "slot", "at", "data"}
STATUS_MEMBERS = {"state", "reason", "job", "cassettes", "counters", "link", "queued"}
Message = dict[str, Any]


def new_job() -> str:
    """Make a job id that no machine has seen."""
    return os.urandom(16).hex()


def label_members(label: bytes, stream: bytes) -> Message:
    """Write the label of `new_label` as a run carries it."""
    return {"digest": label.hex(), "width": WIDTH, "height": 27, "raster": base64.b64encode(stream).decode()}


def in_s(seconds: float) -> str:
    """Give a time so far ahead as the contract writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


class MqttHost:
    """The hub's end at one device. `heard` are its events as they came, `states`, `statuses` and so on what it said of itself."""

    def __init__(self, host: str, port: int, root: str, fence: int) -> None:
        self.acknowledges = True
        self.fence = fence
        self.heard: list[Message] = []
        self.states: list[Message] = []
        self.statuses: list[Message] = []
        self.descriptions: list[Message] = []
        self.answers: list[Message] = []
        self.tested: list[Message] = []
        self._root = root
        self._seq = 0
        self._name = f"kit-{os.urandom(6).hex()}"
        subscribed: queue.Queue[bool] = queue.Queue()
        self._own_words: queue.Queue[bool] = queue.Queue()
        self._hub_state = f"{root.rpartition('/')[0]}/hub/$state"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._name, protocol=mqtt.MQTTv5)
        self._client.on_socket_open = lambda _c, _d, s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.on_connect = lambda client, *_: client.subscribe([(f"{root}/#", 1), (self._hub_state, 1)])
        self._client.on_subscribe = lambda *_: subscribed.put(True)
        self._client.on_message = self._received
        self._client.connect(host, port)
        self._client.loop_start()
        subscribed.get(timeout=PATIENCE_S)
        self.say_hub("ready")
        # What was retained comes before: no status from before this kit can be taken for an answer to it.
        self._own_words.get(timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _received(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == self._hub_state:
            if json.loads(message.payload)["session"] == self._name:
                self._own_words.put(True)
            return
        leaf = message.topic[len(self._root) + 1 :]
        kept = {"job/evt": self.heard, "$state": self.states, "status": self.statuses, "$description": self.descriptions,
                "svc/evt": self.answers, "self-test": self.tested}.get(leaf)
        if kept is not None and message.payload:
            told = json.loads(message.payload)
            if kept is self.heard and self.acknowledges:
                self.acknowledge(told)
            kept.append(told)

    def publish(self, leaf: str, message: Message | bytes, *, retain: bool = False) -> None:
        """Publish to the device."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._client.publish(f"{self._root}/{leaf}", body, qos=1, retain=retain)

    def say_hub(self, state: str, session: str | None = None) -> None:
        """Publish that the hub lives or is lost."""
        told = {"state": state, "session": session or self._name, "at": in_s(0)}
        self._client.publish(self._hub_state, json.dumps(told).encode(), qos=1, retain=True)

    def acknowledge(self, event: Message) -> None:
        """Acknowledge one event."""
        self.publish("job/ack", {name: event[name] for name in ("source", "boot", "event")})

    def command(self, kind: str, **members: Any) -> Message:
        """Write a command that is not sent yet; `members` come on top of the head."""
        self._seq += 1
        head = {"kind": kind, "command": f"{self._name}-{self._seq}", "seq": self._seq, "fence": self.fence}
        return head | {"expires_at": in_s(600)} | members

    def run_of(self, cassette: tuple[int, int], count: int = 1, **members: Any) -> Message:
        """Write a run of one drop with a new label."""
        slots = [{"slot": cassette[0], "cassette": cassette[1], "count": count}]
        return self.command("run", **{"job": new_job(), "slots": slots, "label": label_members(*new_label())} | members)

    def send(self, command: Message) -> Message:
        """Send a command; gives it back."""
        self.publish("job/cmd", command)
        return command

    def answer(self, event: Message, kind: str, /, **members: Any) -> Message:
        """Send a verdict or a resolve that names an event; members replace what it names."""
        named = {name: event[name] for name in ("job", "slot", "boot", "event")}
        return self.send(self.command(kind, **named | members))

    def serve(self, kind: str, **members: Any) -> Message:
        """Have a service command answered; one that could not be asked at once, and so was not done, is given anew."""
        end = time.monotonic() + PATIENCE_S
        while True:
            command = self.command(kind, **{"expires_at": in_s(1.5)} | members)
            del command["seq"]
            answer = self.served(command)
            if answer["rc"] not in NOT_DONE or time.monotonic() > end:
                return answer

    def served(self, command: Message, times: int = 1) -> Message:
        """Send a service command until so many answers came; gives the last."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.publish("svc/cmd", command)
            again = min(end, time.monotonic() + REPEAT_S)
            while time.monotonic() < again:
                found = [each for each in list(self.answers) if each["command"] == command["command"]]
                if len(found) >= times:
                    assert set(found[-1]) == {"command", "rc", "reason", "data"}
                    return found[-1]
                time.sleep(0.002)
            assert time.monotonic() < end, f"no answer to {command}"

    def fresh(self) -> list[Message]:
        """Give the events in the order in which they were first heard, each once."""
        found: dict[tuple[str, int, int], Message] = {}
        for event in list(self.heard):
            assert set(event) == EVENT_MEMBERS, event
            found.setdefault((event["source"], event["boot"], event["event"]), event)
        return list(found.values())

    def of_job(self, job: str) -> list[Message]:
        """Give what the machine told of one job, each event once."""
        return [event for event in self.fresh() if (event["source"], event["job"]) == ("firmware", job)]

    def kinds_of(self, job: str) -> list[str]:
        """Give the kinds of what the machine told of one job."""
        return [event["kind"] for event in self.of_job(job)]

    def await_event(self, kind: str, job: str | None, after_boot: int = -1) -> Message:
        """Wait for an event of a job, of a later boot than the one given."""
        def found() -> list[Message]:
            return [each for each in self.fresh() if (each["kind"], each["job"]) == (kind, job) and each["boot"] > after_boot]

        until(lambda: bool(found()), lambda: f"{kind} of {job} did not come, but {self.fresh()}")
        return found()[-1]

    def refusal_of(self, command: Message) -> Message:
        """Wait until a command is refused; gives rc and reason."""
        def found() -> list[Message]:
            return [each for each in self.fresh() if each["kind"] == "refused" and each["data"]["command"] == command["command"]]

        until(lambda: bool(found()), lambda: f"{command['command']} was not refused: {self.fresh()}")
        [event] = found()
        assert (event["source"], event["boot"], event["slot"]) == ("bridge", 0, None)
        assert event["data"]["reason"]
        return dict(event["data"])

    def refusals(self) -> list[str]:
        """Give the ids of the commands that were refused."""
        return [event["data"]["command"] for event in self.fresh() if event["kind"] == "refused"]

    def finish(self, job: str, verdict: str = "PASS") -> None:
        """Answer the camera event of a job and wait for its end."""
        self.answer(self.await_event("at-camera", job), "verdict", verdict=verdict)
        self.await_event("done", job)

    def status(self) -> Message:
        """Give the newest status."""
        until(lambda: bool(self.statuses), lambda: "no status was published")
        assert set(self.statuses[-1]) == STATUS_MEMBERS
        return self.statuses[-1]

    def remaining(self, slot: int) -> int:
        """Tell what the machine believes is left in a slot, as its newest status says."""
        return next((each["remaining"] for each in self.status()["cassettes"] if each["slot"] == slot), 0)

    def ask_status(self) -> None:
        """Ask for a status and wait for the next one."""
        told = len(self.statuses)
        self.send(self.command("status"))
        until(lambda: len(self.statuses) > told, "a status that was asked for did not come")

    def settle(self, state: str = "idle") -> Message:
        """Ask for a status until the machine is in this state and nothing waits; gives it.

        The first answer is not looked at: it may be a status that was on its way before the question.
        """
        end = time.monotonic() + PATIENCE_S
        self.ask_status()
        while True:
            self.ask_status()
            if (self.status()["state"], self.status()["queued"]) == (state, 0):
                return self.status()
            assert time.monotonic() < end, f"the kit needs a machine that is {state}: {self.status()}"
