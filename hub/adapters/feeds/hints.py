"""What a FHIR Subscription says when it calls: that there is news. The pull reads the news itself; nothing of the call is believed.

R4 rest-hook, with or without a payload, and the notification of R5 or of its backport to R4 (event numbers). A number that is
missing means that a call was lost, and the whole list is read.
"""

import hmac
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

CALLS_A_MINUTE = 120
SUBSCRIPTIONS_AT_MOST = 16
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Numbers:
    """The event numbers of one notification, by its subscription."""

    subscription: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that was accepted; `missing` are the numbers (first, last) of the calls that never came."""

    missing: tuple[int, int] | None = None


@dataclass
class _Caller:
    calls: deque[float] = field(default_factory=deque)
    last_numbers: OrderedDict[str, int] = field(default_factory=OrderedDict)


class HintGate:
    """Knows who may call, how often, and which numbers came; times are monotonic seconds and passed in."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = {source: token.encode() for source, token in tokens.items() if token}
        self._callers = {source: _Caller() for source in self._tokens}

    def is_right(self, source: str, token: str) -> bool:
        """Tell whether a caller may speak for a source; takes the same time whatever is wrong."""
        right = self._tokens.get(source, b"\x00")
        return hmac.compare_digest(right, token.encode()) and source in self._tokens

    def wait_s(self, source: str, now_s: float) -> float:
        """Count a call; return 0, or how long the caller must wait."""
        calls = self._callers[source].calls
        while calls and calls[0] <= now_s - 60:
            calls.popleft()
        if len(calls) >= CALLS_A_MINUTE:
            return calls[0] + 60 - now_s
        calls.append(now_s)
        return 0.0

    def heard(self, source: str, body: bytes) -> Heard:
        """Return what a call of a source that may speak means."""
        numbers = numbers_of(body)
        if numbers is None:
            return Heard()
        known = self._callers[source].last_numbers
        before = known.pop(numbers.subscription, None)
        known[numbers.subscription] = max(numbers.last, before or 0) if before is None or numbers.last >= before else numbers.last
        while len(known) > SUBSCRIPTIONS_AT_MOST:
            known.popitem(last=False)
        if before is None or numbers.first <= before + 1:
            return Heard()
        return Heard((before + 1, numbers.first - 1))


def numbers_of(body: bytes) -> Numbers | None:
    """Return the event numbers of a notification, None where it has none that can be read."""
    try:
        bundle = msgspec.json.decode(body)
        status = bundle["entry"][0]["resource"]
    except (msgspec.MsgspecError, RecursionError, KeyError, IndexError, TypeError):
        return None
    if not isinstance(status, dict):
        return None
    told = _of_parameters(status) if status.get("resourceType") == "Parameters" else _of_status(status)
    return _numbers(*told)


def _of_status(status: dict[str, Any]) -> tuple[Any, Any, list[Any]]:
    """Read a SubscriptionStatus (R5, R4B)."""
    events = status.get("notificationEvent")
    numbers = [event.get("eventNumber") for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    return status.get("subscription"), status.get("eventsSinceSubscriptionStart"), numbers


def _of_parameters(status: dict[str, Any]) -> tuple[Any, Any, list[Any]]:
    """Read the Parameters of the backport to R4, whose names are those of SubscriptionStatus with dashes."""
    subscription, total, numbers = None, None, []
    parameters = status.get("parameter")
    for parameter in parameters if isinstance(parameters, list) else []:
        name, value = _parameter(parameter)
        if name == "subscription":
            subscription = value
        elif name == "eventssincesubscriptionstart":
            total = value
        elif name == "notificationevent":
            parts = parameter.get("part")
            named = (_parameter(part) for part in parts) if isinstance(parts, list) else iter(())
            numbers += [value for name, value in named if name == "eventnumber"]
    return subscription, total, numbers


def _parameter(parameter: Any) -> tuple[str, Any]:
    if not isinstance(parameter, dict):
        return "", None
    value = next((one for name, one in parameter.items() if name.startswith("value")), None)
    return str(parameter.get("name", "")).replace("-", "").lower(), value


def _numbers(subscription: Any, total: Any, numbers: list[Any]) -> Numbers | None:
    """Return first and last number; of a heartbeat, which has no events, one more than it tells of begins the next call."""
    reference = subscription.get("reference") if isinstance(subscription, dict) else None
    name = str(reference or "")[:LONGEST_NAME]
    events = [number for one in numbers if (number := _whole(one)) is not None]
    if events:
        return Numbers(name, min(events), max(events))
    last = _whole(total)
    return Numbers(name, last + 1, last) if last is not None else None


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
