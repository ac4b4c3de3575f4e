"""Frames of evidence: by their content, on the disk before the verdict, removed by rule, and never shown where they are damaged."""

import errno
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.adapters.evidence import EvidenceFolder
from hub.domain.evidence import EvidenceRules, KeptFrame, is_kept, removed_words
from hub.domain.identifiers import PackSerial
from hub.domain.packs import Verdict

NOW = datetime(2026, 3, 5, 6, tzinfo=UTC)
FRAMES = (b"first frame", b"second frame", b"third frame")


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "evidence").iterdir())


def test_a_frame_is_found_by_its_content_alone(folder: EvidenceFolder, tmp_path: Path) -> None:
    kept = folder.keep_all((*FRAMES, FRAMES[0]))
    assert [folder.read(digest) for digest in kept.digests] == list(FRAMES)
    assert files(tmp_path) == sorted(f"{digest}.jpg" for digest in kept.digests)
    assert kept.trouble is None


@pytest.mark.parametrize("digest", ["", "none", "../secret", "A" * 64, "0" * 63, "0" * 64])
def test_what_is_no_digest_of_a_frame_is_not_read(folder: EvidenceFolder, digest: str) -> None:
    assert folder.read(digest) is None
    assert not folder.is_damaged(digest)


@pytest.mark.parametrize("damage", [b"", b"first fram", b"another frame"])
def test_a_damaged_file_is_told_and_never_shown(folder: EvidenceFolder, tmp_path: Path, damage: bytes) -> None:
    digest = folder.keep(FRAMES[0])
    (tmp_path / "evidence" / f"{digest}.jpg").write_bytes(damage)
    assert folder.read(digest) is None
    assert folder.is_damaged(digest)
    assert folder.keep(FRAMES[0]) == digest
    assert folder.read(digest) == FRAMES[0]


def test_a_disk_that_takes_no_more_leaves_no_half_of_a_frame(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "evidence")
    with limited_files(4096):
        kept = folder.keep_all((b"small", b"x" * 100_000))
    assert len(kept.digests) == 1 and folder.read(kept.digests[0]) == b"small"
    assert kept.trouble is not None and str(errno.EFBIG) in kept.trouble.en
    assert files(tmp_path) == [f"{kept.digests[0]}.jpg"]


def test_a_half_that_a_crash_left_is_cleared_away_at_the_next_start(folder: EvidenceFolder, tmp_path: Path) -> None:
    (tmp_path / "evidence" / ("ab" * 32 + ".part")).write_bytes(b"half")
    digest = folder.keep(FRAMES[0])
    assert EvidenceFolder(tmp_path / "evidence").read(digest) == FRAMES[0]
    assert files(tmp_path) == [f"{digest}.jpg"]


@contextmanager
def limited_files(most: int) -> Iterator[None]:
    """Set the kernel's own limit on the length of a file, in place of a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_every_doubt_keeps_its_frames_and_a_pass_by_its_serial() -> None:
    serials = [PackSerial(f"PACK{number:08d}") for number in range(5000)]
    assert all(is_kept(verdict, serial, 50) for verdict in (Verdict.FAIL, Verdict.LOOK) for serial in serials[:50])
    kept = [serial for serial in serials if is_kept(Verdict.PASS, serial, 50)]
    assert 60 < len(kept) < 140
    assert kept == [serial for serial in serials if is_kept(Verdict.PASS, serial, 50)]
    assert all(is_kept(Verdict.PASS, serial, 1) for serial in serials[:50])


@pytest.mark.parametrize("rules", [{"pass_share": 0}, {"pass_days": 0}, {"doubt_days": -1}])
def test_rules_that_keep_nothing_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        EvidenceRules(**rules)


def test_a_removal_is_told_with_its_rule_in_both_languages() -> None:
    frame = KeptFrame("ab" * 32, PackSerial("P"), Verdict.PASS, NOW, NOW, 21)
    assert removed_words(frame, "05.03.2026").en == "The picture was removed on 05.03.2026 by the rule of 21 days."
    assert removed_words(frame, "05.03.2026").ru == "Снимок удалён 05.03.2026 по правилу хранения: 21 день."
