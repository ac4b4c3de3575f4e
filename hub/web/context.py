"""What pages and API need from the hub, and who is asking."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, HTTPException, Request

from hub.domain.evidence import EvidenceRules
from hub.domain.identifiers import UserId
from hub.domain.people import Action, User, may
from hub.domain.people_words import ACTIONS_RU, ROLES_RU
from hub.domain.picture_figures import PictureFigures
from hub.domain.refusals import Refusal
from hub.services.camera_at_hand import CameraAtHand, NoCamera
from hub.services.codes import Suggest, no_suggestions
from hub.services.device_service import DeviceService
from hub.services.firmware_updates import Updates
from hub.services.house import House
from hub.services.house_labels import LabelRequest
from hub.services.make_packs import PrintedLabel
from hub.services.ports import UnitOfWork
from hub.services.presses import Presses
from hub.services.sign_in import WRONG, PinHasher, user_of_badge
from hub.services.views import LedgerPage, LedgerQuestion
from hub.web.throttle import SignInGuard

Result = TypeVar("Result")
COOKIE = "dosehub_session"
SIGN_IN = Refusal("sign-in", "Sign in with badge and PIN.", "Войдите по бейджу и PIN.")
ANOTHER_PERSON = Refusal("second-person", "A second, different person with this right must confirm.", "Подтвердить должен второй, другой человек с этим правом.")


class Decisions(Protocol):
    """The one writer and its readers."""

    def run(self, actor: str, decision: Callable[[UnitOfWork], Result]) -> Awaitable[Result]:
        """Run a decision and answer after its commit."""

    def once(self, actor: str, event: str, body: str, decision: Callable[[UnitOfWork], Any]) -> Awaitable[str | Refusal]:
        """Run a decision once for an event id and return its result as JSON; the repetition gets the same, another body a Refusal `conflict`.

        The decision's result is a Refusal or can be written as JSON.
        """

    def try_out(self, actor: str, decision: Callable[[UnitOfWork], Result]) -> Awaitable[Result | Refusal]:
        """Run a decision and take it back: its result is told, and nothing is written."""

    def read(self, decision: Callable[[UnitOfWork], Result]) -> Awaitable[Result]:
        """Run a query that writes nothing."""


class Sessions(Protocol):
    """Signed-in people."""

    def open(self, user: User) -> Awaitable[str]:
        """Open a session and return its token."""

    def user_of(self, token: str) -> Awaitable[User | None]:
        """Return whose token it is, or None where it is unknown or too old."""

    def close(self, token: str) -> Awaitable[None]:
        """End a session."""


class Intake(Protocol):
    """Readers of sheets and changes; a file that cannot be taken gives a Refusal naming file, line and reason."""

    def sheet(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> "dict[str, Any] | Refusal":
        """Take in a sheet."""

    def changes(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> "dict[str, Any] | Refusal":
        """Take in dated changes."""

    def allergies(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> "dict[str, Any] | Refusal":
        """Take in a source's list of allergies."""

    def discharges(self, unit: UnitOfWork, source: str, name: str, data: bytes) -> "dict[str, Any] | Refusal":
        """Take in a discharge list."""

    def looked_at(self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes) -> "dict[str, Any] | Refusal":
        """Take in a file of a kind and tell all that it did, in a decision that is taken back."""

    def words(self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes) -> dict[str, dict[str, str]]:
        """Return what was understood of the schedules of a file, by order and language."""

    def take_as_shown(
        self, unit: UnitOfWork, kind: str, source: str, name: str, data: bytes, state: str, *, confirmed: bool
    ) -> "dict[str, Any] | Refusal":
        """Take in a file that was looked at, where it still does what was shown."""


