"""``--cache``: never a stale value, whoever writes, and no harm when the cache itself is harmed."""

import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import partsum
import pytest
from partsum.cli.cached import cache as cached
from partsum.cli.cached import store
from shell import MIB, multipart_etag, ok, ok_json, pattern, posix_only, run

pytestmark = posix_only

HOUR = 3600 * 10**9


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache goes, of these processes and of this one."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("PARTSUM_CACHE", raising=False)
    return folder


@pytest.fixture
def cache() -> Iterator[cached.Cache]:
    made = cached.Cache()
    yield made
    made.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """clock(ns): the cache's clock is that far ahead of the file system's."""
    real = time.time_ns

    def set_ahead(ns: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: real() + ns)

    return set_ahead


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the library was asked to read."""
    names: list[str] = []
    library = partsum.hash_files

    def hash_files(paths: list[str], *args: Any, **more: Any) -> Any:
        names.extend(paths)
        return library(paths, *args, **more)

    monkeypatch.setattr(partsum, "hash_files", hash_files)
    return names


OPTIONS: dict[str, Any] = {"part_size": None, "allow_small_parts": False, "progress": None}


def md5(cache: cached.Cache, path: Path) -> str:
    return cache.hash_file(str(path), ["MD5"], **OPTIONS).etag


def same_size_and_mtime(path: Path, write: Callable[[], None]) -> None:
    """Change bytes as slyly as can be, later than the coarsest of the usual clocks can miss."""
    before = path.stat()
    time.sleep(0.02)
    write()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


# --- never stale -------------------------------------------------------------------------------


def in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"B")


def renamed_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"B" + path.read_bytes()[1:])
    other.replace(path)


def through_a_hard_link(path: Path) -> None:
    link = path.with_name("link")
    link.hardlink_to(path)
    in_place(link)


def truncated_and_written(path: Path) -> None:
    path.write_bytes(b"B" + path.read_bytes()[1:])


@pytest.mark.parametrize(
    "write", [in_place, renamed_over, through_a_hard_link, truncated_and_written]
)
def test_a_change_that_keeps_size_and_mtime_is_seen(
    write: Callable[[Path], None],
    cache: cached.Cache,
    clock: Callable[[int], None],
    read: list[str],
    tmp_path: Path,
) -> None:
    clock(HOUR)
    path = tmp_path / "file"
    path.write_bytes(b"A" * 1000)
    for _ in range(2):
        assert md5(cache, path) == hashlib.md5(b"A" * 1000).hexdigest()
    assert read == [str(path)]  # the second time it was remembered
    same_size_and_mtime(path, lambda: write(path))
    for _ in range(2):
        assert md5(cache, path) == hashlib.md5(b"B" + b"A" * 999).hexdigest()
    assert read == [str(path)] * 2


def test_a_symbolic_link_that_is_turned_is_seen(
    cache: cached.Cache, clock: Callable[[int], None], tmp_path: Path
) -> None:
    clock(HOUR)
    link = tmp_path / "link"
    for content in (b"A", b"B"):
        target = tmp_path / content.decode()
        target.write_bytes(content)
        os.utime(target, (1, 1))
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert md5(cache, link) == hashlib.md5(content).hexdigest()


def test_what_has_just_changed_is_not_kept(
    cache: cached.Cache, read: list[str], tmp_path: Path
) -> None:
    """Rewritten within one tick of the clock, times may stay as they are: nothing tells."""
    path = tmp_path / "file"
    for byte in b"ABCDEFGH":
        path.write_bytes(bytes([byte]) * 1000)
        os.utime(path, (1, 1))  # an old mtime does not help: the ctime is recent
        assert md5(cache, path) == hashlib.md5(bytes([byte]) * 1000).hexdigest()
    assert len(read) == 8


@pytest.mark.parametrize("ahead", [-HOUR, 0, 2 * 10**9])
def test_neither_from_the_future_nor_within_the_granularity(
    ahead: int,
    cache: cached.Cache,
    clock: Callable[[int], None],
    read: list[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"A")
    clock(ahead)
    md5(cache, path)
    clock(HOUR)
    md5(cache, path)
    assert len(read) == 2
    # Now it is remembered; but to a clock that was set back, a write could have any time.
    md5(cache, path)
    assert len(read) == 2
    clock(ahead)
    md5(cache, path)
    assert len(read) == 3


def test_a_link_that_is_turned_before_the_file_is_read(
    cache: cached.Cache,
    clock: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What was read then is not taken for the file that the link led to before."""
    clock(HOUR)
    link = tmp_path / "link"
    for name in ("A", "B"):
        (tmp_path / name).write_bytes(name.encode())
    library = partsum.hash_files

    def turn(target: str) -> None:
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    def hash_files(*args: Any, **more: Any) -> Any:
        turn("B")
        return library(*args, **more)

    turn("A")
    with monkeypatch.context() as patch:
        patch.setattr(partsum, "hash_files", hash_files)
        assert md5(cache, link) == hashlib.md5(b"B").hexdigest()
    turn("A")
    assert md5(cache, link) == hashlib.md5(b"A").hexdigest()


