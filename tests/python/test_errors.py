"""What goes wrong, and the exception that says so: file trouble stays OSError."""

import array
import errno
import io
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oracle
import partsum
import pytest

MIB = oracle.MIB


def run(code: str, *arguments: Any, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """A program of its own: for what could hang, crash or change privileges."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def hash_one_plan(path: Any, *args: Any, **more: Any) -> Any:
    return partsum.hash_plans(path, ["8MiB"], *args, **more)


READERS: dict[str, Callable[..., Any]] = {
    "hash_file": partsum.hash_file,
    "hash_plans": hash_one_plan,
}
each_reader = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
each_io = pytest.mark.parametrize("io", ["auto", "mmap", "read", "direct"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_bytes(oracle.byte_cycle(10_000))
    return path


# --- the hierarchy -------------------------------------------------------------------------------


def test_hierarchy() -> None:
    assert issubclass(partsum.PartsumError, Exception)
    for name, base in {
        "InvalidArgument": ValueError,
        "PartPlanError": ValueError,
        "NotSupportedByS3": ValueError,
        "MissingChecksum": LookupError,
        "PartMismatch": partsum.PartsumError,
        "FileChangedError": OSError,
    }.items():
        error = getattr(partsum, name)
        assert issubclass(error, partsum.PartsumError)
        assert issubclass(error, base)
        assert error.__module__.partition(".")[0] == "partsum"
        assert error.__doc__


# --- errors as data ------------------------------------------------------------------------------


def parts_of(*algorithms: str) -> partsum.ObjectChecksums:
    return partsum.hash_bytes(b"aaa", algorithms, part_size="8MiB")


HINTS: dict[str, tuple[Callable[[], Any], str | None, str, str, str]] = {
    "missing algorithm": (
        lambda: parts_of("SHA1").etag, None, "ADD_ALGORITHM", "MD5", 'add "MD5" to algorithms'
    ),
    "small parts": (
        lambda: partsum.plan_parts(10, 5), "part_size", "ALLOW_SMALL_PARTS", "",
        "pass allow_small_parts=True"
    ),
    "too many parts": (
        lambda: partsum.plan_parts(100_000 * MIB, "5MiB"), "part_size", "ENLARGE_PARTS", "10485760",
        "use a part_size of at least 10485760 bytes"
    ),
    "too large for PutObject": (
        lambda: partsum.plan_parts(6 * 2**30, None), "part_size", "GIVE_PART_SIZE", "",
        "hash with part_size=<bytes>"
    ),
    "no parts": (
        lambda: partsum.hash_bytes(b"", "SHA1").multipart_upload(), None, "GIVE_PART_SIZE", "",
        "hash with part_size=<bytes>"
    ),
    "only whole": (
        lambda: partsum.hash_bytes(
            bytes(10), "SHA1", part_size=5, allow_small_parts=True
        ).put_object_args(),
        None, "HASH_AS_PUT_OBJECT", "", "hash with part_size=None"
    ),
    "several algorithms": (
        lambda: parts_of("SHA1", "CRC32").multipart_upload(), "algorithm", "NAME_ALGORITHM", "",
        "name the algorithm"
    ),
    "type without algorithm": (
        lambda: parts_of("MD5").multipart_upload(None, "COMPOSITE"), None, "NAME_ALGORITHM", "",
        "name the algorithm"
    ),
    "preset needs the size": (
        lambda: partsum.MultipartHasher("MD5", "rclone"), "part_size", "GIVE_PART_SIZE", "",
        "hash with part_size=<bytes>"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HINTS.values(), ids=HINTS)
def test_hints(case: tuple[Callable[[], Any], str | None, str, str, str]) -> None:
    call, argument, name, value, words = case
    with pytest.raises(partsum.PartsumError) as found:
        call()
    error = found.value
    assert error.argument == argument
    assert error.hint == partsum.Hint(name, value)
    assert words in str(error.hint)
    assert words not in error.problem
    named = f"{argument}: " if argument else ""
    assert str(error) == f"{named}{error.problem}; {error.hint}"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.hint) == (str(error), error.hint)


WRONG_VALUES: dict[str, Callable[[], Any]] = {
    'part_size: "8XB" is not a size': lambda: partsum.plan_parts(1, "8XB"),
    "part_size: 0 is out of range": lambda: partsum.plan_parts(1, 0),
    "size: -1 is out of range": lambda: partsum.plan_parts(-1),
    'algorithm: "SHA3" is not one of CRC32,': lambda: partsum.new("SHA3"),
    'algorithms: "SHA3" is not one of CRC32,': lambda: partsum.hash_bytes(b"", "SHA3"),
    "algorithms: no algorithm is given": lambda: partsum.hash_bytes(b"", ()),
    'checksum_type: "WHOLE" is neither COMPOSITE nor FULL_OBJECT': lambda: parts_of("MD5").checksum(
        "MD5", "WHOLE"
    ),
    "threads: must be at least 1, not 0": lambda: partsum.hash_bytes(b"", threads=0),
    'io: "readahead" is not one of "auto", "mmap", "read", "direct"': lambda: hash_one_plan(
        "/", io="readahead"
    ),
    "plans: no part plan is given": lambda: partsum.hash_plans("/dev/null", []),
    "number: there is no part 2": lambda: parts_of("MD5").upload_part_args(2),
    "data: not an ObjectChecksums": lambda: partsum.ObjectChecksums.from_dict({}),
}


@pytest.mark.parametrize("text", WRONG_VALUES)
def test_wrong_values_name_their_argument(text: str) -> None:
    with pytest.raises(ValueError) as found:
        WRONG_VALUES[text]()
    assert str(found.value).startswith(text)
    assert isinstance(found.value, partsum.PartsumError)
    assert found.value.argument == text.partition(":")[0]


nothing: Any = None
text: Any = "text"
WRONG_TYPES: dict[str, Callable[[], Any]] = {
    "path: must be a str or os.PathLike, not NoneType": lambda: partsum.hash_file(nothing),
    "path: must be a str or os.PathLike, not bytes": lambda: partsum.hash_file(b"x"),  # type: ignore[arg-type]
    "paths: must be an iterable of paths, not str": lambda: partsum.hash_files("x"),
    "paths: must be a str or os.PathLike, not int": lambda: list(
        partsum.hash_files([5])  # type: ignore[list-item]
    ),
    "plans: must be an iterable of part sizes, not str": lambda: partsum.hash_plans("x", "8MiB"),
    "buffer: must be bytes-like, not str": lambda: partsum.hash_bytes(text),
    "data: must be bytes-like, not str": lambda: partsum.new("MD5", text),
    "algorithm: must be a str, not NoneType": lambda: partsum.new(nothing),
    "algorithms: must be a str or an iterable of str, not NoneType": lambda: partsum.hash_bytes(
        b"", nothing
    ),
    "algorithms: must be a str, not int": lambda: partsum.hash_bytes(b"", [5]),  # type: ignore[list-item]
    "checksum_type: must be a str, not int": lambda: parts_of("MD5").checksum("MD5", 5),  # type: ignore[arg-type]
    "size: must be an int, not str": lambda: partsum.plan_parts(text),
    "part_size: must be an int, a size such as": lambda: partsum.plan_parts(5, 1.5),  # type: ignore[arg-type]
    "allow_small_parts: must be a bool, not str": lambda: partsum.plan_parts(
        5, allow_small_parts=text
    ),
    "threads: must be an int, not str": lambda: partsum.hash_bytes(b"", threads=text),
    "io: must be a str, not NoneType": lambda: partsum.hash_file("x", io=nothing),
    "progress: must be callable or None, not str": lambda: partsum.hash_bytes(b"", progress=text),
    "number: must be an int, not str": lambda: parts_of("MD5").upload_part_args(text),
    "content_md5: must be a bool, not str": lambda: parts_of("MD5").upload_part_args(
        1, content_md5=text
    ),
    "etag: must be a str, not NoneType": lambda: parts_of("MD5").matches_etag(nothing),
    "candidates: must be an iterable of part sizes, not str": lambda: partsum.solve_etag(
        "/dev/null", "x", candidates="8MiB"
    ),
    "path_or_checksums: must be a str or os.PathLike, not int": lambda: partsum.verify(
        5, {"ETag": "x"}  # type: ignore[arg-type]
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG_TYPES)
def test_wrong_types_name_their_argument(text: str) -> None:
    with pytest.raises(TypeError) as found:
        WRONG_TYPES[text]()
    assert type(found.value) is TypeError
    assert str(found.value).startswith(text)


# --- files ---------------------------------------------------------------------------------------


@each_io
@each_reader
def test_missing_file(reader: Callable[..., Any], io: Any, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for given_as in (missing, str(missing)):
        with pytest.raises(FileNotFoundError) as found:
            reader(given_as, io=io)
        assert found.value.errno == errno.ENOENT
        assert found.value.filename is not None
        assert os.fspath(found.value.filename) == str(missing)
        assert str(missing) in str(found.value)


@each_io
@each_reader
def test_directory(reader: Callable[..., Any], io: Any, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as found:
        reader(tmp_path, io=io)
    assert found.value.errno == errno.EISDIR
    assert os.fspath(found.value.filename) == str(tmp_path)


@each_reader
def test_file_as_a_directory(reader: Callable[..., Any], path: Path) -> None:
    with pytest.raises(NotADirectoryError) as found:
        reader(path / "below")
    assert found.value.errno == errno.ENOTDIR
    assert os.fspath(found.value.filename) == str(path / "below")


@each_reader
def test_loop_of_links(reader: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OSError) as found:
        reader(tmp_path / "a")
    assert found.value.errno == errno.ELOOP


def test_link_is_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    assert partsum.hash_file(link) == partsum.hash_file(path)


def test_permission_denied(path: Path) -> None:
    path.chmod(0)
    done = run(
        """
        import errno, os, sys
        import partsum
        path = sys.argv[1]
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        for reader in (partsum.hash_file, lambda path: partsum.hash_plans(path, ["8MiB"])):
            try:
                reader(path)
            except PermissionError as error:
                assert error.errno == errno.EACCES
                assert os.fspath(error.filename) == path
                print("denied")
        """,
        path,
    )
    # The interpreter or a folder on the way may be closed to the user "nobody" as well.
    if "denied" not in done.stdout and done.returncode:
        parents = [parent for parent in path.parents if not parent.stat().st_mode & 0o001]
        assert parents or "partsum" in done.stderr, done.stderr
        assert "Permission" in done.stderr or "ModuleNotFoundError" in done.stderr, done.stderr
        pytest.skip("this interpreter cannot be run without privileges")
    assert done.stdout.split() == ["denied", "denied"], done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@each_io
def test_fifo_is_refused_without_hanging(tmp_path: Path, io: Any) -> None:
    """Opening a FIFO waits for a writer, for ever."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = """
        import os, sys
        import partsum
        for reader, more in (partsum.hash_file, ()), (partsum.hash_plans, ([None],)):
            try:
                reader(sys.argv[1], *more, io=sys.argv[2])
            except OSError as error:
                assert os.fspath(error.filename) == sys.argv[1], error.filename
                assert error.hint.name == "USE_STREAM", error.hint
                print("no file", str(error.hint) in str(error), error.problem in str(error))
        """
    done = run(code, fifo, io, timeout=20)
    assert done.stdout == "no file True True\n" * 2, done.stderr


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_devices_are_refused(device: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"no {device} here")
    done = run(
        """
        import sys
        import partsum
        try:
            partsum.hash_file(sys.argv[1])
        except OSError as error:
            print("refused", error)
        """,
        device,
        timeout=20,
    )
    assert done.stdout.startswith("refused"), done.stderr


@each_io
def test_files_whose_size_is_not_told(io: Any) -> None:
    """/proc says 0 bytes and gives more: the checksum of nothing would be a wrong answer."""
    path = Path("/proc/version")
    if not path.exists():
        pytest.skip("no /proc here")
    assert path.stat().st_size == 0
    assert partsum.hash_file(path, io=io) == partsum.hash_bytes(path.read_bytes())


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe name\n.bin")
    try:
        Path(name).write_bytes(b"abc")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = partsum.hash_file(name)
    assert found.etag == oracle.digest("MD5", b"abc").hex()
    assert found.path is not None
    assert os.fspath(found.path) == name
    with pytest.raises(FileNotFoundError) as missing:
        partsum.hash_file(name + "x")
    assert os.fspath(missing.value.filename) == name + "x"


@pytest.mark.parametrize("wrong", [None, 5.0, [], object()])
@each_reader
def test_paths_of_a_wrong_type(reader: Callable[..., Any], wrong: Any) -> None:
    with pytest.raises(TypeError):
        reader(wrong)


def test_path_with_a_zero_byte() -> None:
    with pytest.raises((ValueError, OSError)):
        partsum.hash_file("a\0b")


# --- arguments -----------------------------------------------------------------------------------


def hash_with(**arguments: Any) -> dict[str, Callable[[Path], Any]]:
    """The same arguments to every door."""
    algorithms = arguments.pop("algorithms", ("MD5",))
    part_size = arguments.pop("part_size", "5MiB")
    return {
        "hash_file": lambda path: partsum.hash_file(
            path, algorithms, part_size=part_size, **arguments
        ),
        "hash_bytes": lambda path: partsum.hash_bytes(
            path.read_bytes(), algorithms, part_size=part_size, **arguments
        ),
        "hash_plans": lambda path: partsum.hash_plans(path, [part_size], algorithms, **arguments),
        "MultipartHasher": lambda path: partsum.MultipartHasher(algorithms, part_size, **arguments),
    }


@pytest.mark.parametrize("algorithms", [(), [], "", set(), iter([])])
def test_no_algorithms(path: Path, algorithms: Any) -> None:
    for door in hash_with(algorithms=algorithms).values():
        with pytest.raises(ValueError):
            door(path)


@pytest.mark.parametrize("algorithms", ["SHA3", ["MD5", "SHA-3"], ("md4",), [""], "MD5,SHA1"])
def test_unknown_algorithms(path: Path, algorithms: Any) -> None:
    for door in hash_with(algorithms=algorithms).values():
        with pytest.raises(ValueError) as refused:
            door(path)
        for known in oracle.ALGORITHMS:
            assert known in str(refused.value)


def test_unknown_algorithm_is_named(path: Path) -> None:
    with pytest.raises(ValueError, match="SHA3"):
        partsum.hash_file(path, ["MD5", "SHA3"])


@pytest.mark.parametrize("algorithms", [None, 5, [5], [None], b"MD5", [b"MD5"]])
def test_algorithms_of_a_wrong_type(path: Path, algorithms: Any) -> None:
    for door in hash_with(algorithms=algorithms).values():
        with pytest.raises(TypeError):
            door(path)


@pytest.mark.parametrize("part_size", ["8XB", "", 0, -1, "0", "-5MiB", "no such tool"])
def test_bad_part_sizes(path: Path, part_size: Any) -> None:
    for door in hash_with(part_size=part_size).values():
        with pytest.raises(partsum.PartPlanError):
            door(path)


@pytest.mark.parametrize("part_size", [1.5, 8388608.0, True, False, b"8MiB", object()])
def test_part_sizes_of_a_wrong_type(path: Path, part_size: Any) -> None:
    for door in hash_with(part_size=part_size).values():
        with pytest.raises(TypeError):
            door(path)


def test_plan_that_does_not_fit_the_file(path: Path) -> None:
    for part_size in ([9_999], [10_001], partsum.plan_parts(10_001, None)):
        for name, door in hash_with(part_size=part_size).items():
            if name != "MultipartHasher":
                with pytest.raises(partsum.PartPlanError):
                    door(path)


def test_small_parts_need_permission(path: Path) -> None:
    for part_size in (1000, [1000, 9000]):
        for name, door in hash_with(part_size=part_size).items():
            if name != "MultipartHasher":  # learns only at the end how many parts there are
                with pytest.raises(partsum.PartPlanError, match=r"5 MiB|5,?242,?880"):
                    door(path)
        for name, door in hash_with(part_size=part_size, allow_small_parts=True).items():
            if name != "MultipartHasher":
                door(path)


@pytest.mark.parametrize("threads", [0, -1])
def test_bad_numbers_of_threads(path: Path, threads: int) -> None:
    for name, door in hash_with(threads=threads).items():
        if name != "MultipartHasher":
            with pytest.raises(ValueError, match="threads"):
                door(path)


@pytest.mark.parametrize("threads", ["2", 2.0, [2]])
def test_threads_of_a_wrong_type(path: Path, threads: Any) -> None:
    for name, door in hash_with(threads=threads).items():
        if name != "MultipartHasher":
            with pytest.raises(TypeError):
                door(path)


@pytest.mark.parametrize("io", ["", "DIRECT", "MMAP ", "auto,read"])
@each_reader
def test_unknown_io(reader: Callable[..., Any], path: Path, io: Any) -> None:
    with pytest.raises(ValueError) as refused:
        reader(path, io=io)
    for known in ("auto", "mmap", "read", "direct"):
        assert known in str(refused.value)


@pytest.mark.parametrize("io", [None, 1, b"auto"])
@each_reader
def test_io_of_a_wrong_type(reader: Callable[..., Any], path: Path, io: Any) -> None:
    with pytest.raises(TypeError):
        reader(path, io=io)


def test_arguments_are_looked_at_before_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ValueError):
        partsum.hash_file(missing, ["SHA3"])
    with pytest.raises(ValueError):
        hash_one_plan(missing, io="readahead")


def test_no_plans(path: Path) -> None:
    try:
        found = partsum.hash_plans(path, [])
    except ValueError:
        return
    assert found == []


# --- buffers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    ["text", None, 5, [1, 2, 3], io.StringIO("text"), io.BytesIO(b"bytes"), iter(b"abc")],
    ids=lambda wrong: type(wrong).__name__,
)
def test_no_buffer(wrong: Any) -> None:
    with pytest.raises(TypeError):
        partsum.hash_bytes(wrong)


def test_files_are_no_buffers(path: Path) -> None:
    file: Any
    for mode in ("r", "rb"):
        with path.open(mode) as file, pytest.raises(TypeError):
            partsum.hash_bytes(file)


@pytest.mark.parametrize(
    "gaps",
    [
        memoryview(b"abcdefgh")[::2],
        memoryview(b"abcdefgh")[::-1],
        memoryview(array.array("i", range(9)))[::3],
    ],
)
def test_buffers_with_gaps(gaps: memoryview) -> None:
    with pytest.raises(BufferError):
        partsum.hash_bytes(gaps)


def test_numpy_arrays_with_gaps() -> None:
    numpy = pytest.importorskip("numpy")
    square = numpy.zeros((10, 10), dtype="int32")
    for gaps in (square[:, 1:3], square[::2], numpy.asfortranarray(square), square.T[1:3]):
        with pytest.raises(BufferError):
            partsum.hash_bytes(gaps)


def test_released_buffer() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises((ValueError, BufferError)):
        partsum.hash_bytes(view)


# --- progress ------------------------------------------------------------------------------------


class StopError(Exception):
    """Raised by a callback."""


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 MiB, most of it a hole."""
    path = tmp_path_factory.mktemp("errors") / "long.bin"
    with path.open("wb") as file:
        file.write(b"start")
        file.truncate(64 * MIB)
    return path


@each_io
@each_reader
@pytest.mark.parametrize("threads", [1, 2])
def test_exceptions_of_progress_stop_the_work(
    reader: Callable[..., Any], long_file: Path, io: Any, threads: int
) -> None:
    seen: list[int] = []

    def progress(count: int) -> None:
        seen.append(count)
        raise StopError(f"at {count}")

    with pytest.raises(StopError, match="at "):
        reader(long_file, ["SHA512"], io=io, threads=threads, progress=progress)
    assert sum(seen) < 64 * MIB
    assert len(seen) <= 4  # those that were under way already


def test_exceptions_of_progress_at_the_end(long_file: Path) -> None:
    total = 0

    def progress(count: int) -> None:
        nonlocal total
        total += count
        if total == 64 * MIB:
            raise StopError

    with pytest.raises(StopError):
        partsum.hash_file(long_file, ["CRC32C"], progress=progress)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_exceptions_that_are_no_errors_propagate_too(
    long_file: Path, error: type[BaseException]
) -> None:
    def progress(_: int) -> None:
        raise error

    with pytest.raises(error):
        partsum.hash_file(long_file, ["CRC32C"], progress=progress)


def test_the_traceback_of_progress_is_kept(long_file: Path) -> None:
    def progress(_: int) -> None:
        raise StopError

    with pytest.raises(StopError) as found:
        partsum.hash_file(long_file, ["CRC32C"], progress=progress)
    assert "progress" in [entry.name for entry in found.traceback]


@pytest.mark.parametrize("progress", [5, "print", object()])
@each_reader
def test_progress_that_cannot_be_called(
    reader: Callable[..., Any], path: Path, progress: Any
) -> None:
    with pytest.raises(TypeError):
        reader(path, progress=progress)


def test_hashing_within_progress(long_file: Path, path: Path) -> None:
    """A callback may use the package itself, threads and all."""
    found: list[Any] = []

    def progress(_: int) -> None:
        if len(found) < 3:
            found.append(partsum.hash_file(path, ["SHA1"], part_size="5MiB", threads=2))

    partsum.hash_file(long_file, ["CRC32C"], threads=2, progress=progress)
    assert set(found) == {partsum.hash_file(path, ["SHA1"], part_size="5MiB")}


def test_works_again_after_an_exception(long_file: Path) -> None:
    def progress(_: int) -> None:
        raise StopError

    for _ in range(20):
        with pytest.raises(StopError):
            partsum.hash_file(long_file, ["CRC32"], progress=progress)
    assert partsum.hash_file(long_file, ["CRC32"]) == partsum.hash_file(long_file, ["CRC32"])


# --- files that change ---------------------------------------------------------------------------


CHANGES: dict[str, Callable[[Path], Any]] = {
    "grows": lambda path: os.truncate(path, 65 * MIB),
    "shrinks": lambda path: os.truncate(path, 63 * MIB),
    "is written to": lambda path: os.utime(path, ns=(1, 1)),
}


@each_io
@each_reader
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_file_that_changes_while_it_is_read(
    reader: Callable[..., Any], tmp_path: Path, io: Any, change: Callable[[Path], Any]
) -> None:
    """The end is changed when the first bytes are reported: no silent result may come out."""
    path = tmp_path / "changing.bin"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    changed: list[int] = []

    def progress(count: int) -> None:
        if not changed:
            change(path)
        changed.append(count)

    with pytest.raises(partsum.FileChangedError) as found:
        reader(path, ["SHA256"], io=io, threads=1, progress=progress)
    assert isinstance(found.value, OSError)
    assert os.fspath(found.value.filename) == str(path)


def test_new_bytes_in_the_place_of_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "changing.bin"
    path.write_bytes(bytes(32 * MIB))
    os.utime(path, ns=(10**18, 10**18))
    changed: list[int] = []

    def progress(count: int) -> None:
        if not changed:
            with path.open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"x")
        changed.append(count)

    with pytest.raises(partsum.FileChangedError):
        partsum.hash_file(path, ["SHA256"], threads=1, progress=progress)


@each_io
def test_file_cut_to_nothing_does_not_kill_the_interpreter(tmp_path: Path, io: Any) -> None:
    """Reading a mapped page beyond the end of its file is a bus error."""
    path = tmp_path / "cut.bin"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    done = run(
        """
        import os, sys
        import partsum
        path, io = sys.argv[1:]
        try:
            partsum.hash_file(
                path, ["SHA512"], io=io, threads=2, progress=lambda _: os.truncate(path, 0)
            )
        except partsum.FileChangedError as error:
            print("noticed", error)
        """,
        path,
        io,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.startswith("noticed"), done.stderr


def test_file_replaced_by_another_is_no_change(tmp_path: Path) -> None:
    """rename() over the name leaves the open file as it was: its checksum is a true one."""
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"a" * (20 * MIB))
    other.write_bytes(b"b" * (20 * MIB))
    expected = partsum.hash_file(path, ["CRC32"])
    replaced: list[int] = []

    def progress(count: int) -> None:
        if not replaced:
            other.rename(path)
        replaced.append(count)

    try:
        found = partsum.hash_file(path, ["CRC32"], progress=progress)
    except partsum.FileChangedError:
        return
    assert found == expected
