"""What can be measured of a picture itself: whether it is whole and lit, how sharp, how bright, where it glares.

It measures and names; what is good enough is said elsewhere.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from devices.barcode_camera.frame import Frame, Grey

BLACK_LEVEL, BLACK_PERCENTILE = 28, 99.5
SATURATED = 250
ROWS_LOOKED_AT = 20
ROWS_APART = 2
"""Rows that are compared: a shift that begins within a row of the half-size picture leaves that row a mixture of both."""
JUMP_MIN, JUMP_TIMES = 1.0, 1.3
ALIGNED_SHARE, AROUND_SHARE = 0.35, 0.5
"""Levels by which rows differ more than neighbours usually do; how much of that may be left once they are moved together, and how much
the rows above and below may differ among themselves: a slanting edge goes on from row to row, a shift comes at once."""
SHIFT_MIN_PX = 3
"""Pixels of the half-size picture; a wheel's step or less is no torn line."""

Levels = npt.NDArray[np.float32]


class FrameFault(StrEnum):
    """Why one frame is no picture of the station."""

    BLACK = "black"
    TORN = "torn"


def frame_fault(frame: Frame) -> FrameFault | None:
    """Say whether a frame is torn or black; raises UnreadableFrame where it is no picture at all."""
    if not frame.is_whole:
        return FrameFault.TORN
    if is_black(frame.half_grey):
        return FrameFault.BLACK
    return FrameFault.TORN if has_shifted_lines(frame.half_grey) else None


def is_black(grey: Grey) -> bool:
    """Tell whether nothing in the picture is bright: a covered lens, or no light."""
    return float(np.percentile(grey[::4, ::4], BLACK_PERCENTILE)) < BLACK_LEVEL


def has_shifted_lines(grey: Grey) -> bool:
    """Tell whether from one row to the next the picture jumps sideways.

    A true edge across the picture does not go away when the rows are moved against each other; a shifted line does.
    """
    rows = grey.astype(np.float32)
    upper, lower = rows[:-ROWS_APART], rows[ROWS_APART:]
    jumps = np.abs(lower - upper).mean(axis=1)
    usual = float(np.median(jumps))
    around = np.full_like(jumps, np.inf)
    around[ROWS_APART:-ROWS_APART] = np.maximum(jumps[:-2 * ROWS_APART], jumps[2 * ROWS_APART:])
    sudden = (jumps > max(usual + JUMP_MIN, JUMP_TIMES * usual)) & (around - usual < AROUND_SHARE * (jumps - usual))
    steepest = np.argsort(np.where(sudden, jumps - around, -np.inf))[-ROWS_LOOKED_AT:]
    return any(sudden[row] and _aligns(upper[row], lower[row], float(jumps[row]), usual) for row in steepest)


def _aligns(upper: Levels, lower: Levels, jump: float, usual: float) -> bool:
    """Tell whether moving one row sideways makes it like the other."""
    shift = _best_shift(upper, lower)
    if abs(shift) < SHIFT_MIN_PX or abs(shift) > len(upper) // 2:
        return False
    left, right = (upper[shift:], lower[:-shift]) if shift > 0 else (upper[:shift], lower[-shift:])
    return float(np.abs(left - right).mean()) < usual + ALIGNED_SHARE * (jump - usual)


def _best_shift(upper: Levels, lower: Levels) -> int:
    """Give by how many pixels `upper` lies right of `lower`, by circular correlation."""
    spectrum = np.fft.rfft(upper - upper.mean()) * np.conj(np.fft.rfft(lower - lower.mean()))
    shift = int(np.argmax(np.fft.irfft(spectrum, len(upper))))
    return shift if shift <= len(upper) // 2 else shift - len(upper)
