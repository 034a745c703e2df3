"""``partsum sum --check`` against the coreutils: each reads the other's lists, word for word."""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import partsum
import pytest
import settings_hypothesis  # noqa: F401
import xxhash
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shell import COREUTILS, MIB, coreutils, needs_coreutils, ok, ok_json, pattern, posix_only, run


def _version() -> tuple[int, ...]:
    if not shutil.which("sha256sum"):
        return ()
    found = re.match(
        rb"sha256sum \(GNU coreutils\) (\d+)\.(\d+)", coreutils("sha256sum", "--version")
    )
    return tuple(map(int, found.groups())) if found else ()


# Older ones neither escape carriage returns nor take CRLF.
same_coreutils = pytest.mark.skipif(
    not (9, 1) <= _version() <= (9, 4), reason="words are compared with GNU coreutils 9.1"
)
ENGLISH = {"LC_ALL": "C"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


QUOTED = re.compile(rb"((?:'[^']*'|\$'(?:[^'\\]|\\.)*')+)(: .*)", re.DOTALL)
QUOTED_PIECE = re.compile(rb"\$'((?:[^'\\]|\\.)*)'|'([^']*)'", re.DOTALL)


def in_our_words(said: bytes, tool: str) -> bytes:
    """What the coreutil said, as partsum says it.

    The coreutils quote odd names for a shell; we show their bytes, and control characters as \\x1b.
    """
    lines = []
    for line in said.splitlines(keepends=True):
        words = line.removeprefix(tool.encode() + b": ")
        quoted = QUOTED.fullmatch(words)
        if quoted and quoted[1] != b"'standard input'":
            name = b"".join(
                ansi.decode("unicode_escape").encode("latin-1") + plain
                for ansi, plain in QUOTED_PIECE.findall(quoted[1])
            )
            name = re.sub(rb"[\0-\x1f\x7f]", lambda c: repr(chr(c[0][0]))[1:-1].encode(), name)
            words = name + quoted[2]
        lines.append(b"partsum: " + words)
    return b"".join(lines)


def assert_same(
    *args: str | bytes, cwd: Path, stdin: bytes = b"", tool: str = "sha256sum"
) -> bytes:
    """``partsum sum`` writes, says and returns what the coreutil does; gives what it said."""
    theirs = subprocess.run(
        [tool, *args],
        input=stdin,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **ENGLISH},
    )
    alg = {tool: alg for alg, tool in COREUTILS.items()}[tool]
    ours = run("sum", "-a", alg, *args, stdin=stdin, cwd=cwd, env=ENGLISH)
    assert ours.stdout == theirs.stdout
    assert ours.stderr == in_our_words(theirs.stderr, tool)
    assert ours.returncode == theirs.returncode
    return ours.stderr


# --- each reads the other's --------------------------------------------------------------------


@needs_coreutils
@pytest.mark.parametrize("layout", [[], ["--tag"], ["--binary"], ["-b", "--tag"], ["-t"]])
@pytest.mark.parametrize("alg", COREUTILS)
def test_lists_go_both_ways(
    alg: str, layout: list[str], odd_files: list[bytes], tmp_path: Path
) -> None:
    tool = COREUTILS[alg]
    theirs = coreutils(tool, *layout, "--", *odd_files, cwd=tmp_path)
    ours = ok("sum", "-a", alg, *layout, "--", *odd_files, cwd=tmp_path)
    assert ours == theirs
    verdict = coreutils(tool, "--check", "--strict", stdin=ours, cwd=tmp_path)
    assert verdict.count(b": OK\n") == len(odd_files)
    for flags in ([], ["-a", alg.lower()]):  # by length or tag, and as told
        assert ok("sum", "--check", "--strict", *flags, stdin=theirs, cwd=tmp_path) == verdict


FILE_NAME = st.binary(min_size=1, max_size=40).map(lambda name: re.sub(rb"[/\0]", b"_", name))


@needs_coreutils
@posix_only
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.sets(FILE_NAME, min_size=1, max_size=12), st.sampled_from([[], ["--tag"], ["-b"]]))
@example({b" ", b"*", b"  x", b"a) = b", b"\\", b"\\n", b"\n", b"\r", b"#", b"\xff", b"="}, [])
@example(
    {b" ", b"*", b"  x", b"a) = b", b"\\", b"\\n", b"\n", b"\r", b"#", b"\xff", b"="}, ["--tag"]
)
def test_any_name_goes_both_ways(names: set[bytes], layout: list[str]) -> None:
    names -= {b".", b".."}
    with tempfile.TemporaryDirectory() as folder:
        written = []
        for name in sorted(names):
            with contextlib.suppress(OSError):  # the file system refuses the name
                Path(folder, os.fsdecode(name)).write_bytes(name)
                written.append(name)
        at = Path(folder)
        theirs = coreutils("sha256sum", *layout, "--", *written, cwd=at, stdin=b"")
        ours = ok("sum", *layout, "--", *written, cwd=at)
        assert ours == theirs
        # "-" is standard input in a list too, and from there comes the list itself: use a file.
        with tempfile.NamedTemporaryFile() as listing:
            listing.write(ours)
            listing.flush()
            verdict = coreutils("sha256sum", "-c", "--strict", listing.name, cwd=at)
            assert verdict.count(b": OK\n") == len(written)
            assert ok("sum", "-c", "--strict", listing.name, cwd=at) == verdict


