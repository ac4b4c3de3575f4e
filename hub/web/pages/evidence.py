"""The pages of kept pictures: what is kept for how long, what was removed by which rule, and the pictures of one pack."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.domain.evidence import DAMAGED, MISSING, EvidenceRules, KeptFrame
from hub.domain.identifiers import PackSerial
from hub.domain.people import Action, User
from hub.services.evidence import evidence_board, frames_of, told_of
from hub.web.context import Hub, HubContext, allowed
from hub.web.language import language_of
from hub.web.pages.rendering import page
from hub.web.pages.spoken import spoken

router = APIRouter()
Reviewer = Annotated[User, Depends(allowed(Action.DECIDE_REVIEWS))]
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Снимки проверки", "Pictures of the verification"),
    "rules": ("Что хранится", "What is kept"),
    "doubts": ("FAIL и LOOK: все снимки пакета, дней:", "FAIL and LOOK: all pictures of the pouch, days:"),
    "passes": ("PASS: один пакет из {share}, дней:", "PASS: one pouch of {share}, days:"),
    "kept": ("На диске снимков", "Pictures on the disk"),
    "in_use": ("из них нужны открытым вопросам и не удаляются:", "of them needed by open questions and not removed:"),
    "removed": ("Удалено по правилу", "Removed by the rule"),
    "none_removed": ("Ничего ещё не удалено.", "Nothing was removed yet."),
    "none": ("Снимков этой упаковки не хранили.", "No pictures of this pack were kept."),
    "alt": ("Снимок {number} упаковки {pack}", "Picture {number} of pack {pack}"),
}


@router.get("/evidence")
async def evidence(request: Request, hub: Hub, user: Reviewer) -> HTMLResponse:
    """Show the rules, how much is kept, and what was removed last."""
    language = language_of(request, hub.house.language)
    board = await hub.decisions.read(lambda unit: evidence_board(unit, hub.evidence_rules))
    removed = [{"pack": frame.pack, "verdict": frame.verdict.value, "told": told_of(frame, hub.house).said(language)} for frame in board["removed"]]
    told = {**board, "removed": removed}
    return page(request, user, "evidence.html", board=told, say=_words(language, board["rules"]), language=language)


@router.get("/evidence/{pack}")
async def evidence_of_pack(pack: str, request: Request, hub: Hub, user: Reviewer) -> HTMLResponse:
    """Show the pictures of one pack's verdict, and what became of those that are not there any more."""
    language = language_of(request, hub.house.language)
    frames = await hub.decisions.read(lambda unit: frames_of(unit, PackSerial(pack)))
    shown = [_frame(hub, frame, language) for frame in frames]
    return page(request, user, "evidence_of_pack.html", pack=pack, frames=shown, say=_words(language, hub.evidence_rules), language=language)


def _words(language: str, rules: EvidenceRules) -> dict[str, str]:
    words = spoken(WORDS, language)
    return {**words, "passes": words["passes"].format(share=rules.pass_share)}


def _frame(hub: HubContext, frame: KeptFrame, language: str) -> dict[str, Any]:
    """Return a picture, or the sentence in its place."""
    told = ""
    if frame.removed_at is not None:
        told = told_of(frame, hub.house).said(language)
    elif hub.evidence(frame.digest) is None:
        told = (DAMAGED if hub.evidence_is_damaged(frame.digest) else MISSING).said(language)
    return {"digest": frame.digest, "verdict": frame.verdict.value, "kept_at": frame.kept_at, "told": told}
