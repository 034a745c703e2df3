"""``partsum bench`` in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from partsum import bench
from partsum.bench import Report
from shell import ok, posix_only, run

TINY = ("--size", "1MiB", "--part-size", "256KiB", "--pairs", "1", "--threads", "2")
SHA1 = ("bench", *TINY, "-a", "sha1", "--source", "ram")


def test_table() -> None:
    done = run(*SHA1)
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("Each algorithm, parts in RAM")
    assert lines[1:3] == ["  SHA1", lines[2]]
    assert lines[2].startswith("    hashlib ")
    assert any(line.startswith("Where a peer wins:") for line in lines)
    assert any(line.startswith("CPU: ") for line in lines)
    # How long it will take, and nothing that moves: this is no terminal.
    assert done.stderr.startswith(b"partsum: measuring takes about ")
    assert done.stderr.count(b"\n") == 1
    assert b"\r" not in done.stderr


def test_progress_on_a_terminal(on_terminal: Callable[..., tuple[bytes, bytes]]) -> None:
    out, seen = on_terminal(*SHA1)
    assert out.startswith(b"Each algorithm")
    assert b"warm up 0/1: SHA1, ram, hashlib" in seen
    assert b"measure 0/1, " in seen
    assert seen.endswith(b"\r\x1b[K")


def test_every_form_in_a_file(tmp_path: Path) -> None:
    forms = {form: tmp_path / f"bench.{form}" for form in ("json", "html", "markdown", "svg")}
    options = [word for form, path in forms.items() for word in (f"--{form}", str(path))]
    done = run(*SHA1, *options)
    assert done.returncode == 0
    assert done.stdout.startswith(b"Each algorithm")  # the table all the same
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in forms.values()}
    report = Report.from_json(forms["json"].read_text())
    assert forms["html"].read_text() == bench.html(report)
    assert forms["markdown"].read_text() == bench.markdown(report)
    assert forms["svg"].read_text() == bench.svg(report)
    assert forms["json"].stat().st_mode & 0o777 == 0o666 & ~umask()
    again = run("bench", "--from", forms["json"])
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, b"")
    assert ok("bench", "--from", forms["json"], "--svg") == forms["svg"].read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[]", "a report is a JSON object, not list"),
        ("{}", "this reads schema 'partsum.bench/1', not None"),
        ('{"schema": "partsum.bench/1"}', "not a complete report: KeyError('started')"),
        (b"\xff", "can't decode"),
    ],
)
def test_what_is_no_report(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "bench.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run("bench", "--from", path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"partsum: {path}: ")
    assert words in done.stderr.decode()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    "option", [["--json"], ["--json", "-"], ["--html"], ["--markdown"], ["--svg"]]
)
def test_each_form_on_standard_output(option: list[str]) -> None:
    done = run(*SHA1, *option)
    assert done.returncode == 0
    form = option[0][2:]
    text = done.stdout.decode()
    if form == "json":
        assert json.loads(text)["schema"] == "partsum.bench/1"
    elif form == "svg":
        ElementTree.fromstring(text)
    else:
        assert text.startswith({"html": "<!doctype html>", "markdown": "### "}[form])
    assert "\n\n\n" not in text


def test_a_device_is_written_to_and_not_replaced() -> None:
    assert run(*SHA1, "--html", os.devnull).returncode == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--json", "--html"], 2, "only one of"),
        (["--job", "etags"], 2, "'etags' is not one of 'etag', "),
        (["--size", "1XB"], 2, "1XB"),
        (["--size", "0"], 2, "size: '0' is not a size; use bytes (8388608) or a unit"),
        (["--size", "1TiB", "--part-size", "8MiB"], 2, "S3 allows 10000"),
        (["--pairs", "0"], 2, "--pairs"),
        (["--html", "no-such-folder/x.html"], 1, "no-such-folder/x.html: No such file"),
        (["--dir", "no-such-folder"], 2, "no-such-folder"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_measured(
    arguments: list[str], status: int, words: str
) -> None:
    done = run("bench", *arguments)
    assert done.returncode == status
    assert done.stdout == b""
    assert done.stderr.startswith(b"partsum: ")
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_told_before_anything_is_measured(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = run(*SHA1, "--html", tmp_path / "x.html", env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (1, b"")
    said = f"partsum: {name} is not installed: pip install 'partsum[bench]'\n"
    assert done.stderr.decode() == said
    assert not (tmp_path / "x.html").exists()
    assert run(*SHA1, "--json", env={"PYTHONPATH": path}).returncode == 0


def test_help() -> None:
    text = ok("bench", "--help").decode()
    assert "Examples:\n    partsum bench" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert f"Oneof{','.join(bench.JOBS)}." in "".join(text.split())
    assert b"  bench " in ok("--help")


@posix_only
@pytest.mark.parametrize(
    ("job", "says"),
    [("tree", "0" * 32), ("tree", ""), ("etag", "0" * 32), ("etag", "none"), ("whole-md5", "")],
)
def test_a_wrong_digest_is_a_failure_without_a_report(tmp_path: Path, job: str, says: str) -> None:
    """A command that is fast because it does nothing."""
    liar = tmp_path / "bin" / "md5sum"
    liar.parent.mkdir()
    liar.write_text(f'#!/bin/sh\n[ "$1" = --version ] || echo "{says}"\n')
    liar.chmod(0o755)
    files = tmp_path / "files"
    files.mkdir()
    out = tmp_path / "bench.json"
    path = f"{liar.parent}{os.pathsep}{os.environ['PATH']}"
    done = run(*("bench", *TINY, "--job", job, "--dir", files, "--json", out), env={"PATH": path})
    assert done.returncode == 1
    assert done.stdout == b""
    said = done.stderr.decode()
    assert f"partsum: {bench.JOBS[job].title}, file, md5sum: partsum and md5sum disagree" in said
    assert said.count("\n") == 1
    assert not out.exists()
    assert list(files.iterdir()) == []


@posix_only
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_no_file_is_left_when_it_is_stopped(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    command = (sys.executable, "-m", "partsum", "bench", "--job", "etag", "--size", "8MiB")
    with subprocess.Popen(
        [*command, "--pairs", "1000", "--dir", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr
        try:
            assert process.stderr.readline().startswith(b"partsum: measuring takes")
            assert list(tmp_path.iterdir())
            time.sleep(0.2)
            process.send_signal(number)
            assert process.wait(60) == status
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