# --- word for word -----------------------------------------------------------------------------

GOOD = b"%s  a\n%s  b\n" % (sha256(b"a").encode(), sha256(b"b").encode())
BAD = GOOD.replace(sha256(b"a").encode(), b"0" * 64)
GONE = GOOD.replace(b"  a", b"  gone")
FOLDER = GOOD.replace(b"  a", b"  folder")
JUNK = b"junk\nmore junk\n"
LISTS = {
    "all OK": GOOD,
    "one FAILED": BAD,
    "two FAILED": BAD + BAD,
    "one missing": GONE,
    "all missing": GONE[: GONE.index(b"\n") + 1],
    "a folder": FOLDER,
    "two unreadable": GONE + FOLDER,
    "one improper line": GOOD + b"junk\n",
    "two improper lines": JUNK + GOOD,
    "everything": GOOD + BAD + GONE + FOLDER + JUNK,
    "nothing proper": JUNK,
    "comments and empty lines": b"# a\n\n" + GOOD + b"\n#\n # not one\n",
    "CRLF": GOOD.replace(b"\n", b"\r\n") + b"\r\n",
    "one CR too many": GOOD.replace(b"\n", b"\r\r\n"),
    "no newline at the end": GOOD[:-1],
    "empty": b"",
    "upper case": GOOD.upper().replace(b"  A", b"  a").replace(b"  B", b"  b"),
    "one space": GOOD.replace(b"  ", b" "),
    "one space, then two": GOOD.replace(b"  a", b" a"),
    "two spaces, then one": GOOD.replace(b"  b", b" b"),
    "tab": GOOD.replace(b"  ", b"\t"),
    "indented": b" \t" + GOOD,
    "binary": GOOD.replace(b"  ", b" *"),
    "itself": GOOD.replace(b"  a", b"  -"),
    "tagged": b"SHA256 (a) = %s\nSHA256(b)=%s\n" % (GOOD[:64], GOOD[:64]),
    "another tag": b"MD5 (a) = %s\n" % hashlib.md5(b"a").hexdigest().encode() + GOOD,
    "too long, too short": GOOD.replace(b"  a", b"0  a").replace(b"  b", b"  b")[:-3] + b"\n",
    "not an escape": b"\\" + GOOD.replace(b"  a", b"  a\\x"),
    "half an escape": b"\\" + GOOD.replace(b"  a", b"  a\\"),
    "escaped": b"\\" + GOOD.replace(b"  a", b"  new\\nline"),
    "needlessly escaped": b"\\" + GOOD,
}  # fmt: skip
SAYS = [
    [],
    ["-w"],
    ["--warn"],
    ["--quiet"],
    ["--status"],
    ["--strict"],
    ["--ignore-missing"],
    ["--strict", "--warn", "--ignore-missing"],
    ["--quiet", "--ignore-missing"],
    ["--status", "--ignore-missing"],
    ["--status", "--warn"],
    ["--warn", "--quiet"],
    ["--quiet", "--status"],
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with what the lists name."""
    for name in ("a", "b", "new\nline"):
        (tmp_path / name).write_text(name[0] if name in "ab" else "a")
    (tmp_path / "folder").mkdir()
    return tmp_path


@same_coreutils
@pytest.mark.parametrize("says", SAYS, ids=" ".join)
def test_lists_are_checked_in_the_same_words(says: list[str], files: Path) -> None:
    for number, listing in enumerate(LISTS.values()):
        (files / f"list{number}").write_bytes(listing)
    assert_same("--check", *says, *(f"list{number}" for number in range(len(LISTS))), cwd=files)
    for name in ("one FAILED", "one missing", "all missing", "one improper line", "empty"):
        assert_same("--check", *says, stdin=LISTS[name], cwd=files)


@same_coreutils
@pytest.mark.parametrize("name", LISTS)
def test_a_list_from_standard_input(name: str, files: Path) -> None:
    assert_same("-c", "-w", stdin=LISTS[name], cwd=files)
    assert_same("-c", "-w", "-", stdin=LISTS[name], cwd=files)


@same_coreutils
def test_several_lists(files: Path) -> None:
    for name, listing in (("good", GOOD), ("bad", BAD), ("gone", GONE), ("junk", JUNK)):
        (files / name).write_bytes(listing)
    for names in itertools.permutations(["good", "bad", "gone", "junk", "no-list", "folder"], 2):
        assert_same("-cw", *names, cwd=files)


@same_coreutils
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc")
def test_a_file_and_a_list_that_fail_while_they_are_read(files: Path) -> None:
    assert_same("-c", stdin=GOOD.replace(b"  a", b"  /proc/self/mem"), cwd=files)
    assert_same("-c", "/proc/self/mem", cwd=files)


@same_coreutils
@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_without_permission(files: Path) -> None:
    (files / "a").chmod(0)
    assert_same("-c", "--ignore-missing", stdin=GOOD, cwd=files)
    assert_same("-c", "a", cwd=files)


@same_coreutils
def test_odd_names_in_verdicts(odd_files: list[bytes], tmp_path: Path) -> None:
    listing = coreutils("sha256sum", "--", *odd_files, cwd=tmp_path)
    assert_same("-c", stdin=listing, cwd=tmp_path)
    wrong = re.sub(rb"(?m)^(\\?)[0-9a-f]{8}", rb"\g<1>00000000", listing)
    assert_same("-c", stdin=wrong, cwd=tmp_path)
    gone = re.sub(rb"(?m)$", b"gone", listing[:-1]) + b"\n"
    said = assert_same("-c", stdin=gone, cwd=tmp_path)
    assert b"partsum: new\\nlinegone: No such file or directory\n" in said
    assert b"partsum: not-utf8-\xff\xfegone: No such file or directory\n" in said


# Lines made of what matters to a reader of them; a and b are there, the rest is not.
PIECE = st.sampled_from(
    [
        sha256(b"a").encode(), sha256(b"b").encode(), sha256(b"a")[1:].encode(), b"g" * 64,
        b"SHA256", b"MD5", b"SHA256 (", b"SHA256(", b"(", b")", b") = ", b"=", b" ", b"  ", b" *",
        b"*", b"\t", b"\\", b"\\n", b"\\\\", b"a", b"b", b"-", b"#", b"\r", b"\xff",
    ]
)  # fmt: skip
LIKELY = st.one_of(
    st.lists(PIECE, max_size=6).map(b"".join),
    st.tuples(
        st.sampled_from([b"", b"\\", b" ", b"\t\\"]),
        st.sampled_from([sha256(b"a").encode(), sha256(b"b").encode(), b"0" * 64]),
        st.sampled_from([b"  ", b" *", b" ", b"\t", b" \t", b""]),
        st.sampled_from([b"a", b"b", b"", b" ", b"*", b"a\\n", b"c", b"a\r"]),
    ).map(b"".join),
    st.tuples(
        st.sampled_from([b"SHA256 (", b"\\SHA256(", b"  SHA256 (", b"SHA256  (", b"SHA1 ("]),
        st.sampled_from([b"a", b"b", b"", b"a) = (b", b"\\n", b"a)"]),
        st.sampled_from([b") = ", b")=", b")\t= ", b") ", b" = "]),
        st.sampled_from(
            [sha256(b"a").encode(), b"0" * 64, b"0" * 63, sha256(b"b").encode() + b" "]
        ),
    ).map(b"".join),
)


@same_coreutils
@posix_only
@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(LIKELY, max_size=12), st.sampled_from(SAYS))
def test_any_list_is_read_as_the_coreutils_read_it(lines: list[bytes], says: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "a").write_bytes(b"a")
        (at / "b").write_bytes(b"b")
        assert_same("-c", *says, stdin=b"\n".join(lines), cwd=at)


def test_a_nul_does_not_hide_the_rest_of_a_line(files: Path) -> None:
    """md5sum would check the first file of a list that --zero made, and no other."""
    listing = GOOD.replace(b"\n", b"\0")
    done = run("sum", "-c", stdin=listing, cwd=files)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no properly formatted" in done.stderr


# --- which algorithm ---------------------------------------------------------------------------


def test_the_length_says_the_algorithm(files: Path) -> None:
    for show in (bytes.hex, b64):
        lines = [f"{show(hashlib.new(alg, b'a').digest())}  a\n" for alg in COREUTILS]
        done = ok("sum", "-c", "--strict", stdin="".join(lines).encode(), cwd=files)
        assert done == b"a: OK\n" * 4
        document = ok_json("sum", "-c", "--json", stdin="".join(lines).encode(), cwd=files)
        assert [entry["algorithm"] for entry in document["checks"]] == list(COREUTILS)


@pytest.mark.parametrize("show", ["hex", "base64"])
@pytest.mark.parametrize("alg", partsum.ALGORITHMS)
def test_every_algorithm_as_told_and_by_tag(alg: str, show: str, files: Path) -> None:
    shown = ["--base64"] if show == "base64" else []
    lines = ok("sum", "-a", alg, *shown, "a", "b", cwd=files)
    tagged = ok("sum", "-a", alg, *shown, "--tag", "a", "b", cwd=files)
    want = b"a: OK\nb: OK\n"
    assert ok("sum", "-a", alg, "-c", "--strict", stdin=lines, cwd=files) == want
    assert ok("sum", "-a", alg, "-c", "--strict", stdin=tagged, cwd=files) == want
    assert ok("sum", "-c", "--strict", stdin=tagged, cwd=files) == want


@pytest.mark.parametrize("alg", ["CRC32", "CRC32C", "CRC64NVME", "XXHASH64", "XXHASH3"])
def test_a_length_of_several_algorithms_needs_to_be_told(alg: str, files: Path) -> None:
    one = ok("sum", "-a", alg, "a", cwd=files)
    done = run("sum", "-c", stdin=one + GOOD, cwd=files)
    assert (done.returncode, done.stdout) == (0, b"a: OK\nb: OK\n")
    hint = b"partsum: 'standard input': 1 digest fits several algorithms: choose one with -a\n"
    assert done.stderr == b"partsum: WARNING: 1 line is improperly formatted\n" + hint
    assert run("sum", "-c", "--strict", stdin=one + GOOD, cwd=files).returncode == 1
    (files / "list").write_bytes(one + one)
    done = run("sum", "-c", "list", cwd=files)
    assert done.returncode == 1
    assert done.stderr == (
        b"partsum: list: no properly formatted checksum lines found\n"
        b"partsum: list: 2 digests fit several algorithms: choose one with -a\n"
    )
    assert b"fit" not in run("sum", "-c", "--status", "list", cwd=files).stderr
    assert ok("sum", "-a", "sha1", "-a", alg, "-c", "list", cwd=files) == b"a: OK\n" * 2


def test_32_digits_are_md5_unless_told(files: Path) -> None:
    line = ok("sum", "-a", "xxhash128", "a", cwd=files)
    assert run("sum", "-c", stdin=line, cwd=files).stdout == b"a: FAILED\n"
    assert ok("sum", "-c", "-a", "xxhash128", stdin=line, cwd=files) == b"a: OK\n"


def test_other_algorithms_than_told_are_improper(files: Path) -> None:
    lines = ok("sum", "-a", "md5", "-a", "sha1", "-a", "crc32", "a", cwd=files)
    done = run("sum", "-a", "md5", "-a", "crc32", "-c", "-w", stdin=lines, cwd=files)
    assert (done.returncode, done.stdout) == (0, b"a: OK\n" * 2)
    assert done.stderr == (
        b"partsum: 'standard input': 2: improperly formatted checksum line\n"
        b"partsum: WARNING: 1 line is improperly formatted\n"
    )


def test_tags_of_other_tools(files: Path) -> None:
    lines = [
        f"SHA2-256(a)= {sha256(b'a')}",  # openssl 3
        f"SHA256(a)= {sha256(b'a')}",  # openssl 1
        f"SHA2-512(a)= {hashlib.sha512(b'a').hexdigest()}",
        f"MD5 (a) = {hashlib.md5(b'a').hexdigest()}",  # BSD
        f"XXH64 (a) = {xxhash.xxh64(b'a').hexdigest()}",
        f"XXH3 (a) = {xxhash.xxh3_64(b'a').hexdigest()}",
        f"XXH128 (a) = {xxhash.xxh3_128(b'a').hexdigest()}",
        f"{hashlib.md5(b'a').hexdigest()} *a",  # openssl -r
    ]
    done = ok("sum", "-c", "--strict", stdin="\n".join(lines).encode(), cwd=files)
    assert done == b"a: OK\n" * len(lines)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize("alg", ["md5", "sha1", "sha256", "sha512"])
def test_what_openssl_prints(alg: str, files: Path) -> None:
    for layout in ([], ["-r"]):
        lines = coreutils("openssl", "dgst", f"-{alg}", *layout, "a", "b", cwd=files)
        assert ok("sum", "-c", "--strict", stdin=lines, cwd=files) == b"a: OK\nb: OK\n"


@same_coreutils
@pytest.mark.parametrize("alg", ["md5", "sha1", "sha256", "sha512"])
def test_what_cksum_prints(alg: str, odd_files: list[bytes], tmp_path: Path) -> None:
    lines = coreutils("cksum", "-a", alg, "--", *odd_files, cwd=tmp_path)
    want = coreutils("cksum", "-c", stdin=lines, cwd=tmp_path)
    assert want.count(b": OK\n") == len(odd_files)
    assert ok("sum", "-c", "--strict", stdin=lines, cwd=tmp_path) == want


@pytest.mark.parametrize(
    "value",
    [
        "0" * 63 + "g",
        b64(b"\xff" * 31) + "==",
        b64(bytes(32))[:-1],
        b64(bytes(32))[:-2] + "B=",  # the last bits of base64 are not 0
        b64(bytes(32)).replace("A", "_"),
        b64(bytes(32)) + "-0",
        b64(bytes(32)) + "-",
        b64(bytes(32)) + "-1-1",
        b64(bytes(32)) + "-123456",
        "é" * 64,
        "",
    ],
)
def test_what_is_not_a_digest(value: str, files: Path) -> None:
    for line in (f"SHA256 (a) = {value}\n", f"{value}  a\n"):
        for flags in ([], ["-a", "sha256"]):
            done = run("sum", "-c", *flags, stdin=line.encode(), cwd=files)
            assert (done.returncode, done.stdout) == (1, b"")
            assert b"no properly formatted checksum lines found" in done.stderr


# --- S3's values -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of three parts of boto3's, one of a PutObject, and an empty one."""
    folder = tmp_path_factory.mktemp("objects")
    (folder / "three").write_bytes(pattern(17 * MIB))
    (folder / "put").write_bytes(pattern(3 * MIB))
    (folder / "empty").write_bytes(b"")
    return folder


EVERY = [word for alg in partsum.ALGORITHMS for word in ("-a", alg)]
NAMES = ("three", "put", "empty")


@pytest.mark.parametrize("size", ["boto3", "5MiB", "16MiB"])
def test_values_of_every_algorithm_and_plan(size: str, objects: Path) -> None:
    lines = ok("sum", *EVERY, "--part-size", size, *NAMES, cwd=objects)
    assert lines.count(b"-") > 8
    checked = ok("sum", "-c", "--strict", "--part-size", size, stdin=lines, cwd=objects)
    want = [f"{name}: OK" for name in NAMES for _ in partsum.ALGORITHMS]
    assert checked.decode().splitlines() == want
    if size == "boto3":
        assert ok("sum", "-c", "--strict", stdin=lines, cwd=objects) == checked


def test_etags_are_checked(objects: Path) -> None:
    lines = ok("etag", "--part-size", "5MiB", *NAMES, cwd=objects)
    assert lines.count(b"-") == 3
    checked = ok("sum", "-c", "--strict", "--part-size", "5MiB", stdin=lines, cwd=objects)
    assert checked == b"three: OK\nput: OK\nempty: OK\n"
    by_tag = f"MD5 (three) = {lines.split()[0].decode()}\n".encode()
    assert ok("sum", "-c", "--part-size", "5MiB", stdin=by_tag, cwd=objects) == b"three: OK\n"


def test_untagged_composite_values(objects: Path) -> None:
    for alg in ("SHA1", "SHA256", "SHA512", "MD5"):
        line = ok("sum", "-a", alg, "--part-size", "boto3", "three", cwd=objects)
        assert b"-3  three\n" in line
        assert ok("sum", "-c", "--strict", stdin=line, cwd=objects) == b"three: OK\n"
    line = ok("sum", "-a", "crc32c", "--part-size", "boto3", "three", cwd=objects)
    assert ok("sum", "-a", "crc32c", "-c", stdin=line, cwd=objects) == b"three: OK\n"


def test_another_plan_is_named(objects: Path) -> None:
    lines = ok("sum", "-a", "sha1", "-a", "sha256", "--part-size", "5MiB", "three", cwd=objects)
    done = run("sum", "-c", stdin=lines, cwd=objects)
    assert (done.returncode, done.stdout) == (1, b"three: FAILED\n" * 2)
    assert done.stderr == (
        b"partsum: WARNING: 2 computed checksums did NOT match\n"
        b"partsum: WARNING: 2 composite checksums are of another number of parts"
        b" than --part-size boto3 gives\n"
    )
    # As many parts as the plan has, and yet another value: that is a mismatch of the bytes.
    wrong = lines.splitlines()[0].replace(b"= ", b"= AAAA").replace(b"AAAA" + lines[15:19], b"AAAA")
    done = run("sum", "-c", "--part-size", "5MiB", stdin=wrong, cwd=objects)
    assert (done.returncode, done.stdout) == (1, b"three: FAILED\n")
    assert done.stderr == b"partsum: WARNING: 1 computed checksum did NOT match\n"


def test_a_composite_value_of_one_put_object(objects: Path) -> None:
    line = ok("sum", "-a", "sha256", "--part-size", "5MiB", "put", cwd=objects)
    for size in ("boto3", "none"):
        done = run("sum", "-c", "--part-size", size, stdin=line, cwd=objects)
        assert (done.returncode, done.stdout) == (1, b"put: FAILED\n")
        assert b"1 composite checksum is of another number of parts" in done.stderr


def test_parts_that_s3_refuses(objects: Path) -> None:
    small = ("--part-size", "1MiB", "--allow-small-parts")
    lines = ok("sum", "-a", "sha256", *small, "put", cwd=objects) + ok("sum", "put", cwd=objects)
    assert ok("sum", "-c", *small, stdin=lines, cwd=objects) == b"put: OK\n" * 2
    done = run("sum", "-c", *small[:2], stdin=lines, cwd=objects)
    assert (done.returncode, done.stdout) == (2, b"put: FAILED open or read\n" * 2)
    assert b"partsum: put: " in done.stderr
    assert b"--allow-small-parts" in done.stderr


def test_a_composite_crc64_does_not_exist(objects: Path) -> None:
    done = run("sum", "-c", stdin=b"CRC64NVME (put) = 71KYlMX6HDs=-3\n", cwd=objects)
    assert (done.returncode, done.stdout) == (1, b"")


# --- one read ----------------------------------------------------------------------------------


def _served_once(path: Path, data: bytes) -> threading.Thread:
    """Give the data to the first reader of a named pipe; a second one would wait forever."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    return writer


@posix_only
@pytest.mark.parametrize("kind", ["whole", "composite", "both"])
def test_a_file_is_read_once_for_all_its_lines(kind: str, tmp_path: Path) -> None:
    data = pattern(9 * MIB)
    (tmp_path / "f").write_bytes(data)
    lines = b""
    if kind != "composite":
        lines += ok("sum", *EVERY, "f", cwd=tmp_path)
    if kind != "whole":
        lines += ok("sum", *EVERY, "--part-size", "5MiB", "f", cwd=tmp_path)
    count = lines.count(b"\n")
    flags = ("sum", "-c", "--strict", "--part-size", "5MiB")
    # A regular file goes another way than a pipe.
    assert ok(*flags, stdin=lines, cwd=tmp_path) == b"f: OK\n" * count
    (tmp_path / "f").unlink()
    writer = _served_once(tmp_path / "f", data)
    assert ok(*flags, stdin=lines, cwd=tmp_path) == b"f: OK\n" * count
    writer.join()


@needs_coreutils
@posix_only
def test_many_files_of_every_kind(tmp_path: Path) -> None:
    """Neighbours are hashed at once, up to 1024; what is special stands between them."""
    names = [f"{number:04}" for number in range(1500)]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(pattern(number % 300 * 7))  # some are empty
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(pattern(9 * MIB))
    listed = [*names[:2], "gone", *names[2:40], "folder", "large", "0001", *names[40:], "gone"]
    good = [name for name in listed if name not in {"gone", "folder"}]
    want = coreutils("md5sum", *listed, cwd=tmp_path)
    done = run("sum", "-a", "md5", *listed, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, want)
    assert done.stderr.count(b"\n") == 3
    assert ok("sum", "-a", "md5", *good, cwd=tmp_path) == want
    whole = dict(line.split()[::-1] for line in want.decode().splitlines())
    etags = ok("etag", *good, cwd=tmp_path).decode().splitlines()
    assert [line.split()[1] for line in etags] == good
    assert {line for line in etags if line.split()[0] != whole[line.split()[1]]} == {
        line for line in etags if "-2  large" in line
    }

    def line(name: str) -> str:
        return f"{whole.get(name, '0' * 32)}  {name}"

    # Some files have a line of another kind, too, which their neighbours have not.
    more = [line for line in etags if "large" in line]
    more += [f"SHA1 ({name}) = {hashlib.sha1(b'').hexdigest()}" for name in names[600:602]]
    listing = "\n".join([*map(line, listed), *more]).encode()
    done = run("sum", "-c", stdin=listing, cwd=tmp_path)
    verdicts = [
        f"{name}: OK" if name in good else f"{name}: FAILED open or read" for name in listed
    ]
    verdicts += ["large: OK"] * len(more[:-2]) + ["0600: OK", "0601: FAILED"]
    assert done.stdout.decode().splitlines() == verdicts
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "partsum: gone: No such file or directory",
        "partsum: folder: Is a directory",
        "partsum: gone: No such file or directory",
        "partsum: WARNING: 3 listed files could not be read",
        "partsum: WARNING: 1 computed checksum did NOT match",
    ]


@posix_only
def test_verdicts_come_in_the_order_of_the_lines(tmp_path: Path) -> None:
    writers = [_served_once(tmp_path / name, name.encode()) for name in "ab"]
    lines = [
        f"SHA256 (a) = {sha256(b'a')}",
        f"SHA256 (b) = {sha256(b'wrong')}",
        f"MD5 (a) = {hashlib.md5(b'wrong').hexdigest()}",
        f"{hashlib.sha1(b'b').hexdigest()}  b",
        f"SHA256 (a) = {sha256(b'a')}",
    ]
    done = run("sum", "-c", stdin="\n".join(lines).encode(), cwd=tmp_path)
    assert done.stdout == b"a: OK\nb: FAILED\na: FAILED\nb: OK\na: OK\n"
    for writer in writers:
        writer.join()


@posix_only
def test_a_file_too_large_for_one_put_object(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate((5 << 30) + 1)
    sums = partsum.hash_file(tmp_path / "sparse", ["CRC32C"], part_size="1GiB")
    whole = base64.b64decode(sums.full_object("CRC32C")).hex()
    lines = f"CRC32C (sparse) = {whole}\nCRC32C (sparse) = {sums.composite('CRC32C')}\n"
    done = ok("sum", "-c", "--part-size", "1GiB", stdin=lines.encode(), cwd=tmp_path)
    assert done == b"sparse: OK\n" * 2


def test_standard_input_is_checked(files: Path) -> None:
    (files / "list").write_bytes(GOOD.replace(b"  a", b"  -"))
    assert ok("sum", "-c", "list", stdin=b"a", cwd=files) == b"-: OK\nb: OK\n"
    tagged = f"SHA256 (-) = {sha256(b'a')}\nMD5 (-) = {hashlib.md5(b'a').hexdigest()}\n"
    (files / "list").write_text(tagged)
    assert ok("sum", "-c", "list", stdin=b"a", cwd=files) == b"-: OK\n-: OK\n"


# --- JSON --------------------------------------------------------------------------------------


def test_json_of_verdicts(files: Path) -> None:
    (files / "list").write_bytes(BAD + GONE[:70] + b"\n" + FOLDER[:72] + b"\njunk\n")
    done = run("sum", "-c", "--json", "list", cwd=files)
    assert done.returncode == 1
    assert b"WARNING: 1 line is improperly formatted" in done.stderr

    def entry(
        line: int, path: str, status: str, of: bytes = b"a", **more: str
    ) -> dict[str, object]:
        return {
            "check_file": "list", "line": line, "path": path, "algorithm": "SHA256",
            "expected": sha256(of), "status": status, **more,
        }  # fmt: skip

    want = [
        entry(1, "a", "FAILED", computed=sha256(b"a")) | {"expected": "0" * 64},
        entry(2, "b", "OK", b"b"),
        entry(3, "gone", "MISSING", error="No such file or directory"),
        entry(4, "folder", "UNREADABLE", error="Is a directory"),
        {"check_file": "list", "line": 5, "status": "IMPROPER"},
    ]
    assert json.loads(done.stdout) == {"checks": want}
    quiet = run("sum", "-c", "--json", "--quiet", "list", cwd=files)
    assert json.loads(quiet.stdout) == {"checks": [want[0], *want[2:]]}
    silent = run("sum", "-c", "--json", "--status", "list", cwd=files)
    assert (silent.returncode, silent.stdout) == (1, b"")


def test_json_shows_values_as_the_line_does(objects: Path) -> None:
    etag = ok("etag", "three", cwd=objects).split()[0].decode()
    value = ok("sum", "-a", "md5", "--part-size", "boto3", "three", cwd=objects).split()[0].decode()
    lines = f"{etag}  three\n{value}  three\n{'0' * 32}-3  three\n{b64(bytes(16))}-3  three\n"
    done = run("sum", "-c", "--json", stdin=lines.encode(), cwd=objects)
    checks = json.loads(done.stdout)["checks"]
    assert [entry["status"] for entry in checks] == ["OK", "OK", "FAILED", "FAILED"]
    assert [entry["expected"] for entry in checks] == [
        line.split()[0] for line in lines.splitlines()
    ]
    assert [entry.get("computed") for entry in checks] == [None, None, etag, value]
    done = run("sum", "-c", "--json", "--part-size", "none", stdin=lines.encode(), cwd=objects)
    assert {entry["computed"] for entry in json.loads(done.stdout)["checks"]} == {None}


# --- options -----------------------------------------------------------------------------------


@same_coreutils
@pytest.mark.parametrize(
    "flags",
    [["-z"], ["--zero"], ["-z", "--tag"], ["-zb"], ["-b"], ["--binary"], ["-t"], ["--text"],
     ["-bt"], ["-tb"], ["--tag", "-b"]],
    ids=" ".join,
)  # fmt: skip
def test_layouts(flags: list[str], odd_files: list[bytes], tmp_path: Path) -> None:
    for tool in ("md5sum", "sha512sum"):
        assert_same(*flags, "--", *odd_files, cwd=tmp_path, tool=tool)


def test_no_names(files: Path) -> None:
    want = f"{sha256(b'a')}\n{sha256(b'b')}\n"
    assert ok("sum", "--no-names", "a", "b", cwd=files).decode() == want
    both = f"{sha256(b'a')}\n{hashlib.md5(b'a').hexdigest()}\n"
    assert ok("sum", "-a", "sha256", "-a", "md5", "--no-names", "a", cwd=files).decode() == both
    assert ok("sum", "--no-names", "-z", "a", cwd=files) == want[:64].encode() + b"\0"


def test_raw(files: Path) -> None:
    want = hashlib.sha256(b"a").digest()
    assert ok("sum", "--raw", "a", cwd=files) == want
    assert ok("sum", "--raw", stdin=b"a") == want
    done = run("sum", "--raw", "gone", cwd=files)
    assert (done.returncode, done.stdout) == (1, b"")


def test_ways_of_reading_change_nothing(objects: Path) -> None:
    want = ok("sum", *NAMES, cwd=objects)
    for flags in (["--no-mmap"], ["--threads", "1"], ["--num-threads", "2"]):
        assert ok("sum", *flags, *NAMES, cwd=objects) == want
        assert ok("sum", *flags, "-c", stdin=want, cwd=objects).count(b": OK\n") == 3


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-c", "--tag"], "the --tag option is meaningless when verifying checksums"),
        (["-c", "-z"], "the --zero option is not supported when verifying checksums"),
        (["-c", "-b"], "the --binary and --text options are meaningless when verifying checksums"),
        (["-c", "-t"], "the --binary and --text options are meaningless when verifying checksums"),
        (["--quiet"], "the --quiet option is meaningful only when verifying checksums"),
        (["--status"], "the --status option is meaningful only when verifying checksums"),
        (["-w"], "the --warn option is meaningful only when verifying checksums"),
        (["--strict"], "the --strict option is meaningful only when verifying checksums"),
        (
            ["--ignore-missing"],
            "the --ignore-missing option is meaningful only when verifying checksums",
        ),
        (["--tag", "-t"], "--tag does not support --text mode"),
    ],
)
def test_options_that_the_coreutils_refuse(flags: list[str], words: str, files: Path) -> None:
    (files / "list").write_bytes(GOOD)
    done = run("sum", *flags, "list", cwd=files)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"partsum: {words} (see 'partsum sum --help')\n"
    if _version():
        theirs = subprocess.run(
            ["sha256sum", *flags, "list"],
            capture_output=True,
            check=False,
            cwd=files,
            env={**os.environ, **ENGLISH},
        )
        assert theirs.stderr.decode().splitlines()[0] == f"sha256sum: {words}"


@pytest.mark.parametrize(
    "flags",
    [
        ["-c", "--no-names"],
        ["-c", "--raw"],
        ["--raw", "--json"],
        ["--raw", "-a", "md5", "-a", "sha1"],
        ["--raw", "a"],
    ],
)
def test_other_options_that_do_not_go_together(flags: list[str], files: Path) -> None:
    done = run("sum", *flags, "b", cwd=files)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert re.search(rb"--(raw|no-names)", done.stderr)


def test_help_names_every_option() -> None:
    text = ok("sum", "--help").decode()
    for option in (
        "-a, --algorithm", "-c, --check", "-b, --binary", "-t, --text", "-z, --zero", "-w, --warn",
        "--quiet", "--status", "--strict", "--ignore-missing", "--tag", "--base64", "--no-names",
        "--raw", "--no-mmap", "--num-threads", "--part-size", "--json", "sha256sum -c",
    ):  # fmt: skip
        assert option in text


# --- terminals and pipes -----------------------------------------------------------------------


def test_a_long_check_on_a_terminal_has_a_bar(
    on_terminal: Callable[..., tuple[bytes, bytes]], slow_file: Path
) -> None:
    listing = slow_file.with_name("list")
    listing.write_bytes(ok("sum", "-a", "sha512", "--tag", slow_file))
    out, terminal = on_terminal("sum", "-c", listing)
    assert out == os.fsencode(slow_file) + b": OK\n"
    assert b"%  [" in terminal
    assert terminal.endswith(b"\r\x1b[K")
    assert run("sum", "-c", listing).stderr == b""
    small = slow_file.with_name("small")
    small.write_bytes(b"a")
    listing.write_bytes(ok("sum", small))
    assert on_terminal("sum", "-c", listing)[1] == b""
