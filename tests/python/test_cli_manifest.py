"""``partsum manifest`` in real processes: what is written, and an edit told from rot."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import partsum
import pytest
from shell import MIB, multipart_etag, ok, ok_json, pattern, posix_only, run

OLD = 1_600_000_000_123_456_789
BIG = pattern(17 * MIB + 3)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A few files, none of them young."""
    root = tmp_path / "tree"
    (root / "b" / "c").mkdir(parents=True)
    contents = {"z": b"last", "a": b"first", "b/c/big": BIG, "b/empty": b"", "b.x": b"between"}
    for name, content in contents.items():
        (root / name).write_bytes(content)
        age(root / name)
    return root


def age(path: Path) -> None:
    os.utime(path, ns=(OLD, OLD))


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def check(*args: str | bytes | Path, cwd: Path | None = None) -> tuple[int, dict[str, str]]:
    """The exit status, and what became of each file."""
    done = run("manifest", "--check", *args, cwd=cwd)
    found = (os.fsdecode(line).rpartition(": ") for line in done.stdout.splitlines())
    return done.returncode, {name: status for name, _, status in found}


# --- writing -----------------------------------------------------------------------------------


def test_what_a_manifest_says(tree: Path) -> None:
    text = ok("manifest", "tree", cwd=tree.parent)
    header, *entries, trailer = lines(text)
    assert header == {
        "format": "partsum.Manifest/1",
        "partsum": partsum.__version__,
        "root": "tree",
        "tree": True,
        "follow_symlinks": False,
        "algorithms": ["CRC64NVME"],
        "part_size": "boto3",
    }
    # The order of the bytes, which is that of S3's lists.
    assert [entry["path"] for entry in entries] == ["a", "b.x", "b/c/big", "b/empty", "z"]
    crc = partsum.new("CRC64NVME", BIG).b64digest()
    assert entries[2] == {
        "path": "b/c/big",
        "size": len(BIG),
        "mtime_ns": OLD,
        "multipart": True,
        "part_count": 3,
        "part_size": 8 * MIB,
        "etag": multipart_etag(BIG, 8 * MIB),
        "checksums": {"CRC64NVME": {"FULL_OBJECT": crc}},
    }
    assert entries[0]["etag"] == hashlib.md5(b"first").hexdigest()
    assert (entries[0]["multipart"], entries[0]["part_size"]) == (False, None)
    before = b"".join(text.splitlines(keepends=True)[:-1])
    size = sum(entry["size"] for entry in entries)
    assert trailer == {
        "files": 5,
        "bytes": size,
        "failed": 0,
        "sha256": hashlib.sha256(before).hexdigest(),
    }
    assert ok("manifest", "tree", cwd=tree.parent) == text


def test_the_checksums_are_those_of_parts(tree: Path) -> None:
    flags = ("-a", "crc32", "-a", "sha256", "--part-size", "5MiB")
    name = tree / "b" / "c" / "big"
    _, entry, _ = lines(ok("manifest", *flags, "--parts", name))
    want = ok_json("parts", "--json", *flags, name)
    assert entry["path"] == str(name)
    for key in ("size", "multipart", "part_count", "etag", "checksums", "parts"):
        assert entry[key] == want[key]


def test_several_names(tree: Path) -> None:
    text = ok("manifest", "a", "b", "a", "b/c", cwd=tree)
    header, *entries, _ = lines(text)
    assert (header["root"], header["tree"]) == (".", False)
    assert [entry["path"] for entry in entries] == ["a", "b/c/big", "b/empty"]


def test_output_is_whole_or_not_there(tree: Path, tmp_path: Path) -> None:
    output = tmp_path / "m"
    output.write_bytes(b"before")
    link = tmp_path / "link"
    link.symlink_to("m")
    assert ok("manifest", tree, "-o", link) == b""
    assert link.is_symlink()
    assert output.read_bytes() == ok("manifest", tree)
    report = ok_json("manifest", tree, "--json", "-o", output)
    assert (report["path"], report["files"], report["left_out"]) == (str(output), 5, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "m", "tree"]


@posix_only
def test_an_interrupted_run_leaves_what_was_there(tree: Path, tmp_path: Path) -> None:
    with (tree / "huge").open("wb") as file:
        file.truncate(1 << 40)
    output = tmp_path / "m"
    output.write_bytes(b"before")
    process = subprocess.Popen([sys.executable, "-m", "partsum", "manifest", tree, "-o", output])
    while len(list(tmp_path.iterdir())) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert output.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "tree"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_names_the_output(tree: Path) -> None:
    done = run("manifest", tree, "-o", "/dev/full")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"partsum: /dev/full: No space left on device\n"
    done = run("manifest", tree, "-o", tree / "none" / "m")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert done.stderr.endswith(b"none/m: No such file or directory\n")


