"""`dosehub read-code`: the codes of picture files, told as a table or as JSON; one bad file does not keep the others."""

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.domain.words import Words

FILE_LIMIT_MB, PIXELS_LIMIT = 200, 100_000_000
UNREADABLE = 1
"""Exit status where at least one file is no readable picture."""
GROUP_SEPARATOR_SHOWN = "␝"


@dataclass(frozen=True)
class CodesOfFile:
    """The codes of one file, or why it is no picture that can be read (then there are none)."""

    file: str
    codes: tuple[dict[str, Any], ...] = ()
    error: Words | None = None

    def as_json(self) -> dict[str, Any]:
        """Return file and codes, and the error in both languages where there is one."""
        told: dict[str, Any] = {"file": _in_utf8(self.file), "codes": list(self.codes)}
        return told if self.error is None else told | {"error": _in_utf8(self.error.en), "error_ru": _in_utf8(self.error.ru)}


def _in_utf8(name: str) -> str:
    """Show the bytes of a file name that are no UTF-8 as escapes, so that whatever is told of it is UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class NoPicture(ValueError):
    """A file that cannot be looked at; `words` say why."""

    def __init__(self, english: str, russian: str) -> None:
        self.words = Words(english, russian)
        super().__init__(english)


def run_read_code(files: Sequence[Path], as_json: bool, tell: Callable[[str], None]) -> int:
    """Read all files, tell what was found, and return the exit status."""
    found = [read_file(file) for file in files]
    if as_json:
        tell(json.dumps([each.as_json() for each in found], ensure_ascii=False, indent=1))
    else:
        for each in found:
            tell(_table(each))
    return UNREADABLE if any(each.error for each in found) else 0


def read_file(file: Path) -> CodesOfFile:
    """Read the codes of one picture file."""
    from devices.barcode_camera import read_codes

    try:
        reads = read_codes(load_picture(file))
    except NoPicture as refused:
        return CodesOfFile(str(file), error=refused.words)
    return CodesOfFile(
        str(file),
        tuple(
            {"payload": read.text, "symbology": read.symbology, "reader": read.reader, "quality": read.quality}
            for read in reads
        ),
    )


def load_picture(file: Path) -> Any:
    """Load a picture upright as its EXIF says, grey, transparency laid on white; NoPicture with the reason otherwise."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    _check_size(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                _check_pixels(*picture.size)
                return np.asarray(_grey(ImageOps.exif_transpose(picture)))
    except UnidentifiedImageError as error:
        raise NoPicture("not a picture of a known kind", "не изображение известного вида") from error
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise NoPicture(f"a damaged picture: {error}", f"изображение повреждено: {error}") from error


def _check_size(file: Path) -> None:
    try:
        size = file.stat().st_size
    except OSError as error:
        raise NoPicture(f"cannot be opened: {error.strerror}", f"не открывается: {error.strerror}") from error
    if not file.is_file():
        raise NoPicture("not a file", "это не файл")
    if size > FILE_LIMIT_MB * 1_000_000:
        raise NoPicture(f"larger than {FILE_LIMIT_MB} MB", f"больше {FILE_LIMIT_MB} МБ")


def _check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_LIMIT:
        raise _too_large()


def _too_large() -> NoPicture:
    limit = PIXELS_LIMIT // 1_000_000
    return NoPicture(
        f"more than {limit} million pixels: make it smaller or cut the code out",
        f"больше {limit} млн точек: уменьшите снимок или вырежьте код",
    )


def _grey(picture: Any) -> Any:
    """Make it grey: 16-bit grey stays as it is for `read_codes` to stretch; what is transparent lies on white."""
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        return picture
    if "A" in picture.getbands() or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("L")
    return picture.convert("L")


def _table(found: CodesOfFile) -> str:
    file = _in_utf8(found.file)
    if found.error is not None:
        return _in_utf8(f"{file}: {found.error.en} / {found.error.ru}")
    if not found.codes:
        return f"{file}: no code / кодов нет"
    return "\n".join((f"{file}:", *(_row(code) for code in found.codes)))


def _row(code: dict[str, Any]) -> str:
    """Show one code in a row; letters that no screen shows are shown as escapes, GS as its sign."""
    shown = code["payload"].replace("\x1d", GROUP_SEPARATOR_SHOWN)
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in shown)
    quality = "" if code["quality"] is None else f"{code['quality']:.2f}"
    return f"  {code['symbology']:<12} {code['reader']:<22} {quality:<5} {shown}"
