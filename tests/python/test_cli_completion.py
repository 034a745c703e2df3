"""Shell completion, in the shells that are here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import partsum
import pytest
from partsum.cli import VERBS
from shell import ok, run

SHELLS = ("bash", "zsh", "fish")


def complete(*words: str, cwd: Path | None = None) -> list[str]:
    """What is offered for the last of the words, as bash asks for it."""
    env = {
        "_PARTSUM_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("partsum", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = run(env=env, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.partition(",")[2] for line in done.stdout.decode().splitlines()]


def test_verbs() -> None:
    assert complete("su") == ["sum"]
    assert complete("") == list(VERBS)


def test_options_algorithms_and_presets() -> None:
    assert complete("sum", "--ch") == ["--check"]
    assert "--ignore-missing" in complete("sum", "--")
    assert [alg.upper() for alg in complete("sum", "-a", "sha2")] == ["SHA256"]
    assert {alg.upper() for alg in complete("sum", "-a", "")} == set(partsum.ALGORITHMS)
    assert complete("etag", "--part-size", "rcl") == ["rclone"]
    assert set(complete("parts", "--part-size", "")) == {*partsum.PRESETS, "none"}
    assert set(complete("solve", "--part-size", "")) == {*partsum.PRESETS, "none"}
    assert complete("completion", "") == list(SHELLS)
    assert complete("cache", "") == ["info", "prune", "clear"]


def test_files_are_left_to_the_shell() -> None:
    done = run(
        env={"_PARTSUM_COMPLETE": "bash_complete", "COMP_WORDS": "partsum sum x", "COMP_CWORD": "2"}
    )
    assert done.stdout.startswith(b"file,")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_takes_the_script(shell: str, tmp_path: Path) -> None:
    if shell == "bash" and not shutil.which("bash"):
        pytest.skip("click looks at the version of bash")
    script = ok("completion", shell)
    assert b"_PARTSUM_COMPLETE" in script
    assert script.endswith(b"\n")
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here to read it")
    (tmp_path / "script").write_bytes(script)
    subprocess.run([shell, "-n", "script"], check=True, cwd=tmp_path)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_completes(tmp_path: Path) -> None:
    command = tmp_path / "partsum"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m partsum "$@"\n')
    command.chmod(0o755)
    # An interactive shell would call the function that `complete` names.
    keys = """
        eval "$(partsum completion bash)"
        complete -p partsum
        COMP_WORDS=(partsum sum --ignore) COMP_CWORD=2
        _partsum_completion partsum
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", keys],
        capture_output=True,
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    registered, offered = done.stdout.decode().splitlines()
    assert registered.endswith("-F _partsum_completion partsum")
    assert (offered, done.stderr) == ("--ignore-missing", b"")


def test_help_has_examples() -> None:
    text = ok("completion", "--help").decode()
    for shell in SHELLS:
        assert f"partsum completion {shell}" in text


def test_other_shells_are_wrong_usage() -> None:
    done = run("completion", "csh")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"'fish'" in done.stderr
