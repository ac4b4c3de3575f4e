"""A slot in doubt: power was lost between the order to drop and the count, so nobody knows what fell until a person has counted.

Whatever is answered, the pouch is destroyed and made anew as a new job: an answer books tablets, it never lets a pouch out.
"""

from dataclasses import dataclass

from hub.domain.identifiers import DeviceId, JobId, UserId
from hub.domain.refusals import Refusal

IN_DOUBT = "in-doubt"
"""The reason of the machine's `stopped` event, and the kind of the review that asks a person."""
LOST_TOUCH = frozenset({"STALE_EVENT", "UNKNOWN_JOB", "EXPIRED"})
"""Why an answer was not taken, where the machine may no longer know of the doubt."""


@dataclass(frozen=True, slots=True)
class DoubtAnswer:
    """What a person found, by ledger entry `entry`; (`boot`, `event`) is the machine's question that it answers."""

    entry: int
    boot: int
    event: int
    counted: int
    by: UserId


@dataclass(frozen=True, slots=True)
class Doubt:
    """The machine's newest question (`boot`, `event`) about a slot of a job, and what came of it.

    `refused` says why the machine did not take the answer; `resolved` is the count that was booked, None until it has been:
    by the machine, or `without_machine` by two people because it no longer knows of the doubt.
    """

    slot: int
    boot: int
    event: int
    answer: DoubtAnswer | None = None
    refused: str = ""
    resolved: int | None = None
    without_machine: bool = False

    @property
    def question(self) -> tuple[int, int]:
        """The number of the event that an answer must name."""
        return self.boot, self.event

    @property
    def is_answered(self) -> bool:
        """Whether a person answered this very question and the machine has not refused it."""
        return self.answer is not None and (self.answer.boot, self.answer.event) == self.question and not self.refused

    @property
    def is_open(self) -> bool:
        """Whether a person must count."""
        return self.resolved is None and not self.is_answered


@dataclass(frozen=True, slots=True)
class Counting:
    """A person's answer as it comes in: which question it means, how many were counted, and who says so."""

    device: DeviceId
    job: JobId
    boot: int
    event: int
    counted: int
    reason: str
    by: UserId
    second: UserId | None = None


def is_news(known: Doubt | None, told: Doubt) -> bool:
    """Tell whether a question is newer than what is known: MQTT reorders, and after each loss of power the machine asks anew.

    A doubt that ended without the machine is asked about again where the machine remembers it after all: it waits.
    """
    if known is None:
        return True
    return (known.resolved is None or known.without_machine) and told.question > known.question


def counting_refused(doubt: Doubt | None, told: Counting, *, high_alert: bool) -> Refusal | None:
    """Return why an answer cannot be taken, or None; it must name the machine's newest question (compare and set)."""
    if doubt is None or doubt.resolved is not None:
        return Refusal("not-in-doubt", "This pouch is not in doubt: the machine waits for no answer about it.", "Этот пакет не под сомнением: машина не ждёт о нём ответа.")
    if (told.boot, told.event) != doubt.question:
        return Refusal(
            "stale",
            f"The machine lost power again and asks anew (event {doubt.event} of boot {doubt.boot}): "
            "look into the pouch and count again, then answer the new question.", f"Питание машины пропало снова, и она спрашивает заново (событие {doubt.event}, включение {doubt.boot}): загляните в пакет, пересчитайте и ответьте на новый вопрос.",
        )
    if doubt.is_answered and doubt.answer is not None:
        return Refusal("decided", f"This was answered before: {doubt.answer.counted} counted. The machine is being told.", f"На это уже отвечено: насчитано {doubt.answer.counted}. Машине сообщают.")
    return _unfit(told, high_alert)


def has_lost_touch(doubt: Doubt, machine_state: str | None) -> bool:
    """Tell whether a doubt can only be ended without its machine: it did not take the answer, answers now, and says nothing of a doubt.

    `machine_state` is the state in its last report, None where it is not reached: it may come back with the same question. A board
    that was replaced knows of no doubt; the line would wait for ever.
    """
    rc = doubt.refused.partition(":")[0]
    return doubt.resolved is None and rc in LOST_TOUCH and machine_state not in (None, IN_DOUBT)


def ending_refused(doubt: Doubt | None, told: Counting, machine_state: str | None) -> Refusal | None:
    """Return why two people cannot end a doubt without its machine, or None."""
    refusal = counting_refused(doubt, told, high_alert=True)
    if refusal is not None and refusal.code != "second-person":
        return refusal
    assert doubt is not None
    if not has_lost_touch(doubt, machine_state):
        return Refusal("machine-asks", "The machine can still be told how many fell: answer it. Only what it no longer knows of is ended without it.", "Машине ещё можно сообщить, сколько выпало: ответьте ей. Без неё заканчивают только то, о чём она больше не знает.")
    if refusal is not None:
        return Refusal("second-person", "Without the machine two people decide: a second one must count too and confirm with badge and PIN.", "Без машины решают двое: второй человек тоже считает и подтверждает бейджем и PIN.")
    return None


def _unfit(told: Counting, high_alert: bool) -> Refusal | None:
    if not told.reason.strip():
        return Refusal("reason", "Write down how it was counted and what was seen.", "Запишите, как считали и что увидели.")
    if high_alert and told.second in (None, told.by):
        return Refusal("second-person", "The pouch has a high-alert drug: a second person must count too and confirm with badge and PIN.", "В пакете препарат высокого риска: второй человек тоже считает и подтверждает бейджем и PIN.")
    return None
