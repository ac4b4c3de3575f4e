"""The tables of verification: looks and trials of people, the camera and its prints, frames kept, and learned looks."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class LookRow(SQLModel, table=True):
    """Rows of Look."""

    __tablename__ = "station_looks"
    __table_args__ = (Index("station_looks_person_shown_at", "person", "shown_at"),)

    case: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    shown_at: str
    least_s: int
    decided_at: str | None = None
    decision: str


class TrialRow(SQLModel, table=True):
    """Rows of Trial."""

    __tablename__ = "trials"
    __table_args__ = (
        Index("trials_person_result", "person", "result"),
        Index("trials_judge_kind", "judge", "kind"),
    )

    id: str = Field(primary_key=True)
    judge: str
    kind: str
    evidence: str
    serial: str
    expected: str
    made_at: str
    result: str
    before: str
    person: str | None = None
    answer: str
    decided_at: str | None = None
    took_ms: int


class PrintQualityRow(SQLModel, table=True):
    """Rows of PrintQuality."""

    __tablename__ = "print_qualities"

    device: str = Field(primary_key=True)
    fresh: str
    last: str
    printed: int
    told: int | None = None


class CameraSetUpRow(SQLModel, table=True):
    """Rows of CameraSetUp."""

    __tablename__ = "camera_set_ups"

    device: str = Field(primary_key=True)
    accepted_at: str
    accepted_by: str
    figures: str


class KeptFrameRow(SQLModel, table=True):
    """Rows of KeptFrame."""

    __tablename__ = "kept_frames"
    __table_args__ = (
        Index("kept_frames_pack", "pack"),
        Index("kept_frames_removed_at_kept_at", "removed_at", "kept_at"),
    )

    digest: str = Field(primary_key=True)
    pack: str = Field(primary_key=True)
    verdict: str
    kept_at: str
    removed_at: str | None = None
    days: int


class TabletReferenceRow(SQLModel, table=True):
    """Rows of TabletReference."""

    __tablename__ = "tablet_references"
    __table_args__ = (Index("tablet_references_item", "item"),)

    lot: str = Field(primary_key=True)
    item: str
    state: str
    samples: str
    look: str | None = None
    took_over: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str
