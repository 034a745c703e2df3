"""``partsum solve`` in real processes: ETags made by hashlib lead back to their plans."""

import hashlib
import json
from pathlib import Path

import partsum
import pytest
from shell import MIB, multipart_etag, ok, ok_json, pattern, run

SIZE = 20 * MIB + 5
DATA = pattern(SIZE)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("solve") / "big.tar"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize(
    ("part_size", "shown", "tool"),
    [
        (8 * MIB, "8MiB", "boto3"),
        (5 * MIB, "5MiB", "go"),
        (7 * MIB, "7MiB", None),
        (6_000_000, "6000000", None),
    ],
)
def test_plans_and_tools(part_size: int, shown: str, tool: str | None, file: Path) -> None:
    etag = multipart_etag(DATA, part_size)
    [line] = ok("solve", file, etag).decode().splitlines()
    found, _, rest = line.partition("  ")
    assert found == shown
    assert rest.startswith(f"{-(-SIZE // part_size)} parts")
    assert (tool or "default") in rest.replace(",", "").split() or tool is None
    # What the line begins with gives the ETag again.
    assert ok("etag", "--part-size", found, file).decode().split()[0] == etag


def test_one_put_object(file: Path) -> None:
    line = ok("solve", file, f'"{hashlib.md5(DATA).hexdigest()}"').decode()
    assert line.startswith("none  one PutObject, the default of ")
    assert "rclone" in line


def test_json(file: Path) -> None:
    etag = multipart_etag(DATA, 8 * MIB)
    document = ok_json("solve", "--json", file, etag)
    presets = partsum.plan_parts(SIZE, 8 * MIB).presets
    assert document == {
        "path": str(file),
        "etag": etag,
        "plans": [
            {
                "size": SIZE,
                "multipart": True,
                "part_count": 3,
                "part_size": 8 * MIB,
                "presets": list(presets),
            }
        ],
    }


def test_no_plan_is_status_1(file: Path) -> None:
    done = run("solve", file, f"{'0' * 32}-3")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"no usual part size" in done.stderr
    done = run("solve", "--json", file, f"{'0' * 32}-3")
    assert (done.returncode, done.stderr, json.loads(done.stdout)["plans"]) == (1, b"", [])


def test_candidates_are_all_that_is_tried(file: Path) -> None:
    etag = multipart_etag(DATA, 8 * MIB)
    assert run("solve", "--part-size", "16MiB", "--part-size", "7MiB", file, etag).returncode == 1
    # Sizes that only other stores take, too.
    for size in ("boto3", str(8 * MIB)):
        assert ok("solve", "--part-size", "1MiB", "--part-size", size, file, etag)
    assert ok("solve", "--part-size", "3MiB", file, multipart_etag(DATA, 3 * MIB))


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["nonsense"], 2, b"nonsense"),
        ([], 2, b"ETAG"),
        (["--part-size", "8XB", "0" * 32], 2, b"8XB"),
    ],
)
def test_wrong_usage(args: list[str], status: int, words: bytes, file: Path) -> None:
    done = run("solve", file, *args)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", 1)
    assert words in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run("solve", tmp_path / "gone", "0" * 32)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"gone: No such file or directory\n")
    done = run("solve", "--json", tmp_path / "gone", "0" * 32)
    assert json.loads(done.stdout)["error"] == "No such file or directory"
