"""The engineer's commands of `svc/cmd`: done at once or never, answered once; the same one again gets the same answer."""

from collections import OrderedDict
from typing import Any

from simulators.packager.firmware import Firmware
from simulators.packager.native.commands import LEFT_OUT, SELF_TESTS, Service, read_service
from simulators.packager.native.desk import EXPIRED, Now, sentence
from simulators.packager.native.reading import Misfit, named_command
from simulators.packager.refusal import Rc

ANSWERS_KEPT = 100
JOG_VALID_S = 2.0
NOT_HERE = "this machine speaks MQTT itself: it has no serial line to watch, and its journal and firmware are not served here"
REASONS = {
    Rc.LOCKED: "somebody else holds the service lock",
    Rc.BUSY: "the machine is not at rest: a pouch is begun or a job is accepted",
    Rc.STOPPED: "the door is open, or the machine waits for a person",
}
RESULTS = ("passed", "failed", "not-fitted")


class ServiceDesk:
    """The service commands since the power came on."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._tested: dict[str, Any] | None = None

    def take_tested(self) -> dict[str, Any] | None:
        """Give, once for each self test, when it was made and what it found."""
        tested, self._tested = self._tested, None
        return tested

    def forget(self) -> None:
        """Forget the answers: the power was lost."""
        self._answers.clear()

    def answer(self, message: bytes, firmware: Firmware, now: Now) -> dict[str, Any]:
        """Do what one message asks for, and give the answer."""
        name = named_command(message)
        if name not in self._answers:
            rc, reason, data = self._done(message, firmware, now)
            told = {"command": name, "rc": rc, "reason": reason, "data": data}
            if not name:
                return told
            self._answers[name] = told
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        return self._answers[name]

    def _done(self, message: bytes, firmware: Firmware, now: Now) -> tuple[str, str, dict[str, Any]]:
        try:
            asked = read_service(message)
        except Misfit as misfit:
            return "INVALID", str(misfit), {}
        objection = _objection(asked, firmware.memory.fence, now)
        if objection is not None:
            return *objection, {}
        rc, told = firmware.ask(asked.op, asked.payload, now.simulated_s)
        if rc == Rc.OK:
            data = _data(asked.kind, told)
            if asked.kind == "self-test":
                self._tested = {"at": now.told, "results": data}
            return "OK", "", data
        name, reason = sentence(rc)
        return name, REASONS.get(Rc(rc), reason), _data("lock", told) if asked.kind == "lock" and rc == Rc.LOCKED else {}


def _objection(asked: Service, fence: int, now: Now) -> tuple[str, str] | None:
    left_s = asked.head.expires_at - now.wall.timestamp()
    if left_s <= 0:
        return EXPIRED
    if asked.head.fence < fence:
        return "FENCED", f"the fence {asked.head.fence} is older than {fence}"
    if asked.kind == "jog" and left_s > JOG_VALID_S:
        return "INVALID", "$.expires_at: a jog is valid for two seconds at most"
    return ("UNSUPPORTED", NOT_HERE) if asked.kind in LEFT_OUT else None


def _data(kind: str, told: bytes) -> dict[str, Any]:
    if kind == "lock":
        return {"locked": bool(told[0]), "owner": told[2:].decode("ascii")}
    if kind == "jog":
        return {"position": int.from_bytes(told, "little")}
    return {SELF_TESTS[test - 1]: RESULTS[result] for test, result in zip(told[1::2], told[2::2], strict=True)}
