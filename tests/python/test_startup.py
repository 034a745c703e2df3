"""What a start of the command line imports, and that its short way prints what the verbs print."""

import os
import subprocess
import sys
from pathlib import Path

import partsum
import pytest
from shell import MIB, pattern, posix_only, run

# Each of them takes longer than hashing a small file.
HEAVY = {
    "ast", "click", "collections", "contextlib", "dataclasses", "datetime", "enum", "functools",
    "importlib.metadata", "inspect", "json", "pathlib", "platform", "queue", "re", "sqlite3",
    "subprocess", "tempfile", "threading", "types", "typing", "uuid",
}  # fmt: skip


def imported(code: str, *args: str) -> set[str]:
    """The modules that are imported while code runs, beside those that every start imports."""
    program = f"import sys; before = set(sys.modules)\ntry:\n {code}\nfinally:\n"
    program += " print(*set(sys.modules) - before, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program, *args], capture_output=True, check=True, text=True
    )
    return set(done.stderr.split())


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(b"hello")
    return str(tmp_path / "file")


def test_import_partsum() -> None:
    modules = imported("import partsum")
    assert "partsum._core" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("args", [["--version"], ["etag"], ["sum"]])
def test_the_plainest_uses(args: list[str], file: str) -> None:
    if args != ["--version"]:
        args = [*args, file]
    modules = imported("from partsum.__main__ import run; run()", *args)
    assert not modules & HEAVY
    assert "partsum.cli" not in modules


def test_the_long_way() -> None:
    """Only the verb that is called is imported, and of the library only what it needs."""
    modules = imported("from partsum.cli import main; main(['doctor', '--help'])")
    assert "click" in modules
    assert not modules & {"json", "sqlite3", "boto3", "tempfile", "asyncio", "partsum.s3"}
    ours = {name for name in modules if name.startswith("partsum.cli.")}
    shared = {"options", "terminal"}
    assert ours == {f"partsum.cli.{name}" for name in (*shared, "doctor")}


def test_the_script_is_the_short_way() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert '\npartsum = "partsum.__main__:run"\n' in project.read_text(encoding="utf-8")


@posix_only
@pytest.mark.parametrize("verb", ["etag", "sum"])
@pytest.mark.parametrize(
    "names",
    [
        ["file"],
        ["file", "big", "file"],
        ["spaced name", "ünï"],
        ["back\\slash", "new\nline", "file"],
        ["file", "gone", "file"],
        ["empty", "file"],
        ["."],
        ["-"],
        ["--", "file"],
        ["file", "--tag"],
        ["-x", "file"],
        [""],
        ["link"],
        ["/dev/null"],
        ["file"] * 300,
    ],
    ids=lambda names: " ".join(names)[:20],
)
def test_both_ways_say_the_same(verb: str, names: list[str], tmp_path: Path) -> None:
    contents = {"file": b"hello", "big": pattern(9 * MIB), "empty": b""}
    for odd in ("spaced name", "ünï", "back\\slash", "new\nline"):
        contents[odd] = odd.encode()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("file")
    short = run(verb, *names, cwd=tmp_path, stdin=b"input")
    long = run(verb, *names, cwd=tmp_path, stdin=b"input", env={"PARTSUM_CACHE": "0"})
    assert (short.returncode, short.stdout, short.stderr) == (
        long.returncode,
        long.stdout,
        long.stderr,
    )


@pytest.mark.parametrize("args", [["file"], ["file", "file"], ["--cache", "file", "file"]])
def test_a_wrong_setting_is_said(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    env = {"PARTSUM_ISA": "nonsense", "XDG_CACHE_HOME": str(tmp_path)}
    done = run("etag", *args, cwd=tmp_path, env=env)
    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    assert len(lines) == args.count("file")
    assert all(line.startswith("partsum: file: PARTSUM_ISA: ") for line in lines)


@posix_only
@pytest.mark.parametrize(
    ("target", "args"),
    [
        ("/dev/full", ["--version"]),
        ("/dev/full", ["etag", "file"]),
        ("closed", ["etag", "file"]),
    ],
)
def test_a_stdout_that_takes_nothing(args: list[str], target: str, tmp_path: Path) -> None:
    if target != "closed" and not os.path.exists(target):  # noqa: PTH110
        pytest.skip(f"no {target}")
    (tmp_path / "file").write_bytes(b"hello")
    to = ">&-" if target == "closed" else f">{target}"
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m partsum "$@" {to}', sys.executable, *args],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert done.stderr


def test_lazy_names_are_found_and_others_are_not() -> None:
    assert partsum.errors.PartPlanError is partsum.PartPlanError
    assert partsum.verdict.Status is partsum.Status
    assert set(partsum.__all__) <= set(dir(partsum))
    with pytest.raises(AttributeError, match="'partsum' has no attribute 'nonsense'"):
        partsum.nonsense  # type: ignore[attr-defined]  # noqa: B018
