"""The command line against the coreutils, hashlib and Amazon's own answers, in real processes."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from base64 import b64decode
from pathlib import Path

import partsum
import pytest
from partsum import errors
from partsum.cli import VERBS, terminal
from shell import (
    COREUTILS,
    MIB,
    b64,
    coreutils,
    multipart_etag,
    needs_coreutils,
    ok,
    ok_json,
    pattern,
    posix_only,
    run,
)

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "aws_multipart.json").read_text(encoding="ascii")
)


@pytest.fixture(scope="module")
def aws_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The object that Amazon S3's answers were recorded for."""
    path = tmp_path_factory.mktemp("aws") / "object"
    parts = VECTORS["input"]["parts"]
    path.write_bytes(b"".join(part["repeat"].encode() * part["count"] for part in parts))
    return path


AWS_PART = str(VECTORS["input"]["parts"][0]["count"])


# --- sum: the lines of the coreutils -----------------------------------------------------------


@needs_coreutils
@pytest.mark.parametrize("alg", COREUTILS)
def test_sum_prints_what_coreutils_print(alg: str, odd_files: list[bytes], tmp_path: Path) -> None:
    want = coreutils(COREUTILS[alg], "--", *odd_files, cwd=tmp_path)
    assert want.count(b"\n") == len(odd_files)
    assert ok("sum", "-a", alg.lower(), "--", *odd_files, cwd=tmp_path) == want


@needs_coreutils
@pytest.mark.parametrize("alg", COREUTILS)
def test_tagged_lines_are_those_of_coreutils(
    alg: str, odd_files: list[bytes], tmp_path: Path
) -> None:
    want = coreutils(COREUTILS[alg], "--tag", "--", *odd_files, cwd=tmp_path)
    assert ok("sum", "--tag", "-a", alg, "--", *odd_files, cwd=tmp_path) == want


@needs_coreutils
def test_coreutils_check_our_lines(odd_files: list[bytes], tmp_path: Path) -> None:
    lines = ok("sum", "-a", "sha256", "--", *odd_files, cwd=tmp_path)
    tagged = ok("sum", "-a", "sha256", "--tag", "--", *odd_files, cwd=tmp_path)
    for listing in (lines, tagged):
        checked = coreutils("sha256sum", "--check", "--strict", "-", stdin=listing, cwd=tmp_path)
        assert checked.count(b": OK\n") == len(odd_files)


def test_sum_without_algorithm_is_sha256(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"hello")
    want = f"{hashlib.sha256(b'hello').hexdigest()}  {path}\n"
    assert ok("sum", path).decode() == want


def test_several_algorithms_are_tagged_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    out = ok("sum", "-a", "sha1", "-a", "MD5", "-a", "Sha1", "a", "b", cwd=tmp_path).decode()
    assert out.splitlines() == [
        f"{name.upper()} ({file}) = {hashlib.new(name, data).hexdigest()}"
        for file, data in (("a", b"1"), ("b", b"2"))
        for name in ("sha1", "md5")
    ]


@pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 8 * MIB, 9 * MIB + 13])
def test_sum_hashes_the_whole_file_whatever_its_size(size: int, tmp_path: Path) -> None:
    data = pattern(size)
    (tmp_path / "f").write_bytes(data)
    algs = ["-a", "md5", "-a", "sha256", "-a", "crc32"]
    assert ok("sum", *algs, "f", cwd=tmp_path).decode().splitlines() == [
        f"MD5 (f) = {hashlib.md5(data).hexdigest()}",
        f"SHA256 (f) = {hashlib.sha256(data).hexdigest()}",
        f"CRC32 (f) = {zlib.crc32(data):08x}",
    ]


@pytest.mark.parametrize(
    ("alg", "value"),
    [
        ("CRC32", "cbf43926"),
        ("CRC32C", "e3069283"),
        ("CRC64NVME", "ae8b14860a799888"),
        ("XXHASH64", "8cb841db40e6ae83"),
    ],
)
def test_sum_of_the_check_string(alg: str, value: str) -> None:
    assert ok("sum", "-a", alg, stdin=b"123456789").decode() == f"{value}  -\n"


