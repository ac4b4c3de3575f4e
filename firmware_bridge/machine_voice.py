"""What the bridge says of its machine to whoever asks later: `$description` and `status`, which the broker keeps."""

from firmware_bridge.contract import StatusReport, encode
from firmware_bridge.link import Link
from firmware_bridge.machine_view import MachineView, is_news
from firmware_bridge.surroundings import Surroundings

VERSION = "0.1.0"
SPACING_S = 0.5


class MachineVoice:
    """The state of one machine, told when it has news, at most twice a second."""

    def __init__(self, outside: Surroundings) -> None:
        self._outside = outside
        self._told: StatusReport | None = None
        self._told_at_s = 0.0

    def describe(self, view: MachineView) -> None:
        """Tell what the machine said of itself, once it has."""
        description = view.description(VERSION)
        if description is not None:
            self._outside.publish("$description", encode(description), retain=True)

    def tell_anew(self) -> None:
        """Tell the state next time even if it is no news: somebody asked, or the broker is another."""
        self._told = None

    def report(self, view: MachineView, link: Link, now_s: float, *, is_up: bool, queued: int, seq_gaps: int) -> None:
        """Tell the state if it has news."""
        if now_s < self._told_at_s + SPACING_S or not self._outside.is_connected or (is_up and not view.is_whole):
            return
        counters = vars(link.counters) | vars(link.decoder.counters) | {"denied": self._outside.denials}
        report = view.report(is_up=is_up, queued=queued, link_counters=counters, seq_gaps=seq_gaps)
        if is_news(report, self._told):
            self._outside.publish("status", encode(report), retain=True)
            self._told, self._told_at_s = report, now_s
