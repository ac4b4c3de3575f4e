"""How a call of a hand reaches the loop that owns the machine, where the loop is late."""

import threading

import pytest

from simulators.control import ControlRefusal
from simulators.packager import hands
from simulators.packager.hands import Mailbox

LONG_S = 60.0


def test_what_nobody_began_is_refused_and_not_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands, "WAIT_S", 0.05)
    mailbox, done = Mailbox(lambda: None), list[str]()
    with pytest.raises(ControlRefusal, match="does not answer") as refused:
        mailbox.call(lambda: done.append("taken"))
    mailbox.work_off()
    assert (refused.value.status, done) == (503, [])


def test_what_is_being_done_when_the_patience_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands, "WAIT_S", 1.0)
    mailbox, told = Mailbox(lambda: None), list[str]()
    begun, may_end = threading.Event(), threading.Event()

    def take() -> str:
        begun.set()
        assert may_end.wait(LONG_S)
        return "a pouch"

    def work() -> None:
        while not begun.is_set():
            mailbox.work_off()

    threads = [threading.Thread(target=work), threading.Thread(target=lambda: told.append(mailbox.call(take)))]
    for thread in threads:
        thread.start()
    assert begun.wait(LONG_S)
    monkeypatch.setattr(hands, "WAIT_S", LONG_S)  # what the hand waits for it once more
    threading.Timer(1.5, may_end.set).start()
    for thread in threads:
        thread.join(LONG_S)
    assert told == ["a pouch"]
