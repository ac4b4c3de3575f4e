"""Options of `dosehub serve` that mean nothing are usage errors in words, before anything is opened or written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--camera-size", "wrong", "camera size"), ("--camera-size", "²x²", "camera size"), ("--camera-size", "٣x٤", "camera size"),
        ("--camera-backend", "gstreamer", "camera backend"), ("--camera-fps", "-1", "frames a second"), ("--camera-fps", "nan", "frames a second"),
        ("--camera-exposure", "nan", "camera exposure"), ("--camera-exposure", "inf", "camera exposure"),
        ("--printer", "zpl+", "serial path"), ("--printer", "zpl+mqtt://u:p@host/site/printer-1", "a bridge knows"),
        ("--printer", "mqtt://host", "site/device"), ("--printer", "mqtt://host/site/packager-1", "printer-1"),
        ("--zone", "Nowhere/City", "time zone"), ("--zone", "", "time zone"), ("--zone", "../etc/passwd", "time zone"), ("--zone", "x" * 300, "time zone"),
        ("--language", "xx", "'ru', 'en'"), ("--port", "70000", "65535"), ("--evidence-days", "9999999999", "36500"), ("--evidence-pass-days", "0", "equal to 1"),
        ("--look-s", "-1", "equal to 0"), ("--look-high-alert-s", "99999999999999999999", "3600"), ("--known-bad-one-in", "-1", "equal to 0"),
    ],
)  # fmt: skip
def test_an_option_that_means_nothing_is_a_usage_error(option: str, value: str, words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--data-dir", str(tmp_path / "hub"), option, value], env={"COLUMNS": "200"})
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)
    assert words in " ".join(done.output.replace("│", " ").split()), done.output
    assert not (tmp_path / "hub").exists()