def test_every_algorithm_is_accepted() -> None:
    flags = [word for alg in partsum.ALGORITHMS for word in ("-a", alg.lower())]
    out = ok("sum", *flags, stdin=b"hello world").decode().splitlines()
    assert [line.split(" ")[0] for line in out] == list(partsum.ALGORITHMS)


@pytest.mark.parametrize("name", ["sha256", "SHA256", "sha-256", "SHA_256", "Sha-2-56"])
def test_algorithms_as_people_write_them(name: str) -> None:
    lines = ok("sum", "-a", name, "-", stdin=b"123456789")
    assert lines == ok("sum", "-a", "SHA256", "-", stdin=b"123456789")


def test_base64_is_what_s3_shows(aws_file: Path) -> None:
    for alg, known in VECTORS["checksums"].items():
        out = ok("sum", "--base64", "-a", alg, aws_file).decode()
        if known["full_object"]:
            assert out == f"{known['full_object']}  {aws_file}\n"


def test_part_size_gives_the_checksum_of_the_object(aws_file: Path) -> None:
    for alg, known in VECTORS["checksums"].items():
        out = ok("sum", "-a", alg, "--part-size", AWS_PART, aws_file).decode()
        assert out == f"{known['composite'] or known['full_object']}  {aws_file}\n"


def test_presets_that_plan_by_the_size_take_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    want = hashlib.md5(b"").hexdigest()
    assert ok("etag", "--part-size", "rclone", "f", cwd=tmp_path).decode() == f"{want}  f\n"


def test_part_size_none_is_one_put_object(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 9 * MIB)
    want = b64(hashlib.sha256(b"x" * 9 * MIB).digest())
    assert ok("sum", "--part-size", "none", "f", cwd=tmp_path).decode() == f"{want}  f\n"


@needs_coreutils
@pytest.mark.parametrize("names", [[], ["-"], ["-", "f"], ["f", "-", "-"]])
def test_sum_reads_standard_input(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"file")
    data = pattern(3 * MIB + 5)
    want = coreutils("sha256sum", *names, stdin=data, cwd=tmp_path)
    assert ok("sum", "-a", "sha256", *names, stdin=data, cwd=tmp_path) == want


@needs_coreutils
@posix_only
def test_sum_reads_what_is_not_a_regular_file(tmp_path: Path) -> None:
    names = [name for name in ("/dev/null", "/proc/version") if Path(name).exists()]
    assert ok("sum", "-a", "md5", *names) == coreutils("md5sum", *names)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    data = pattern(5 * MIB)
    writer = threading.Thread(target=fifo.write_bytes, args=(data,))
    writer.start()
    out = ok("sum", "-a", "md5", fifo).decode()
    writer.join()
    assert out == f"{hashlib.md5(data).hexdigest()}  {fifo}\n"


