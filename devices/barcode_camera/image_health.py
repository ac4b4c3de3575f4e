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
SIDE_ROWS, SIDE_PX, SIDE_LEVELS = 8, 4, 8.0
"""The sides of the pouch: in the mean of so many rows the outermost places where the grey changes by so many levels over so many pixels."""

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

    A true edge across the picture does not go away when the rows are moved against each other; a shifted line does. One tablet that
    ends where another begins beside it does so too, but then the sides of the pouch go straight on: a camera that loses its lines
    shifts them as well.
    """
    rows = grey.astype(np.float32)
    upper, lower = rows[:-ROWS_APART], rows[ROWS_APART:]
    jumps = np.abs(lower - upper).mean(axis=1)
    usual = float(np.median(jumps))
    around = np.full_like(jumps, np.inf)
    around[ROWS_APART:-ROWS_APART] = np.maximum(jumps[:-2 * ROWS_APART], jumps[2 * ROWS_APART:])
    sudden = (jumps > max(usual + JUMP_MIN, JUMP_TIMES * usual)) & (around - usual < AROUND_SHARE * (jumps - usual))
    steepest = np.argsort(np.where(sudden, jumps - around, -np.inf))[-ROWS_LOOKED_AT:]
    return any(
        sudden[row] and _aligns(upper[row], lower[row], float(jumps[row]), usual) and not _sides_go_on(rows, int(row)) for row in steepest
    )


def _aligns(upper: Levels, lower: Levels, jump: float, usual: float) -> bool:
    """Tell whether moving one row sideways makes it like the other."""
    shift = _best_shift(upper, lower)
    if abs(shift) < SHIFT_MIN_PX or abs(shift) > len(upper) // 2:
        return False
    left, right = (upper[shift:], lower[:-shift]) if shift > 0 else (upper[:shift], lower[-shift:])
    return float(np.abs(left - right).mean()) < usual + ALIGNED_SHARE * (jump - usual)


def _sides_go_on(rows: Levels, row: int) -> bool:
    """Tell whether the outermost edges above and below a row are in the same place."""
    above = _sides(rows[max(0, row - SIDE_ROWS + 1) : row + 1])
    below = _sides(rows[row + ROWS_APART : row + ROWS_APART + SIDE_ROWS])
    return above is not None and below is not None and all(abs(a - b) < SHIFT_MIN_PX for a, b in zip(above, below, strict=True))


def _sides(part: Levels) -> tuple[int, int] | None:
    """Give the outermost edges of some rows, left and right; None where there is none."""
    mean = part.mean(axis=0)
    edges = np.flatnonzero(np.abs(mean[SIDE_PX:] - mean[:-SIDE_PX]) > SIDE_LEVELS)
    return (int(edges[0]), int(edges[-1])) if edges.size else None


def _best_shift(upper: Levels, lower: Levels) -> int:
    """Give by how many pixels `upper` lies right of `lower`, by circular correlation."""
    spectrum = np.fft.rfft(upper - upper.mean()) * np.conj(np.fft.rfft(lower - lower.mean()))
    shift = int(np.argmax(np.fft.irfft(spectrum, len(upper))))
    return shift if shift <= len(upper) // 2 else shift - len(upper)
