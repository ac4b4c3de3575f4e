"""The feeds of one hub: a worker for each watched folder and each pull, the held sheets, and the gate for hints."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.adapters.feeds.fhir_beside import KnownPeople
from hub.adapters.feeds.fhir_pull import FhirPull, PullDoor
from hub.adapters.feeds.fhir_server import FhirServer
from hub.adapters.feeds.folder import LOOK_EVERY_S, FolderDoor, WatchedFolder
from hub.adapters.feeds.held_sheets import HeldSheet, HeldSheets
from hub.adapters.feeds.hints import HintGate
from hub.adapters.feeds.taking import ACTOR, Also, Taker
from hub.adapters.intake.errors import IntakeError
from hub.adapters.intake_desk import IntakeDesk
from hub.adapters.unit_of_work import SqlUnitOfWork
from hub.adapters.workers import Worker
from hub.adapters.writer import Writer
from hub.domain.feeds import FeedSettings
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.feeds import feed_failed, feed_of, file_refused, hints_missing, pull_worked
from hub.services.house import House

# Hints that come while a pull runs, or shortly after it, are answered by one more.
BETWEEN_PULLS_S = 5.0
LONGEST_HINT = 1024 * 1024
_log = logging.getLogger(__name__)


def tokens_of(feeds: Mapping[str, FeedSettings], environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return (token for the FHIR server, token of hints) by source; raise IntakeError where a named variable is not set."""
    return {
        source: (_secret(source, "fhir_token_env", feed.fhir_token_env, environment), _secret(source, "hint_token_env", feed.hint_token_env, environment))
        for source, feed in feeds.items()
    }


def _secret(source: str, key: str, variable: str, environment: Mapping[str, str]) -> str:
    secret = environment.get(variable, "") if variable else ""
    if variable and not secret:
        raise IntakeError("sources", f"source {source}", key, Words(
            f"the environment has no variable {variable}",
            f"в окружении нет переменной {variable}",
        ))
    if not secret.isascii() or any(mark.isspace() for mark in secret):
        raise IntakeError("sources", f"source {source}", key, Words(
            f"the variable {variable} holds a space or a letter that no token has",
            f"в переменной {variable} пробел или буква, каких в токене не бывает",
        ))
    return secret


@dataclass(frozen=True, slots=True)
class _Pull:
    pull: FhirPull
    worker: Worker


class FeedDesk:
    """`Feeds` of hub.web.context, and the workers behind it."""

    def __init__(self, writer: Writer, house: House, folder: Path, tokens: Mapping[str, tuple[str, str]]) -> None:
        self._writer = writer
        self._house = house
        self._folder = folder
        self._tokens = tokens
        self._held = HeldSheets(folder / "held")
        self._taker = Taker(writer, IntakeDesk(house), self._held)
        self._gate = HintGate({source: hint for source, (_, hint) in tokens.items()})
        self._pulls: dict[str, _Pull] = {}
        self._ending = threading.Event()

    def workers(self) -> Iterator[tuple[Worker, Callable[[], None]]]:
        """Yield a worker for every folder and pull, each with what ends its connections."""
        for source, feed in self._house.feeds.items():
            if feed.folder:
                watched = WatchedFolder(self._folder.parent / feed.folder, self._folder_door(source))
                yield Worker(f"folder of {source}", watched.work, (), idle_s=LOOK_EVERY_S), _nothing
            if feed.fhir_url:
                server = FhirServer(feed.fhir_url, self._tokens[source][0], lambda seconds: not self._ending.wait(seconds))
                pull = FhirPull(source, server, self._pull_door(source))
                worker = Worker(f"pull of {source}", pull.work, {source}, rests_s=BETWEEN_PULLS_S, idle_s=feed.pull_every_minutes * 60.0)
                self._pulls[source] = _Pull(pull, worker)
                yield worker, server.close

    def end(self) -> None:
        """Let no pull wait any longer for its server."""
        self._ending.set()

    def held(self, digest: str) -> HeldSheet | None:
        """Return a sheet that waits for a pharmacist."""
        return self._held.get(digest)

    def forget(self, digest: str) -> None:
        """Drop the bytes of a sheet about which somebody has decided."""
        self._held.forget(digest)

    def take(self, source: str, name: str, data: bytes) -> None:
        """Take in a file as the feeds do: a stump is held, a refusal is told by an alarm."""
        self._taker.take(source, name, data)

    def hint(self, source: str, token: str, body: bytes) -> Refusal | float | None:
        """Answer a call that a source has news: None, a refusal of who calls, or the seconds that it must wait."""
        if not self._gate.is_right(source, token):
            return Refusal("hint-denied", "Nobody may call for this source by this token.", "Для этого источника такой токен не принимается.")
        if (wait_s := self._gate.wait_s(source, time.monotonic())) > 0:
            return wait_s
        missing = self._gate.heard(source, body).missing
        pull = self._pulls.get(source)
        if missing is not None:
            self._writer.submit(ACTOR, lambda unit: hints_missing(unit, source, *missing)).result()
            if pull is not None:
                pull.pull.ask_for_all()
        if pull is not None:
            pull.worker.wake(frozenset({source}))
        return None

    def _folder_door(self, source: str) -> FolderDoor:
        return FolderDoor(
            take=lambda name, data: self._taker.take(source, name, data),
            refuse=lambda name, english, russian: self._refuse(source, name, Refusal("too-large", english, russian)),
            works=lambda: self._writer.submit(ACTOR, lambda unit: pull_worked(unit, source)).result(),
            fails=lambda english, russian: self._writer.submit(ACTOR, lambda unit: feed_failed(unit, source, english, russian)).result(),
        )

    def _refuse(self, source: str, name: str, refusal: Refusal) -> None:
        self._writer.submit(ACTOR, lambda unit: file_refused(unit, source, name, name, refusal)).result()

    def _pull_door(self, source: str) -> PullDoor:
        def write(also: Also) -> None:
            self._writer.submit(ACTOR, also).result()

        return PullDoor(
            now=lambda: self._writer.submit_read(lambda unit: unit.now).result(),
            day=lambda: self._writer.submit_read(lambda unit: self._house.day_of(unit.now).isoformat()).result(),
            cursor=lambda: self._writer.submit_read(lambda unit: feed_of(unit, source).cursor).result(),
            known=lambda: self._writer.submit_read(_known_people).result(),
            take=lambda name, data, **more: self._taker.take(source, name, data, **more),
            write=write,
            works=lambda: self._writer.submit(ACTOR, lambda unit: pull_worked(unit, source)).result(),
            fails=lambda english, russian: self._writer.submit(ACTOR, lambda unit: feed_failed(unit, source, english, russian)).result(),
        )


def _known_people(unit: SqlUnitOfWork) -> KnownPeople:
    patients, stays = unit.patients.where(), unit.stays.where()
    return KnownPeople(frozenset(patient.id for patient in patients), frozenset(stay.encounter for stay in stays if stay.encounter))


def _nothing() -> None:
    """End nothing."""
