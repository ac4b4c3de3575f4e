"""What the machine's journal has of its jobs, as far as the protocol tells it: one question for each job, and what was heard of it."""

from datetime import datetime

import msgspec

from firmware_bridge.service_contract import JobQueryCommand, JobStanding, ServiceCommand
from hub.console.machine import Facts, event_words
from hub.console.visit import Visit

DOUBT = "doubt"


def show_journal(visit: Visit) -> None:
    """Show the job that the machine names now, those that were asked for and those that were heard of."""
    status = visit.machine.status
    present = [status.job] if status is not None and status.job is not None else []
    jobs = list(dict.fromkeys([*visit.options.jobs, *present, *visit.machine.jobs]))
    if not jobs:
        visit.screen.line("the machine names no job now; --job asks for one by its id")
    for job in jobs:
        _show_job(visit, job)


def _show_job(visit: Visit, job: str) -> None:
    answer = visit.line.ask(lambda *head: _query(job, *head))
    facts: Facts = {}
    if answer.rc == "UNKNOWN_JOB":
        facts["journal"] = "the machine does not know this job: nothing of it moved"
    else:
        visit.demand(answer)
        facts |= _standing_facts(msgspec.convert(answer.data, JobStanding))
    if job in visit.machine.jobs:
        facts["last event heard"] = event_words(visit.machine.jobs[job])
    visit.screen.facts(f"job {job}", facts)


def _standing_facts(standing: JobStanding) -> Facts:
    facts = {"journal": standing.job_state, "slot": str(standing.slot), "highest event": str(standing.event)}
    if standing.running:
        facts["runs"] = "now"
    if standing.job_state == DOUBT:
        facts["waits for"] = (
            f"a person who counts what fell in slot {standing.slot}: on the page /line of the hub, or --resolve COUNTED --reason TEXT --hub URL"
        )
    return facts


def _query(job: str, command: str, fence: int, expires_at: datetime) -> ServiceCommand:
    return JobQueryCommand(command=command, fence=fence, expires_at=expires_at, job=job)