class Held(Protocol):
    """A sheet that waits for a pharmacist."""

    @property
    def source(self) -> str:
        """Who sent it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


class Feeds(Protocol):
    """What comes in by itself; every call may wait for the disk or a commit."""

    def held(self, digest: str) -> Held | None:
        """Return a held sheet by its SHA-256."""

    def forget(self, digest: str) -> None:
        """Drop a sheet about which somebody has decided."""

    def take(self, source: str, name: str, data: bytes) -> None:
        """Take in a file as the feeds do: a stump is held, a refusal raises an alarm."""

    def hint(self, source: str, token: str, body: bytes) -> "Refusal | float | None":
        """Answer a call that there is news: None, a refusal, or how many seconds the caller must wait."""


def no_picture(_: str) -> None:
    """Return that there is no picture of a tablet: nothing is learned here."""


def real_time() -> datetime:
    """Return the time on the wall, UTC."""
    return datetime.now(UTC)


class Labels(Protocol):
    """Labels of the house, drawn for whoever asks."""

    def draw(self, actor: str, request: LabelRequest) -> "Awaitable[tuple[PrintedLabel, ...] | Refusal]":
        """Draw what is asked for and read it back, or say which field cannot stand on it and why."""


@dataclass(frozen=True, slots=True)
class HubContext:
    """The hub as the web sees it; `now` may be a demonstration's clock, `wall` is what a person's looking is timed by."""

    decisions: Decisions
    sessions: Sessions
    intake: Intake
    labels: Labels
    house: House
    pins: PinHasher
    now: Callable[[], datetime]
    step_clock: Callable[[datetime], None] | None
    export_ledger: Callable[[], AsyncIterator[bytes]]
    read_ledger: Callable[[LedgerQuestion], Awaitable[LedgerPage]]
    board_changes: Callable[[], AsyncIterator[int]]
    evidence: Callable[[str], bytes | None]
    evidence_is_damaged: Callable[[str], bool]
    evidence_rules: EvidenceRules
    service: DeviceService
    feeds: Feeds
    site: str = "hospital"
    suggest_drugs: Suggest = no_suggestions
    camera: CameraAtHand = field(default_factory=NoCamera)
    presses: Presses = field(default_factory=Presses)
    updates: Updates = field(default_factory=Updates)
    wall: Callable[[], datetime] = real_time
    tablet_pictures: Callable[[str], bytes | None] = no_picture
    trials_left_out: Callable[[], int] = lambda: 0
    picture: PictureFigures = field(default_factory=PictureFigures)
    guard: SignInGuard = field(default_factory=SignInGuard)


def hub_of(request: Request) -> HubContext:
    """Return the hub that this application serves."""
    hub = request.app.state.hub
    assert isinstance(hub, HubContext)
    return hub


async def _hub_of(request: Request) -> HubContext:
    """Return the hub without the thread that a plain function would be run in."""
    return hub_of(request)


Hub = Annotated[HubContext, Depends(_hub_of)]


async def current_user(request: Request) -> User:
    """Return who is signed in, by bearer token or cookie; 401 else."""
    header = request.headers.get("authorization", "")
    token = header.removeprefix("Bearer ") if header.startswith("Bearer ") else request.cookies.get(COOKIE, "")
    user = await hub_of(request).sessions.user_of(token) if token else None
    if user is None:
        raise refuse(401, SIGN_IN)
    return user


def allowed(action: Action) -> Callable[[Request], Awaitable[User]]:
    """Return a dependency that lets only those pass who may do `action`."""

    async def check(request: Request) -> User:
        user = await current_user(request)
        if not may(user.role, action):
            raise not_allowed(user, action)
        return user

    return check


def answered(result: Any) -> Any:
    """Return a result, or raise the refusal it is as 409 with code and reason."""
    if isinstance(result, Refusal):
        raise refuse(409, result)
    return result


def refuse(status: int, refusal: Refusal) -> HTTPException:
    """Return the answer that refuses a call: code, both sentences and source, with a status of HTTP."""
    return HTTPException(status, refusal.told())


def not_allowed(user: User, action: Action) -> HTTPException:
    """Return the 403 of a role that may not do something."""
    english = f"A {user.role.value} may not {action.value.replace('-', ' ')}."
    return refuse(403, Refusal("not-allowed", english, f"Роль «{ROLES_RU[user.role]}» не может {ACTIONS_RU[action]}."))


async def person_of(hub: HubContext, badge: str, pin: str) -> User | Refusal:
    """Return whose badge and PIN these are; the refusal never says which was wrong, and guessing gets slow."""
    wait_s = hub.guard.wait_s(badge, time.monotonic())
    if wait_s > 0:
        return Refusal("wait", f"Too many wrong PINs for this badge: try again in {math.ceil(wait_s / 60)} min, or ask the senior nurse.", f"Слишком много неверных PIN для этого бейджа: повторите через {math.ceil(wait_s / 60)} мин или обратитесь к старшей медсестре.")
    user = await hub.decisions.read(lambda unit: user_of_badge(unit, badge))
    if user is None or not await asyncio.to_thread(hub.pins.matches, user.pin_hash, pin):
        hub.guard.wrong(badge, time.monotonic())
        return WRONG
    hub.guard.right(badge)
    return user


async def second_person(hub: HubContext, badge: str, pin: str, first: User, action: Action) -> UserId | None:
    """Return the second person who confirms, None where no badge came; 409 where badge, PIN or person will not do."""
    if not badge:
        return None
    user = await person_of(hub, badge, pin)
    if isinstance(user, Refusal):
        raise refuse(409, Refusal("second-person", f"The second person: {user.text}", f"Второй человек: {user.said('ru')}"))
    if user.id == first.id or not may(user.role, action):
        raise refuse(409, ANOTHER_PERSON)
    return user.id