@posix_only
def test_a_file_too_large_for_one_put_object_still_has_a_sum(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate((5 << 30) + 1)
    (tmp_path / "small").write_bytes(b"123456789")
    first, out = ok("sum", "-a", "crc64nvme", "small", "sparse", cwd=tmp_path).decode().splitlines()
    assert first == "ae8b14860a799888  small"
    parts = partsum.hash_file(tmp_path / "sparse", ["CRC64NVME"], part_size="1GiB")
    assert out.split()[0] == b64decode(parts.full_object("CRC64NVME")).hex()
    refused = run("etag", "--part-size", "none", "sparse", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"partsum: sparse: " in refused.stderr


@posix_only
def test_names_keep_their_bytes_in_the_c_locale(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xc3\xa9\xff")).write_bytes(b"")
    done = run("etag", b"caf\xc3\xa9\xff", cwd=tmp_path, env={"LC_ALL": "C"})
    assert done.stdout == hashlib.md5().hexdigest().encode() + b"  caf\xc3\xa9\xff\n"
    missing = run("etag", b"gone\xff", cwd=tmp_path, env={"LC_ALL": "C"})
    assert missing.stderr == b"partsum: gone\xff: No such file or directory\n"


# --- files that fail ---------------------------------------------------------------------------


@needs_coreutils
def test_an_unreadable_file_is_one_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "z").write_bytes(b"z")
    (tmp_path / "dir").mkdir()
    names = ["a", "missing", "dir", "z"]
    done = run("sum", "-a", "md5", *names, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == coreutils("md5sum", *names, cwd=tmp_path)
    assert done.stderr.decode().splitlines() == [
        "partsum: missing: No such file or directory",
        "partsum: dir: Is a directory",
    ]


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "secret").chmod(0)
    done = run("etag", "secret", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"partsum: secret: Permission denied\n")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc")
def test_a_file_that_fails_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    done = run("sum", "-a", "md5", "/proc/self/mem", "a", cwd=tmp_path)
    assert done.stderr == b"partsum: /proc/self/mem: Input/output error\n"
    assert done.stdout == f"{hashlib.md5(b'a').hexdigest()}  a\n".encode()
    assert done.returncode == 1


def test_an_error_line_stays_one_line() -> None:
    done = run("etag", "no\nsuch\x1b[31mfile")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"partsum: no\\nsuch\\x1b[31mfile: No such file or directory\n"


@pytest.mark.parametrize("verb", ["sum", "etag"])
def test_json_has_the_failures_too(verb: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    done = run(verb, "--json", "missing", "a", cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    missing, good = json.loads(done.stdout)["files"]
    assert missing == {"path": "missing", "error": "No such file or directory"}
    assert good["path"] == "a"


def test_parts_of_a_missing_file() -> None:
    for flags in ([], ["--format", "s3api"]):
        done = run("parts", *flags, "missing")
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == b"partsum: missing: No such file or directory\n"
    done = run("parts", "--json", "missing")
    assert json.loads(done.stdout) == {"path": "missing", "error": "No such file or directory"}
    assert done.returncode == 1


# --- etag --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "multipart"), [(0, False), (8 * MIB - 1, False), (8 * MIB, True), (17 * MIB, True)]
)
def test_etag_by_default_is_boto3s(size: int, multipart: bool, tmp_path: Path) -> None:
    data = pattern(size)
    (tmp_path / "f").write_bytes(data)
    want = multipart_etag(data, 8 * MIB) if multipart else hashlib.md5(data).hexdigest()
    assert ok("etag", "f", cwd=tmp_path).decode() == f"{want}  f\n"
    assert ok("etag", stdin=data).decode() == f"{want}  -\n"


def test_etag_with_part_sizes(aws_file: Path) -> None:
    name = str(aws_file)
    assert ok("etag", "--part-size", AWS_PART, name).decode() == f"{VECTORS['etag']}  {name}\n"
    put = VECTORS["single_put_etag"]
    assert ok("etag", "--part-size", "none", name).decode() == f"{put}  {name}\n"
    assert ok("etag", "--part-size", "rclone", name).decode() == f"{put}  {name}\n"
    six = multipart_etag(aws_file.read_bytes(), 6 * MIB)
    for size in ("6MiB", "6 MiB", str(6 * MIB)):
        assert ok("etag", "--part-size", size, name).decode() == f"{six}  {name}\n"


def test_decimal_sizes_are_decimal_and_say_so(aws_file: Path) -> None:
    done = run("etag", "--part-size", "6MB", aws_file)
    assert done.stdout.decode().split()[0] == multipart_etag(aws_file.read_bytes(), 6_000_000)
    assert done.stderr == (
        b"partsum: note: 6MB counts in powers of 1000; the AWS CLI takes it as 6MiB\n"
    )
    assert done.returncode == 0


def test_small_parts_need_the_flag(tmp_path: Path) -> None:
    data = pattern(2 * MIB + 1)
    (tmp_path / "f").write_bytes(data)
    done = run("etag", "--part-size", "1MiB", "f", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"partsum: f: " in done.stderr
    assert b"--allow-small-parts" in done.stderr
    flags = ("--part-size", "1MiB", "--allow-small-parts")
    want = multipart_etag(data, MIB)
    assert ok("etag", *flags, "f", cwd=tmp_path).decode() == f"{want}  f\n"
    assert ok("etag", *flags, stdin=data).decode() == f"{want}  -\n"


@needs_coreutils
def test_etag_escapes_names_as_coreutils_do(odd_files: list[bytes], tmp_path: Path) -> None:
    want = coreutils("md5sum", "--", *odd_files, cwd=tmp_path)  # small files: one PutObject each
    assert ok("etag", "--", *odd_files, cwd=tmp_path) == want


def test_threads_change_nothing(aws_file: Path) -> None:
    one = ok("parts", "--threads", "1", "-a", "sha1", aws_file)
    assert ok("parts", "--threads", "3", "-a", "sha1", aws_file) == one


# --- parts -------------------------------------------------------------------------------------


def test_parts_json_is_what_s3_answered(aws_file: Path) -> None:
    known = VECTORS["checksums"]
    flags = [word for alg in known for word in ("-a", alg)]
    document = ok_json("parts", "--json", *flags, "--part-size", AWS_PART, aws_file)
    sizes = [part["count"] for part in VECTORS["input"]["parts"]]
    assert list(document) == [
        "path", "size", "multipart", "part_count", "etag", "checksums", "parts",
    ]  # fmt: skip
    assert document["path"] == str(aws_file)
    assert (document["size"], document["multipart"], document["part_count"]) == (
        sum(sizes),
        True,
        3,
    )
    assert document["etag"] == VECTORS["etag"]
    assert [part["number"] for part in document["parts"]] == [1, 2, 3]
    assert [part["offset"] for part in document["parts"]] == [0, sizes[0], sizes[0] + sizes[1]]
    assert [part["size"] for part in document["parts"]] == sizes
    assert [part["etag"] for part in document["parts"]] == VECTORS["part_etags"]
    for alg, values in known.items():
        assert document["checksums"][alg].get("COMPOSITE") == values["composite"]
        assert document["checksums"][alg].get("FULL_OBJECT") == values["full_object"]
        assert [part["checksums"][alg] for part in document["parts"]] == values["parts"]
    assert (
        ok_json("parts", "--format", "json", *flags, "--part-size", AWS_PART, aws_file) == document
    )


def test_parts_table(aws_file: Path) -> None:
    known = VECTORS["checksums"]["CRC32"]
    out = ok("parts", "-a", "crc32", "--part-size", AWS_PART, aws_file).decode()
    table, _, below = out.partition("\n\n")
    header, *rows = table.splitlines()
    assert header.split() == ["PART", "OFFSET", "SIZE", "ETAG", "CRC32"]
    assert len({len(line) for line in rows}) == 1
    part = int(AWS_PART)
    assert [row.split() for row in rows] == [
        [str(n), str(offset), str(size), md5, crc]
        for n, offset, size, md5, crc in zip(
            (1, 2, 3),
            (0, part, 2 * part),
            (part, part, 10),
            VECTORS["part_etags"],
            known["parts"],
            strict=True,
        )
    ]
    assert [line.split() for line in below.splitlines()] == [
        ["size", str(2 * part + 10), "bytes,", "3", "parts"],
        ["ETag", VECTORS["etag"]],
        ["CRC32", "COMPOSITE", known["composite"]],
        ["CRC32", "FULL_OBJECT", known["full_object"]],
    ]


def test_parts_of_one_put_object(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"hello world")
    document = ok_json("parts", "--json", "-a", "sha1", "f", cwd=tmp_path)
    assert (document["multipart"], document["part_count"]) == (False, 1)
    assert document["etag"] == hashlib.md5(b"hello world").hexdigest()
    assert document["checksums"] == {"SHA1": {"FULL_OBJECT": "Kq5sNclPz7QV2+lfQIuc6R7oRu0="}}
    assert b"11 bytes, one PutObject" in ok("parts", "f", cwd=tmp_path)
    assert ok_json("parts", "--json", "-a", "sha1", "-", stdin=b"hello world") == {
        **document,
        "path": "-",
    }


@pytest.mark.parametrize("alg", ["CRC32", "SHA256", "MD5", None])
def test_s3api_is_what_the_aws_cli_reads(alg: str | None, aws_file: Path) -> None:
    flags = ["-a", alg.lower()] if alg else []
    document = ok_json("parts", "--format", "s3api", *flags, "--part-size", AWS_PART, aws_file)
    want = []
    for number, md5 in enumerate(VECTORS["part_etags"], start=1):
        entry = {"ETag": f'"{md5}"', "PartNumber": number}
        if alg:
            entry[f"Checksum{alg}"] = VECTORS["checksums"][alg]["parts"][number - 1]
        want.append(entry)
    assert document == {"Parts": want}


def test_s3api_refuses_what_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"small")
    done = run("parts", "--format", "s3api", "f", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"partsum: f: " in done.stderr
    assert b"--part-size" in done.stderr
    [part] = ok_json("parts", "--format", "s3api", "--part-size", "8MiB", "f", cwd=tmp_path)[
        "Parts"
    ]
    assert part == {"ETag": f'"{hashlib.md5(b"small").hexdigest()}"', "PartNumber": 1}


def test_checksum_type_narrows_the_object_lines(aws_file: Path) -> None:
    flags = ("parts", "--json", "-a", "crc32", "--part-size", AWS_PART, aws_file)
    known = VECTORS["checksums"]["CRC32"]
    for kind, key in (("COMPOSITE", "composite"), ("full_object", "full_object")):
        document = ok_json(*flags, "--checksum-type", kind)
        assert document["checksums"] == {"CRC32": {kind.upper(): known[key]}}


def test_a_checksum_type_that_s3_does_not_have(aws_file: Path) -> None:
    for kind, alg in (("FULL_OBJECT", "sha256"), ("COMPOSITE", "crc64nvme")):
        for layout in ("table", "json", "s3api"):
            flags = ("-a", alg, "--checksum-type", kind, "--format", layout)
            done = run("parts", *flags, "--part-size", AWS_PART, aws_file)
            assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
            assert f"The {kind} checksum type cannot be used with the {alg}".encode() in done.stderr
    put = ("-a", "sha256", "--checksum-type", "FULL_OBJECT", "--part-size", "none")
    document = ok_json("parts", "--json", *put, aws_file)
    want = b64(hashlib.sha256(aws_file.read_bytes()).digest())
    assert document["checksums"] == {"SHA256": {"FULL_OBJECT": want}}


# --- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["sum", "-a", "sha3", "f"], ["'sha3'", "'sha256'", "sum --help"]),
        (["sum", "--nope", "f"], ["--nope", "sum --help"]),
        (["sum", "--part-size", "8XB", "f"], ["--part-size", "8xb", "mib", "rclone"]),
        (["etag", "--part-size", "0", "f"], ["--part-size"]),
        (["etag", "--part-size", "-5", "f"], ["--part-size"]),
        (["etag", "--part-size", "", "f"], ["--part-size"]),
        (["etag", "--threads", "0", "f"], ["--threads"]),
        (["parts"], ["file", "parts --help"]),
        (["parts", "--format", "xml", "f"], ["--format", "s3api"]),
        (["parts", "--format", "s3api", "-a", "md5", "-a", "sha1", "f"], ["one -a"]),
        (["parts", "--format", "s3api", "--json", "f"], ["--json"]),
        (["parts", "--format", "s3api", "--checksum-type", "COMPOSITE", "f"], ["-a"]),
        (["doctor", "f"], ["doctor --help"]),
        (["frobnicate"], ["frobnicate", "partsum --help"]),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    args: list[str], words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"x")
    done = run(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("partsum: ")
    assert all(word in line.lower() for word in words), line


def test_every_hint_of_the_library_has_words_here() -> None:
    """But for those about arguments that no verb gives."""
    unused = {"PASS_RESPONSES", "USE_CACHED_READS"}
    assert errors._WORDS.keys() - terminal._HINTS.keys() == unused


@posix_only
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["etag", "--part-size", "1MiB", "f"], "; give --allow-small-parts for a store"),
        (["etag", "--part-size", "rclone"], "; give --part-size BYTES"),
        (["etag", "--part-size", "none", "huge"], "; give --part-size BYTES"),
        (["parts", "--format", "s3api", "f"], "; give --part-size BYTES"),
        (["solve", "fifo", "0" * 32], "; save it to a file first"),
        (["solve", "f", "xx"], "f: ETAG: "),
        (["etag", "--part-size", "8XB", "f"], "Invalid value for '--part-size': \"8XB\""),
    ],
)
def test_advice_names_options_and_not_keywords(args: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(2 * MIB + 1))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate((5 << 30) + 1)
    os.mkfifo(tmp_path / "fifo")
    done = run(*args, cwd=tmp_path, stdin=b"input")
    assert done.returncode in {1, 2}
    [line] = done.stderr.decode().splitlines()
    assert says in line
    assert not re.search("allow_small|part_size|hash_|[a-z]=", line)


def test_no_verb_prints_the_help() -> None:
    done = run()
    assert done.returncode in {0, 2}  # 0 before click 8.2
    assert b"Usage: partsum" in done.stdout + done.stderr


def test_version() -> None:
    assert ok("--version").decode() == f"partsum {partsum.__version__}\n"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "completion"])