def test_plans_and_algorithms_are_kept_apart(
    cache: cached.Cache, clock: Callable[[int], None], read: list[str], tmp_path: Path
) -> None:
    clock(HOUR)
    path = tmp_path / "file"
    path.write_bytes(pattern(17 * MIB))
    asked: list[tuple[list[str], Any]] = [
        (["MD5"], "8MiB"),
        (["MD5"], None),
        (["SHA1", "XXHASH128"], None),
        (["MD5", "SHA1"], "8MiB"),
        (["CRC32", "SHA512"], [MIB, 5 * MIB, 11 * MIB]),
    ]
    for _ in range(2):
        for algorithms, part_size in asked:
            more: dict[str, Any] = {"part_size": part_size, "allow_small_parts": True}
            sums = cache.hash_file(str(path), algorithms, progress=None, **more)
            again = partsum.hash_file(path, algorithms, **more)
            assert sums.to_dict() | {"path": None} == again.to_dict() | {"path": None}
    assert len(read) == len(asked)
    # What was asked for apart is there together.
    cache.hash_file(str(path), ["XXHASH128", "MD5", "SHA1"], **OPTIONS)
    assert len(read) == len(asked)
    plans = [sums.plan for sums in cache.remembered(str(path))]
    assert sorted(map(len, plans)) == [1, 3, 3]
    for sums in cache.remembered(str(path)):
        whole = partsum.hash_file(path, sums.algorithms, part_size=sums.plan)
        assert sums.to_dict() == whole.to_dict() | {"path": None}


def test_many_files_in_order_and_their_progress(
    cache: cached.Cache, clock: Callable[[int], None], read: list[str], tmp_path: Path
) -> None:
    clock(HOUR)
    names = [str(tmp_path / f"{index}") for index in range(40)]
    for index, name in enumerate(names):
        Path(name).write_bytes(pattern(1 + index))
    list(cache.hash_files(names[::3], ["MD5"], **OPTIONS))
    done: list[int] = []
    missing = [*names, str(tmp_path / "gone")]
    *results, failed = cache.hash_files(missing, ["MD5"], **(OPTIONS | {"progress": done.append}))
    wanted = [hashlib.md5(pattern(1 + index)).hexdigest() for index in range(40)]
    etags = [getattr(result, "etag", None) for result in results]
    assert etags == wanted
    assert isinstance(failed, partsum.FileError)
    assert sum(done) == sum(range(1, 41))
    assert sorted(read) == sorted(missing)  # each of them once


def test_a_message_longer_than_an_object(
    cache: cached.Cache, clock: Callable[[int], None], tmp_path: Path
) -> None:
    clock(HOUR)
    path = tmp_path / "file"
    path.write_bytes(b"A")
    for value in (b"1234", b"5678"):
        digests = cache.digests(str(path), ["CRC32"], partial(dict, CRC32=value))
        assert digests == {"CRC32": b"1234"}


