"""What the bridge says of service to the broker: the answers, and the last self test, which the broker keeps."""

import logging
from collections.abc import Callable
from datetime import datetime

from firmware_bridge.contract import encode
from firmware_bridge.service_contract import SelfTestReport, ServiceEvent
from firmware_bridge.surroundings import Surroundings

logger = logging.getLogger(__name__)


class ServiceVoice:
    """The answers of one machine's service desk, told and noted in the log."""

    def __init__(self, device: str, outside: Surroundings, now: Callable[[], datetime]) -> None:
        self._device, self._outside, self._now = device, outside, now

    def answer(self, answer: ServiceEvent) -> None:
        """Tell the answer to a service command; the pieces of an image are too many for the log."""
        told = "told" if self._outside.publish("svc/evt", encode(answer)) else "could not be told"
        level = logging.DEBUG if "next_offset" in answer.data else logging.INFO
        logger.log(
            level, "%s: service command %r %s: %s %s", self._device, answer.command, told, answer.rc, answer.reason
        )

    def tested(self, answer: ServiceEvent) -> None:
        """Tell what a self test found, for whoever asks later."""
        results = {test: result for test, result in answer.data.items() if isinstance(result, str)}
        report = SelfTestReport(at=self._now(), results=results)  # type: ignore[arg-type]
        if not self._outside.publish("self-test", encode(report), retain=True):
            logger.warning("%s: the self test could not be told: %s", self._device, results)