def test_help_has_examples(verb: str) -> None:
    text = ok(verb, "--help").decode()
    assert text.startswith(f"Usage: partsum {verb} ")
    assert f"\n    partsum {verb}" in text.partition("Examples:")[2]
    assert "--json" in text
    assert all(len(line) <= 80 for line in text.splitlines() if "file://" not in line)
    assert f"  {verb} " in ok("-h").decode()


def test_verbs_are_imported_when_they_are_called() -> None:
    code = (
        "import sys, partsum.cli; "
        "print(sorted(m for m in sys.modules if m.startswith('partsum.cli.') or m == 'json'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "['partsum.cli.terminal']"


# --- doctor ------------------------------------------------------------------------------------


def test_doctor_json() -> None:
    report = ok_json("doctor", "--json")
    assert report["version"] == partsum.__version__
    assert report["python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert report["isa"] in report["isas_available"]
    assert report["threads"] >= 1
    assert set(report["lanes"]) <= set(partsum.ALGORITHMS)
    assert {"boto3", "awscrt"} <= set(report["packages"])
    assert {"platform", "machine", "cpu_features", "isa_override", "debug_build"} <= set(report)


def test_doctor_in_words() -> None:
    report = ok_json("doctor", "--json")
    lines = dict(line.split("  ", 1) for line in ok("doctor").decode().splitlines() if "  " in line)
    assert lines["version"].strip() == report["version"]
    assert lines["isa"].strip() == report["isa"]


def test_doctor_sees_the_override() -> None:
    isa = ok_json("doctor", "--json")["isas_available"][0]
    done = run("doctor", "--json", env={"PARTSUM_ISA": isa})
    report = json.loads(done.stdout)
    assert (report["isa_override"], report["isa"]) == (isa, isa)


# --- pipes, terminals, signals -----------------------------------------------------------------


@posix_only
def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    for index in range(50):
        (tmp_path / f"{index:050}").write_bytes(b"")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "partsum", "etag", *(path.name for path in tmp_path.iterdir())],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        cwd=tmp_path,
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode != 0


@posix_only
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("verb", ["etag", "doctor"])
def test_a_full_disk_is_one_line(verb: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "partsum", verb],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b"partsum: write error: No space left on device\n"
    assert done.returncode == 1


@posix_only
@pytest.mark.parametrize(
    ("closed", "line"),
    [
        ("<&-", b"partsum: -: Bad file descriptor\n"),
        (">&-", b"partsum: write error: Bad file descriptor\n"),
    ],
)
def test_closed_standard_streams(closed: str, line: bytes) -> None:
    command = f'"$0" -m partsum etag {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", line)


@posix_only
def test_control_c_is_status_130() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "partsum", "sum"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    for _ in range(40):  # more than a pipe holds: the last write returns when it is reading
        process.stdin.write(bytes(64 << 10))
    process.stdin.flush()
    time.sleep(0.5)  # until it waits for more
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    out, err = process.communicate()
    assert (out, err.strip()) == (b"", b"")
