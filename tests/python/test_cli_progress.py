"""The progress bar: on a terminal, for what takes its time, as wide as the terminal, then gone."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from partsum.cli import terminal as bars
from shell import MIB, posix_only, run

pytestmark = posix_only
OnTerminal = Callable[..., tuple[bytes, bytes]]
LINE = re.compile(r"hashing +\d+%  \[#* *\]  [\d.]+ \S+ of 1.0 GiB  [\d.]+ \S+/s  ETA \d:\d\d:\d\d")


SLOWLY = ("sum", "-a", "sha512", "--threads", "1")


def test_a_long_job(on_terminal: OnTerminal, slow_file: Path) -> None:
    out, terminal = on_terminal(*SLOWLY, slow_file)
    assert out.endswith(b"  " + os.fsencode(slow_file) + b"\n")
    *drawn, last = terminal.decode().split("\r")
    assert last == "\x1b[K"  # taken away
    drawn = [line.removesuffix("\x1b[K") for line in drawn if line]
    assert len(drawn) > 1
    for line in drawn:
        assert LINE.fullmatch(line), line
        assert len(line) == 99  # of 100 columns: in the last one, some terminals wrap
    parts = [int(line.split("%")[0].split()[-1]) for line in drawn]
    assert parts == sorted(parts)


def test_a_stream_has_no_end_to_tell(on_terminal: OnTerminal, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = f"import time\nwith open({str(fifo)!r}, 'wb', 0) as f:\n"
    writer += " for _ in range(6): f.write(bytes(2**20)); time.sleep(0.2)"
    with subprocess.Popen([sys.executable, "-c", writer]):
        _, terminal = on_terminal("sum", fifo)
    assert re.search(rb"\rhashing  [\d.]+ MiB  [\d.]+ \S+/s\x1b\[K", terminal)
    assert b"%" not in terminal


@pytest.mark.parametrize("verb", ["etag", "sum", "parts", "manifest"])
def test_a_short_job_has_none(verb: str, on_terminal: OnTerminal, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    assert on_terminal(verb, tmp_path / "f")[1] == b""


def test_none_without_a_terminal(slow_file: Path) -> None:
    assert run(*SLOWLY, slow_file).stderr == b""


def test_none_on_a_dumb_terminal(on_terminal: OnTerminal, slow_file: Path) -> None:
    assert on_terminal(*SLOWLY, slow_file, term="dumb")[1] == b""


# --- the line ----------------------------------------------------------------------------------


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made.monotonic)
    return made


@pytest.mark.parametrize("total", [0, 3 << 40])
def test_it_fits(total: int, clock: Clock) -> None:
    bar = bars.ProgressBar(total, "hashing")
    for _ in range(3):
        assert all(len(bar.line(columns)) <= columns for columns in range(200))
        clock.now += 1
        bar.update(1 << 40)


def test_what_it_says(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = bars.ProgressBar(10 << 30, "hashing")
    clock.now += 60
    bar.update(1 << 28)
    clock.now += 0.4
    bar.update(1 << 28)
    assert capsys.readouterr().err == ""  # too soon
    clock.now += 0.6
    bar.update(2 << 28)
    assert capsys.readouterr().err.endswith("\x1b[K")
    assert bar.line(34) == " 10%  1.0 GiB/s  ETA 0:00:09"
    assert bar.line(90).startswith("hashing   10%  [")
    assert bar.line(90).endswith("]  1.0 GiB of 10.0 GiB  1.0 GiB/s  ETA 0:00:09")
    assert bar.line(20) == " 10%  1.0 GiB/s"
    assert bar.line(3) == ""
    # A rate that changes is followed, not at once.
    clock.now += 1
    bar.update(2 << 30)
    assert 1 << 30 < bar._rate < 3 << 29
    bar.clear()
    assert capsys.readouterr().err.endswith("\r\x1b[K")
    bar.clear()
    assert capsys.readouterr().err == ""


def test_one_without_delay(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = bars.ProgressBar(1000, "uploading", delay=0.0)
    bar.update(100)
    assert capsys.readouterr().err.startswith("\ruploading   10%  [")
    assert bar.line(40) == " 10%  0 B/s  ETA -:--:--"
    clock.now += 0.05
    bar.update(100)
    assert capsys.readouterr().err == ""  # not more often than anyone can read
    clock.now += 0.075
    bar.update(50)
    assert bar.line(40) == " 25%  1.2 KiB/s  ETA 0:00:01"


def test_a_file_that_grows_does_not_pass_the_end(clock: Clock) -> None:
    bar = bars.ProgressBar(1000, "hashing")
    bar.update(500)
    clock.now += 1
    bar.update(4500)
    assert bar.line(40) == "100%  4.9 KiB/s  ETA 0:00:00"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (1023 * 1024, "1.0 MiB"),
     (100 * MIB, "100 MiB"), (99.94 * MIB, "99.9 MiB"), (99.96 * MIB, "100 MiB"),
     (1 << 50, "1024 TiB")],
)  # fmt: skip
def test_bytes_for_people(count: float, text: str) -> None:
    assert bars.bytes_text(count) == text


def test_hours() -> None:
    assert [bars._clock(s) for s in (0, 0.1, 61, 3600 * 30)] == [
        "0:00:00", "0:00:01", "0:01:01", "30:00:00",
    ]  # fmt: skip