def test_the_output_is_not_in_its_own_tree(tree: Path) -> None:
    for _ in range(2):
        assert ok("manifest", ".", "-o", "m", cwd=tree) == b""
        assert "m" not in [entry.get("path") for entry in lines((tree / "m").read_bytes())]
    assert check("m", cwd=tree) == (0, dict.fromkeys(["a", "b.x", "b/c/big", "b/empty", "z"], "OK"))


def test_odd_names_come_back(odd_files: list[bytes], tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    text = ok("manifest", folder)
    assert text.isascii()
    paths = [os.fsencode(entry["path"]) for entry in lines(text)[1:-1]]
    assert paths == sorted(odd_files)
    manifest = tmp_path.with_name(f"{tmp_path.name}-manifest")
    manifest.write_bytes(text)
    done = run("manifest", "-c", manifest, folder)
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", len(odd_files))
    assert b"\\new\\nline: OK\n" in done.stdout
    assert b"not-utf8-\xff\xfe: OK\n" in done.stdout


@posix_only
def test_what_is_no_file_is_left_out_with_a_line(tree: Path) -> None:
    (tree / "link").symlink_to("a")
    (tree / "folder").symlink_to("b")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tree / "socket"))
    done = run("manifest", "tree", cwd=tree.parent)
    assert done.returncode == 0
    assert [entry["path"] for entry in lines(done.stdout)[1:-1]] == [
        "a", "b.x", "b/c/big", "b/empty", "z",
    ]  # fmt: skip
    said = done.stderr.decode().splitlines()
    assert [line.split(": ")[1].removeprefix("tree/") for line in said] == [
        "fifo", "folder", "link", "socket",
    ]  # fmt: skip
    assert all("left out: a" in line for line in said)


@posix_only
def test_links_are_followed_but_not_round_in_a_circle(tree: Path) -> None:
    (tree / "link").symlink_to("a")
    (tree / "folder").symlink_to("b")
    (tree / "b" / "up").symlink_to("..")
    done = run("manifest", "-L", "tree", cwd=tree.parent)
    assert done.returncode == 1  # as of find -L
    assert [entry["path"] for entry in lines(done.stdout)[1:-1]] == [
        "a", "b.x", "b/c/big", "b/empty", "folder/c/big", "folder/empty", "link", "z",
    ]  # fmt: skip
    assert done.stderr.count(b"a directory that it is in") == 2
    (tree.parent / "m").write_bytes(done.stdout)
    assert check("m", "--quiet", cwd=tree.parent) == (1, {})
    (tree / "b" / "up").unlink()
    assert check("m", "--quiet", cwd=tree.parent) == (0, {})