# --- many processes ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files."""
    folder = tmp_path_factory.mktemp("files")
    for index in range(400):
        (folder / f"{index:03}").write_bytes(pattern(index + 1))
    return folder


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH: the clock of such a process is an hour ahead of the files'."""
    folder = tmp_path_factory.mktemp("later")
    code = f"import time\nnow = time.time_ns\ntime.time_ns = lambda: now() + {HOUR}\n"
    (folder / "sitecustomize.py").write_text(code)
    return folder


@pytest.fixture
def settled_files(
    files: Path, later: Path, clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The files, old enough for this process and for those that it starts."""
    path = [str(later), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    clock(HOUR)
    return files


def start(folder: Path, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "partsum", "sum", "--cache", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def database() -> sqlite3.Connection:
    return sqlite3.connect(store.location(), isolation_level=None)


def test_eight_processes_at_once(settled_files: Path) -> None:
    names = sorted(path.name for path in settled_files.iterdir())
    want = run("sum", *names, cwd=settled_files).stdout
    for _ in range(2):  # writing, then reading
        processes = [start(settled_files, *names) for _ in range(8)]
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, err, out) == (0, b"", want)
    db = database()
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*) FROM digests").fetchone() == (len(names),)
    db.close()


def test_killed_as_it_writes(settled_files: Path) -> None:
    names = sorted(path.name for path in settled_files.iterdir())
    chance = random.Random(1)
    for _ in range(6):
        process = start(settled_files, *names)
        assert process.stdout
        process.stdout.read(chance.randrange(len(names) * 60))  # so it is in the midst of it
        process.send_signal(signal.SIGKILL)
        process.communicate()
    db = database()
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert ok("sum", "--cache", *names, cwd=settled_files) == ok("sum", *names, cwd=settled_files)


# --- a cache that is of no use -----------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(100_000))


def torn(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 + 8 :] = bytes(len(data) - 4096 - 8)
    path.write_bytes(data)


def of_another_version(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize("harm", [garbage, torn, of_another_version])
def test_a_damaged_file(harm: Callable[[Path], None], settled_files: Path) -> None:
    names = sorted(path.name for path in settled_files.iterdir())[:20]
    want = ok("sum", "--cache", *names, cwd=settled_files)
    path = store.location()
    harm(path)
    done = run("sum", "--cache", *names, cwd=settled_files)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, want, 1)
    assert done.stderr.startswith(f"partsum: note: no cache: {path}: ".encode())
    assert b"partsum cache clear" in done.stderr
    assert run("cache", "info").returncode == 1
    assert ok_json("cache", "clear", "--json")["digests"] == 0
    for _ in range(2):
        assert ok("sum", "--cache", *names, cwd=settled_files) == want


def test_a_flipped_bit_is_not_served(settled_files: Path) -> None:
    want = ok("sum", "--cache", "399", cwd=settled_files)
    db = database()
    [(value,)] = db.execute("SELECT value FROM digests").fetchall()
    db.execute("UPDATE digests SET value = ?", (bytes([value[0] ^ 1]) + value[1:],))
    db.close()
    assert ok("sum", "--cache", "399", cwd=settled_files) == want


@pytest.mark.parametrize("folder", ["file/below", "/proc/none"])
def test_no_place_for_it(folder: str, settled_files: Path, home: Path) -> None:
    (home / "file").write_bytes(b"")
    env = {"XDG_CACHE_HOME": str(home / folder)}
    done = run("sum", "--cache", "399", "398", cwd=settled_files, env=env)
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 2)
    assert done.stderr.startswith(b"partsum: note: no cache: ")
    assert done.stderr.count(b"\n") == 1


def test_a_full_disk(settled_files: Path) -> None:
    """The system stops the file from growing past what the table needs."""
    names = sorted(path.name for path in settled_files.iterdir())
    want = ok("sum", *names, cwd=settled_files)
    ok("cache", "info")
    done = subprocess.run(
        [sys.executable, "-m", "partsum", "sum", "--cache", *names],
        cwd=settled_files,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, want, 1)
    assert done.stderr.startswith(b"partsum: note: no cache: ")
    assert ok("sum", "--cache", *names, cwd=settled_files) == want


def test_a_locked_file_is_waited_for_and_then_done_without(
    settled_files: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ok("cache", "info")
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    cache = cached.Cache()
    db = database()
    db.execute("BEGIN EXCLUSIVE")
    for name in ("398", "399"):
        assert md5(cache, settled_files / name)
    db.close()
    cache.close()
    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("database is locked")


# --- options -----------------------------------------------------------------------------------


def test_every_verb_that_has_it(settled_files: Path) -> None:
    path = settled_files / "399"
    for verb in (["sum"], ["sum", "-a", "md5", "-a", "crc32"], ["etag"], ["parts"]):
        want = ok(*verb, path)
        for _ in range(2):
            assert ok(*verb, "--cache", path) == want
        assert run(*verb, path, env={"PARTSUM_CACHE": "1"}).stdout == want
    assert ok_json("cache", "info", "--json")["files"] == 1


def test_verify_takes_what_is_remembered(settled_files: Path, tmp_path: Path) -> None:
    path = settled_files / "399"
    head = {"ContentLength": 400, "ETag": f'"{hashlib.md5(pattern(400)).hexdigest()}"'}
    (tmp_path / "head").write_text(json.dumps(head))
    ok("etag", "--cache", path)
    assert b": MATCH (size, ETag agree)" in ok(
        "verify", "--cache", path, "--head", tmp_path / "head"
    )
    (tmp_path / "head").write_text(json.dumps(head | {"ETag": f'"{"0" * 32}"'}))
    done = run("verify", "--cache", path, "--head", tmp_path / "head")
    assert (done.returncode, done.stdout.count(b"MISMATCH")) == (1, 1)


def test_multipart_etags_are_remembered(settled_files: Path, cache: cached.Cache) -> None:
    flags = ("--part-size", "100", "--allow-small-parts", "--cache")
    want = multipart_etag(pattern(400), 100)
    for _ in range(2):
        assert ok("etag", *flags, "399", cwd=settled_files).decode() == f"{want}  399\n"
    [sums] = cache.remembered(str(settled_files / "399"))
    assert sums.etag == want


def test_check_reads_every_byte(settled_files: Path, home: Path) -> None:
    lines = ok("sum", "399", cwd=settled_files)
    done = run("sum", "-c", "--cache", cwd=settled_files, stdin=lines)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    done = run("sum", "-c", cwd=settled_files, stdin=lines, env={"PARTSUM_CACHE": "1"})
    assert (done.returncode, done.stdout) == (0, b"399: OK\n")
    assert not list(home.iterdir())


def test_prune_and_clear(settled_files: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in settled_files.iterdir())[:5]
    for name in names:
        os.link(settled_files / name, tmp_path / name)
    ok("sum", "--cache", *names, cwd=tmp_path)
    ok("etag", "--cache", *names, cwd=tmp_path)
    report = ok_json("cache", "info", "--json")
    assert (report["files"], report["digests"]) == (5, 10)
    assert report["bytes"] > 0
    assert Path(report["path"]) == store.location()
    assert ok_json("cache", "prune", "--json")["pruned"] == 0
    (tmp_path / names[0]).unlink()
    (tmp_path / names[1]).write_bytes(b"new")
    report = ok_json("cache", "prune", "--json")
    assert (report["pruned"], report["files"], report["digests"]) == (2, 3, 6)
    assert b"digests  0" in ok("cache", "clear")


def test_it_is_for_the_owner_only(settled_files: Path, home: Path) -> None:
    ok("sum", "--cache", "399", cwd=settled_files)
    assert (home / "partsum").stat().st_mode & 0o777 == 0o700
