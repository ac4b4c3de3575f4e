"""Power lost in the middle of a drop, on a walk: the machine asks, is asked to wait, and takes an answer to its newest question only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.domain.doubts import Counting
from hub.domain.identifiers import UserId
from hub.domain.packs import PackJob
from hub.domain.refusals import Refusal
from hub.services.doubts import answer_command
from hub.services.resolve_doubt import resolve_doubt
from tests.services.small_world import PACKAGER, PHARMACIST, TECHNICIAN
from tests.simulation.oracle import must

if TYPE_CHECKING:
    from tests.simulation.walker import Holding, Walk

ANSWERS_IN_VAIN = 60


def lose_power(walk: Walk, pouch: Holding) -> None:
    """Lose power after the actuator has moved and before the count is written down: something fell, nobody knows how much."""
    count = pouch.job.fills[pouch.stage - 1].count
    pouch.fell = walk.chance.choice((0, count, count, count, count + 1))
    walk.power_cut()


def ask_again(walk: Walk) -> None:
    """Have a machine that started anew ask about its drop in doubt, unless it has just told again what nobody had acknowledged."""
    for pouch in walk.holding:
        if pouch.fell is None:
            continue
        told = [event for event in walk.network if event.kind == "stopped" and event.job == pouch.job.id]
        event = told[-1] if told else walk._send("stopped", pouch.job.id, pouch.stage - 1, reason="in-doubt")
        pouch.question = (event.boot, event.number)
        walk.asked.setdefault(pouch.job.id, []).append(pouch.question)


def carry_answers(walk: Walk) -> None:
    """Bring people's answers to the machine: the one to its own newest question is booked, any other is refused."""
    for command in walk.world.all("commands", kind="resolve", done=False):
        job = walk.world.get("jobs", command.job)
        if command.id in walk.known_commands or answer_command(job) != command.id:
            continue
        walk.known_commands.add(command.id)
        answer, pouch = job.doubt.answer, walk.holding[0] if walk.holding else None
        if pouch is None or pouch.job.id != job.id or pouch.fell is None or pouch.question != (answer.boot, answer.event):
            walk._send("refused", job.id, None, source="bridge", command=command.id, rc="STALE_EVENT", reason="STALE_EVENT")
        else:
            _book(walk, pouch, answer.counted)


def _book(walk: Walk, pouch: Holding, counted: int) -> None:
    job, slot = pouch.job, pouch.stage - 1
    fill = job.fills[slot]
    if counted != fill.count:
        walk.oracle.miscounted.add(fill.cassette)
    walk._send("resolved", job.id, slot, cassette=fill.cassette, asked=fill.count, counted=counted, remaining=0)
    walk._send("diverted", job.id, slot, verdict="NONE")
    walk._send("done", job.id, slot, state="diverted")
    walk._send("ready", None, None)
    walk.holding.remove(pouch)


def answer_machine(walk: Walk, job: PackJob) -> None:
    """Have a person answer what one machine asks; what may not be taken must be refused, by the right word."""
    doubt, asked = job.doubt, walk.asked.get(job.id, [])
    assert doubt is not None
    question = walk.chance.choice(asked) if walk._wrong(0.3) and asked else doubt.question
    fell = next((pouch.fell for pouch in walk.holding if pouch.job.id == job.id and pouch.fell is not None), 0)
    counted = fell + 1 if walk._wrong(0.1) else fell
    told = Counting(PACKAGER, job.id, *question, counted, "counted", UserId(PHARMACIST), UserId(TECHNICIAN))
    result = walk.world.do(lambda unit: resolve_doubt(unit, told), PHARMACIST)
    code = result.code if isinstance(result, Refusal) else ""
    wanted = "stale" if question != doubt.question else "" if doubt.is_open else "decided"
    must(code == wanted, "9 an answer is taken for its own question", code, wanted)
    walk.tries[job.id] += not walk.faults
    must(walk.tries[job.id] < ANSWERS_IN_VAIN, "9 a machine in doubt waits for ever", job)