@posix_only
def test_deeper_than_pythons_stack(tmp_path: Path) -> None:
    try:
        inner = os.open(tmp_path, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d", dir_fd=inner)
            deeper = os.open("d", os.O_RDONLY, dir_fd=inner)
            os.close(inner)
            inner = deeper
        os.close(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
        os.close(inner)
        text = ok("manifest", "d", cwd=tmp_path)
        assert lines(text)[1]["path"] == "d/" * 1199 + "f"
    finally:  # which is more than pytest can
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_what_cannot_be_read_is_status_1_and_counted(tree: Path) -> None:
    done = run("manifest", "a", "gone", "z", cwd=tree)
    assert (done.returncode, done.stderr) == (1, b"partsum: gone: No such file or directory\n")
    assert [entry["path"] for entry in lines(done.stdout)[1:-1]] == ["a", "z"]
    assert lines(done.stdout)[-1]["failed"] == 1


# --- checking ----------------------------------------------------------------------------------


def edit(path: Path) -> None:
    path.write_bytes(b"X" + path.read_bytes()[1:])


def rot(path: Path) -> None:
    edit(path)
    age(path)


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    age(path)


@pytest.mark.parametrize(
    ("harm", "became", "status"),
    [
        (lambda path: None, "OK", 0),
        (lambda path: path.touch(), "TOUCHED", 0),
        (edit, "CHANGED", 3),
        (grow, "CHANGED", 3),
        (rot, "CORRUPT", 1),
        (lambda path: path.unlink(), "MISSING", 1),
        (lambda path: (path.unlink(), path.mkdir()), "UNREADABLE", 1),
        (lambda path: path.with_name("new").touch(), "NEW", 3),
    ],
    ids=["ok", "touched", "edited", "grown", "rotten", "gone", "folder", "new"],
)
def test_what_became_of_a_file(
    harm: Callable[[Path], object], became: str, status: int, tree: Path
) -> None:
    ok("manifest", "tree", "-o", "m", cwd=tree.parent)
    harm(tree / "z")
    name = "new" if became == "NEW" else "z"
    code, found = check("m", cwd=tree.parent)
    shown = found.pop(name)
    assert (code, shown.split(" ")[0]) == (status, became)
    assert set(found.values()) == {"OK"}
    done = run("manifest", "-c", "m", cwd=tree.parent)
    fine = became in {"OK", "TOUCHED"}
    assert (f"WARNING: 1 file {became}".encode() in done.stderr) is not fine
    # The same without the lines, and in JSON.
    quiet = run("manifest", "-c", "--quiet", "m", cwd=tree.parent)
    assert (quiet.returncode, quiet.stdout.count(b"\n")) == (status, 0 if fine else 1)
    silent = run("manifest", "-c", "--status", "m", cwd=tree.parent)
    assert (silent.returncode, silent.stdout, silent.stderr) == (status, b"", b"")
    document = json.loads(run("manifest", "-c", "--json", "m", cwd=tree.parent).stdout)
    assert {"path": name, "status": became}.items() <= document["files"][
        [entry["path"] for entry in document["files"]].index(name)
    ].items()
    assert document["counts"][became] >= 1
    assert document["problems"] == []


def test_the_worst_counts(tree: Path) -> None:
    ok("manifest", "tree", "-o", "m", cwd=tree.parent)
    edit(tree / "a")
    assert check("m", cwd=tree.parent)[0] == 3
    rot(tree / "z")
    assert check("m", cwd=tree.parent)[0] == 1


def test_ignored(tree: Path) -> None:
    ok("manifest", "tree", "-o", "m", cwd=tree.parent)
    (tree / "z").unlink()
    (tree / "new").touch()
    code, found = check("--ignore-missing", "m", cwd=tree.parent)
    assert (code, "z" in found, found["new"]) == (3, False, "NEW")
    code, found = check("--ignore-new", "m", cwd=tree.parent)
    assert (code, "new" in found, found["z"]) == (1, False, "MISSING")
    assert check("--ignore-missing", "--ignore-new", "m", cwd=tree.parent)[0] == 0


def test_bad_parts_are_named(tree: Path) -> None:
    ok("manifest", "--parts", "tree", "-o", "m", cwd=tree.parent)
    big = tree / "b" / "c" / "big"
    with big.open("r+b") as file:
        file.seek(9 * MIB)
        file.write(b"rot")
    age(big)
    done = run("manifest", "-c", "m", cwd=tree.parent)
    line = f"b/c/big: CORRUPT (part 2, bytes {8 * MIB}-{16 * MIB - 1})\n"
    assert line.encode() in done.stdout
    document = json.loads(run("manifest", "-c", "--json", "--quiet", "m", cwd=tree.parent).stdout)
    [entry] = document["files"]
    assert entry["bad_parts"] == [{"number": 2, "offset": 8 * MIB, "size": 8 * MIB}]


def test_a_file_that_was_young_cannot_be_called_rotten(tree: Path) -> None:
    """Its time may be that of a write after it was read."""
    edit(tree / "z")
    before = (tree / "z").stat()
    ok("manifest", "tree", "-o", "m", cwd=tree.parent)
    (tree / "z").write_bytes(b"Xyzt")
    os.utime(tree / "z", ns=(before.st_mtime_ns, before.st_mtime_ns))
    code, found = check("m", cwd=tree.parent)
    assert (code, found["z"]) == (3, "CHANGED")


def test_a_copy_of_the_tree(tree: Path, tmp_path: Path) -> None:
    ok("manifest", "tree", "-o", "m", cwd=tmp_path)
    tree.rename(tmp_path / "moved")
    assert set(check("m", cwd=tmp_path)[1].values()) == {"MISSING"}
    assert check("m", "moved", cwd=tmp_path) == (
        0,
        dict.fromkeys(["a", "b.x", "b/c/big", "b/empty", "z"], "OK"),
    )
    text = (tmp_path / "m").read_bytes()
    assert ok("manifest", "-c", "-", "moved", stdin=text, cwd=tmp_path).count(b": OK\n") == 5


@pytest.mark.parametrize(
    ("flags", "count"),
    [
        (("--part-size", "none"), 1),
        (("--part-size", "5MiB", "-a", "sha1", "-a", "crc32c"), 4),
        (("--part-size", "1000000", "--allow-small-parts"), 18),
        (("--part-size", "rclone"), 1),
        (("--part-size", "mountpoint", "-a", "xxhash128", "--parts"), 3),
    ],
)
def test_plans_are_those_of_the_manifest(flags: tuple[str, ...], count: int, tree: Path) -> None:
    text = ok("manifest", *flags, "tree", cwd=tree.parent)
    assert lines(text)[3]["part_count"] == count
    assert ok("manifest", "-c", "-", cwd=tree.parent, stdin=text).count(b": OK\n") == 5
    rot(tree / "z")
    done = run("manifest", "-c", "-", cwd=tree.parent, stdin=text)
    assert (done.returncode, done.stdout.count(b"CORRUPT")) == (1, 1)


# --- manifests that are not as they were written -----------------------------------------------


def cut(text: list[bytes]) -> list[bytes]:
    return text[:-1]


def cut_within_a_line(text: list[bytes]) -> list[bytes]:
    return [*text[:-2], text[-2][:30]]


def line_lost(text: list[bytes]) -> list[bytes]:
    return [*text[:2], *text[3:]]


def value_edited(text: list[bytes]) -> list[bytes]:
    return [line.replace(b'"path": "a"', b'"path": "z2"') for line in text]


def line_added(text: list[bytes]) -> list[bytes]:
    return [*text, text[1]]


def doubled(text: list[bytes]) -> list[bytes]:
    return [*text[:2], text[1], *text[2:]]


def spoilt(text: list[bytes]) -> list[bytes]:
    return [text[0], b"nonsense\n", *text[2:]]


@pytest.mark.parametrize(
    "harm", [cut, cut_within_a_line, line_lost, value_edited, line_added, doubled, spoilt]
)
def test_a_damaged_manifest_is_never_fine(
    harm: Callable[[list[bytes]], list[bytes]], tree: Path
) -> None:
    text = ok("manifest", "tree", cwd=tree.parent).splitlines(keepends=True)
    damaged = b"".join(harm(text))
    done = run("manifest", "-c", "-", cwd=tree.parent, stdin=damaged)
    assert done.returncode == 1
    assert b"partsum: -: " in done.stderr
    assert done.stdout.count(b": OK\n") >= 3  # what is listed is checked all the same
    assert b"NEW" not in done.stdout
    silent = run(
        "manifest", "-c", "--status", "--ignore-missing", "-", cwd=tree.parent, stdin=damaged
    )
    assert silent.returncode == 1


@pytest.mark.parametrize(
    "text",
    [b"", b"{}\n", b"[]\n", b"\xff\n", b"d41d8cd98f00b204e9800998ecf8427e  a\n",
     b'{"format": "partsum.Manifest/2"}\n'],
)  # fmt: skip
def test_what_is_no_manifest(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(text)
    done = run("manifest", "-c", "m", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(b"partsum: m: ")


@pytest.mark.parametrize(
    "change",
    [
        {"path": "a\0b"},
        {"path": "\ud800"},
        {"path": ""},
        {"path": 5},
        {"size": -1},
        {"size": "1"},
        {"mtime_ns": None},
        {"checksums": {"CRC7": {"FULL_OBJECT": "AAAA"}}},
        {"checksums": {"CRC32": {"HALF_OBJECT": "AAAA"}}},
        {"checksums": []},
        {"part_count": 7},
        {"multipart": True},
        {"parts": [1, 2]},
        {"etag": 1},
    ],
)
def test_entries_that_are_none(change: dict[str, Any], tree: Path) -> None:
    header, entry, *_ = lines(ok("manifest", "a", cwd=tree))
    text = b"".join(json.dumps(line).encode() + b"\n" for line in (header, entry | change))
    done = run("manifest", "-c", "-", cwd=tree, stdin=text)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"partsum: -: line 2: not the entry of a file\n" in done.stderr


# --- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--quiet", "tree"],
        ["--ignore-new", "tree"],
        ["-c"],
        ["-c", "m", "tree", "more"],
        ["-c", "-a", "md5", "m"],
        ["-c", "--part-size", "boto3", "m"],
        ["-c", "-o", "x", "m"],
        ["-c", "--cache", "m"],
    ],
)
def test_wrong_usage(args: list[str], tree: Path) -> None:
    done = run("manifest", *args, cwd=tree.parent)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"manifest --help" in done.stderr
