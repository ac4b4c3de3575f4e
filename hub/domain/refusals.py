"""A refusal: the answer to something that may not be done, with a reason that a person can act on."""

from collections.abc import Mapping
from dataclasses import dataclass

_INVARIANTS = "docs/architecture.md, invariants"
_ISMP = "ISMP, Acute care guidelines for timely administration, 2011"
_ORDER_1088 = "Kemerovo order 1088, section II"
_ROLES = "hub/domain/people.py: the table of roles"
_CONSOLE = "docs/console.md"
_FEEDS = "docs/feeds.md"
_INTAKE = "docs/intake.md"
_LINES = "docs/lines.md"
_PICTURES = "docs/verification.md, learned looks"
_LATE = "docs/late-changes.md"
_STATION = "docs/review-station.md"
_RECORDS = "the hub's own records"
_EVIDENCE = "docs/evidence-kept.md"
_PACKS = "docs/makers-packs.md"
_CAMERA = "docs/camera.md"
SOURCES: Mapping[str, str] = {
    "no-camera": _CAMERA, "no-picture": _CAMERA, "no-test-label": _CAMERA, "no-lights": _CAMERA, "camera-busy": _CAMERA, "set-up-not-right": _CAMERA,
    "unknown-ticket": _CAMERA,
    "unknown-pack": f"{_INVARIANTS}: 6", "unknown-patient": f"{_INVARIANTS}: 6", "wrong-patient": f"{_INVARIANTS}: 6",
    "revoked": f"{_INVARIANTS}: 7", "recalled": f"{_INVARIANTS}: 7", "expired": f"{_INVARIANTS}: 7", "stopped": f"{_INVARIANTS}: 7",
    "on-hold": f"{_INVARIANTS}: 7", "discharged": f"{_INVARIANTS}: 7", "already-given": f"{_INVARIANTS}: 3", "not-received": "custody is proven by scans",
    "too-early": _ISMP, "too-late": _ISMP, "not-yours": "custody is proven by scans", "not-treatment-nurse": _ORDER_1088,
    "wrong-drug": f"{_INVARIANTS}: 5", "wrong-lot": f"{_INVARIANTS}: 5", "count": f"{_INVARIANTS}: 5", "scan": f"{_INVARIANTS}: 5",
    "in-doubt": f"{_INVARIANTS}: 9", "stale": f"{_INVARIANTS}: 9", "not-in-doubt": f"{_INVARIANTS}: 9", "machine-asks": f"{_INVARIANTS}: 9",
    "second-person": "a high-alert or look-alike drug is confirmed by two people", "known-sheet": "the same sheet twice changes nothing",
    "too-few": f"{_INVARIANTS}: 4", "no-stock": f"{_INVARIANTS}: 4", "capacity": f"{_INVARIANTS}: 4", "not-locked": "docs/protocol.md, LOCK",
    "not-your-lock": "docs/protocol.md, LOCK", "conflict": "an event id means one thing",
    "sign-in": _ROLES, "not-allowed": _ROLES, "wait": _ROLES, "cross-site": "docs/deployment.md", "broker-away": "docs/mqtt.md", "BROKER_AWAY": "docs/mqtt.md",
    "let-go": _CONSOLE, "not-your-press": _CONSOLE, "not-an-image": _CONSOLE, "update-runs": _CONSOLE, "repeated": _CONSOLE, "unknown-device": _CONSOLE,
    "changed-since": _FEEDS, "suspiciously-small": _FEEDS, "older-sheet": _FEEDS, "too-many-held": _FEEDS, "sheet-held": _FEEDS, "unknown-sheet": _FEEDS, "unknown-alarm": _FEEDS,
    "hint-denied": _FEEDS, "message-refused": "docs/hl7.md", "other-format": _FEEDS, "unreadable": _INTAKE, "too-large": _INTAKE, "unknown-source": _INTAKE,
    "meaning": _INTAKE, "unknown-code": _INTAKE, "closed": _LINES, "to": _LINES, "unknown-line": _LINES, "no-ruling": _LINES, "no-such-allergy": _LINES,
    "not-validated": _LINES, "over": _LINES, "not-releasable": _LINES, "no-such-doubt": _LINES, "not-waiting": _LINES, "dose": _LINES, "passed": _LINES, "not-given": _LATE, "pull": _LATE, "not-on-list": _LATE, "open-packs": "custody is proven by scans",
    "seal": "custody is proven by scans", "trolley": "custody is proven by scans", "wrong-drawer": "custody is proven by scans",
    "wrong-slot": f"{_INVARIANTS}: 5", "locked": f"{_INVARIANTS}: 4", "scanned-twice": f"{_INVARIANTS}: 4", "units": f"{_INVARIANTS}: 4", "known-pack": f"{_INVARIANTS}: 4",
    "not-printed": f"{_INVARIANTS}: 5", "replaced": "docs/printers.md", "not-open": f"{_INVARIANTS}: 3", "state": f"{_INVARIANTS}: 3", "decided": f"{_INVARIANTS}: 3", "not-revoked": f"{_INVARIANTS}: 3",
    "reason": "a deed has its reason in words", "real-clock": "the settings of the hub", "backwards": "the settings of the hub",
    "look-again": _STATION, "not-looked-at": _STATION, "too-quick": _STATION, "failed": _STATION,
    "evidence-damaged": _EVIDENCE, "evidence-removed": _EVIDENCE, "evidence-missing": _EVIDENCE,
    "unknown-gtin": _PACKS, "gtin-in-use": _PACKS, "gtin": _PACKS, "keyboard-layout": _PACKS, "caps-lock": _PACKS, "not-gs1": _PACKS, "separator-lost": _PACKS,
    "unread-code": _PACKS, "no-serial": _PACKS, "no-proof": _PACKS, "another-pack": _PACKS, "wrong-expiry": _PACKS, "to-type": _PACKS,
    "label": "docs/labels.md", "empty": "docs/labels.md",
    "no-pair": "docs/decisions/0009-look-alike-names.md", "no-reference": _PICTURES, "reference-state": _PICTURES, "error": "docs/api.md",
    **dict.fromkeys(
        ("unknown", "unknown-cassette", "unknown-dose", "unknown-drug", "unknown-job", "unknown-lot", "unknown-order", "unknown-review", "unknown-rule"), _RECORDS,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is for programs, `text` and `text_ru` are one plain sentence for the person who asked."""

    code: str
    text: str
    text_ru: str = ""

    def said(self, language: str) -> str:
        """Return the sentence in `ru` or `en`; English where there is no other."""
        return self.text_ru if language == "ru" and self.text_ru else self.text

    @property
    def source(self) -> str:
        """Where the rule behind the refusal is written; empty where it is the plain state of things."""
        return SOURCES.get(self.code, "")

    def told(self) -> dict[str, str]:
        """Return it as the API tells it."""
        return {"refused": str(self.code), "reason": self.text, "reason_ru": self.text_ru or self.text, "source": self.source}
