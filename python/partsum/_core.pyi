"""The compiled half of partsum. Import the public names from `partsum`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, SupportsIndex, TypeAlias, final, overload

from typing_extensions import Buffer

from partsum.errors import FileError
from partsum.verdict import Verdict

_Algorithm: TypeAlias = (
    Literal[
        "CRC32",
        "CRC32C",
        "CRC64NVME",
        "SHA1",
        "SHA256",
        "SHA512",
        "MD5",
        "XXHASH64",
        "XXHASH3",
        "XXHASH128",
    ]
    | str
)
_ChecksumType: TypeAlias = Literal["COMPOSITE", "FULL_OBJECT"] | str
_PartSize: TypeAlias = SupportsIndex | str | Iterable[SupportsIndex] | PartPlan | None
_Io: TypeAlias = Literal["auto", "mmap", "read", "direct"]
_Progress: TypeAlias = Callable[[int], object]
_Response: TypeAlias = Mapping[str, Any]
_Uploaded: TypeAlias = _Response | Iterable[_Response] | Mapping[int, _Response]

__all__ = [
    "Hasher",
    "MultipartHasher",
    "MultipartUpload",
    "ObjectChecksums",
    "Part",
    "PartChecksums",
    "PartPlan",
    "_Answers",
    "_Files",
    "_NextRequest",
    "__version__",
    "_algorithm_table",
    "_bare_etag",
    "_listed_parts",
    "_meanings",
    "_parse_size",
    "_preset_table",
    "_quirk_table",
    "_rebuild_part",
    "_rebuild_plan",
    "_right_parts",
    "combine_crc",
    "hash_bytes",
    "hash_file",
    "hash_files",
    "hash_plans",
    "new",
    "plan_parts",
    "runtime_info",
    "solve_etag",
    "verify",
]

__version__: str

def hash_file(
    path: str | PathLike[str],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    io: _Io = "auto",
    progress: _Progress | None = None,
    allow_small_parts: bool = False,
) -> ObjectChecksums:
    """
    Compute every checksum that S3 will report for a file, in one read.

    All algorithms are computed over the same tiles of the file while these are in the CPU's cache, and parts are hashed
    side by side in SIMD lanes on all threads. Memory stays below 32 MiB per thread whatever the file's size (below 1 MiB
    where nothing is read ahead), and holes of sparse files are not read. The GIL is released; Ctrl-C works.

    Args:
        path: File to hash (str or os.PathLike): a regular file or a block device.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
            or None for one PutObject. "boto3" plans as boto3's upload_file does by default.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct". "auto" maps a file that is in the page cache and reads any
            other ahead of hashing. "direct" reads past the page cache (O_DIRECT), so that other files stay in it.
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        ObjectChecksums: The checksums of the parts and everything that S3 makes of them.

    Raises:
        OSError: The file cannot be read; has errno and filename (FileNotFoundError, PermissionError, ...). EINVAL if it
            is a pipe, or if `io` is "direct" and the file system cannot do that.
        FileChangedError: The file was written to, truncated or replaced while it was hashed (an OSError).
        PartPlanError: S3 would refuse the parts (a ValueError).
        InvalidArgument: An algorithm is unknown or none is given, `threads` is below 1, or `io` is unknown (a ValueError).

    Example:
        >>> import pathlib, tempfile, partsum
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> sums = partsum.hash_file(path, ["MD5", "CRC64NVME"], part_size="8MiB")
        >>> sums.etag, sums.checksum("CRC64NVME")
        ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
    """

def hash_bytes(
    buffer: Buffer,
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    progress: _Progress | None = None,
    allow_small_parts: bool = False,
) -> ObjectChecksums:
    """
    Compute every checksum that S3 will report for bytes in memory.

    Args:
        buffer: Any C-contiguous buffer (bytes, bytearray, memoryview, mmap, numpy array, ...). It is not copied and must not
            be written to meanwhile.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
            or None for one PutObject.
        threads: Number of threads; None uses every CPU that the process may use.
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        ObjectChecksums: The checksums of the parts and everything that S3 makes of them; its `path` is None.

    Raises:
        TypeError: `buffer` is a str or has no buffer.
        BufferError: `buffer` is not C-contiguous.
        PartPlanError: S3 would refuse the parts (a ValueError).
        InvalidArgument: An algorithm is unknown or none is given, or `threads` is below 1 (a ValueError).

    Example:
        >>> import partsum
        >>> partsum.hash_bytes(b"hello world", "sha-256").checksum("SHA256")
        'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
    """

@final
class _Files(Iterator[ObjectChecksums | FileError]):
    """What `hash_files` returns."""
    def __iter__(self) -> _Files:
        """Implement iter(self)."""
    def __next__(self) -> ObjectChecksums | FileError:
        """Implement next(self)."""

def hash_files(
    paths: Iterable[str | PathLike[str]],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    io: _Io = "auto",
    progress: _Progress | None = None,
    allow_small_parts: bool = False,
) -> _Files:
    """
    Compute every checksum that S3 will report for many files, whose parts share SIMD lanes and threads.

    A file that cannot be hashed never stops the rest. Files are hashed in batches that end after 512 MiB or with a larger
    file, so results come in bursts. At most 256 files are open at a time, and files up to 16 KiB are held in memory.

    Args:
        paths: Iterable of files to hash (str or os.PathLike); it is consumed as results are wanted.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
            or None for one PutObject.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates out of the iterator.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        Iterator[ObjectChecksums | FileError]: One item for each path, in order. `FileError` has the `path` and the `error`
        that `hash_file` would have raised, and may itself be raised. Threads may share the iterator.

    Raises:
        TypeError: `paths` is one path, or an argument has a wrong type. Raised at once, as is the next.
        InvalidArgument: As `hash_file` (a ValueError).

    Example:
        >>> import pathlib, tempfile, partsum
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a").write_bytes(b"aaa")
        >>> for result in partsum.hash_files([folder / "a", folder / "b"], "MD5"):
        ...     print(result.error.strerror if isinstance(result, partsum.FileError) else result.etag)
        47bce5c74f589f4867dbd57e9ca9f808
        No such file or directory
    """

def hash_plans(
    path: str | PathLike[str],
    plans: Iterable[_PartSize],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    threads: int | None = None,
    io: _Io = "auto",
    progress: _Progress | None = None,
    allow_small_parts: bool = False,
) -> list[ObjectChecksums]:
    """
    Compute every checksum of a file under several part plans, in one read.

    Ranges that plans share are hashed once. The plans walk the file side by side and share the page cache; "direct" reads
    a byte from the disk once for each plan.

    Args:
        path: File to hash (str or os.PathLike): a regular file or a block device.
        plans: Iterable of part sizes, each in any form that `part_size` of `hash_file` has.
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates. A byte of the file counts once for all plans.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        list[ObjectChecksums]: One result for each plan, in order.

    Raises:
        InvalidArgument: There are no plans, and as `hash_file`.
        OSError: As `hash_file`.
        PartPlanError: As `hash_file`.

    Example:
        >>> import pathlib, tempfile, partsum
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(b"aaa")
        >>> [sums.etag for sums in partsum.hash_plans(path, [None, "8MiB"], "MD5")]
        ['47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1']
    """

def new(algorithm: _Algorithm, data: Buffer = b"") -> Hasher:
    """
    Start to hash one message with one algorithm, in hashlib's shape.

    For files and parts use `hash_file`: it uses all SIMD lanes and all cores, which one message cannot.

    Args:
        algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
        data: First bytes of the message: any C-contiguous buffer.

    Returns:
        Hasher: The hasher, to be fed with more.

    Raises:
        InvalidArgument: The algorithm is unknown (a ValueError).

    Example:
        >>> import partsum
        >>> partsum.new("sha256", b"hello world").b64digest()
        'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='
    """

def plan_parts(
    size: SupportsIndex, part_size: _PartSize = "boto3", *, allow_small_parts: bool = False
) -> PartPlan:
    """
    Plan the parts of an object.

    S3 allows 1 to 10,000 parts of 5 MiB to 5 GiB (the last one may be smaller), 48.8 TiB in all, and 5 GiB in one
    PutObject.

    Args:
        size: Number of bytes in the object.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
            or None for one PutObject. An int or a size is always a multipart upload, even of one part. A preset plans as
            that tool does by default. MiB is 2**20 bytes, MB is 10**6.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Returns:
        PartPlan: The parts, in order.

    Raises:
        PartPlanError: S3 would refuse the plan; the message names the part and the limit (a ValueError).
        TypeError: An argument has a wrong type; floats are one.

    Example:
        >>> import partsum
        >>> partsum.plan_parts(100 * 2**30)[0].size     # as boto3: 8 MiB doubled until 10,000 parts suffice
        16777216
        >>> partsum.plan_parts(5, "boto3").multipart    # boto3 sends small files by one PutObject
        False
        >>> partsum.plan_parts(30 * 2**20, [10 * 2**20, 15 * 2**20, 5 * 2**20]).offsets
        (0, 10485760, 26214400)
        >>> partsum.plan_parts(10 * 2**20, "1MiB")
        Traceback (most recent call last):
            ...
        partsum.PartPlanError: part_size: part 1 has 1048576 bytes, but every part except the last needs at least 5242880 bytes (5 MiB; S3 answers EntityTooSmall); pass allow_small_parts=True for a store that accepts them

    Source:
        Amazon S3 User Guide, "Amazon S3 multipart upload limits".
    """

@final
class Part:
    """
    One part of a `PartPlan`.

    Immutable, picklable, equal by value.

    Args:
        number: Part number, from 1.
        offset: Where the part begins in the object, in bytes.
        size: Number of bytes in the part.

    Example:
        >>> import partsum
        >>> partsum.plan_parts(20 * 2**20, "8MiB")[-1]
        Part(number=3, offset=16777216, size=4194304)
    """

    __match_args__ = ("number", "offset", "size")
    def __new__(cls, number: int, offset: int, size: int) -> Part: ...
    @property
    def number(self) -> int:
        """int: Part number, from 1."""
    @property
    def offset(self) -> int:
        """int: Where the part begins in the object, in bytes."""
    @property
    def size(self) -> int:
        """int: Number of bytes in the part."""
    def __eq__(self, other: object, /) -> bool:
        """Return self==value."""
    def __ne__(self, other: object, /) -> bool:
        """Return self!=value."""
    def __hash__(self) -> int:
        """Return hash(self)."""
    def __getnewargs__(self) -> tuple[int, int, int]: ...

@final
class PartPlan(Sequence[Part]):
    """
    How an object is cut into parts, or sent by one PutObject: a sequence of `Part`. Made by `plan_parts`.

    A PutObject has one part. Immutable, picklable; plans with the same parts are equal. A slice is a tuple.

    Example:
        >>> import partsum
        >>> plan = partsum.plan_parts(20 * 2**20, "8MiB")
        >>> plan
        PartPlan(20971520 bytes, 3 parts of 8388608)
        >>> [part.size for part in plan]
        [8388608, 8388608, 4194304]
        >>> len(plan), plan[1].offset
        (3, 8388608)
    """
    @property
    def size(self) -> int:
        """int: Number of bytes in the object."""
    @property
    def sizes(self) -> tuple[int, ...]:
        """tuple[int, ...]: Number of bytes in each part."""
    @property
    def offsets(self) -> tuple[int, ...]:
        """tuple[int, ...]: Where each part begins in the object, in bytes."""
    @property
    def multipart(self) -> bool:
        """bool: True for a multipart upload, even of one part; False for one PutObject."""
    @property
    def presets(self) -> tuple[str, ...]:
        """
        tuple[str, ...]: Names of the `PRESETS` that cut an object of this size in this way.

        Example:
            >>> import partsum
            >>> partsum.plan_parts(100 * 2**20, "16MiB").presets
            ('mc',)
        """
    def index(self, part: object, start: int = 0, stop: int | None = None) -> int:
        """
        Return the position of a part, from 0.

        Args:
            part: `Part` to look for.
            start: First position to look at.
            stop: Position to stop before; None is the end.

        Returns:
            int: The position, which is the part's number less 1.

        Raises:
            ValueError: The plan has no such part there.

        Example:
            >>> import partsum
            >>> plan = partsum.plan_parts(20 * 2**20, "8MiB")
            >>> plan.index(partsum.Part(2, 8388608, 8388608))
            1
        """
    def count(self, part: object) -> int:
        """
        Count how often a part is in the plan.

        Args:
            part: `Part` to look for.

        Returns:
            int: 1 or 0.

        Example:
            >>> import partsum
            >>> partsum.plan_parts(5, None).count(partsum.Part(1, 0, 5))
            1
        """
    def __len__(self) -> int:
        """Return len(self)."""
    def __contains__(self, key: object, /) -> bool:
        """Return key in self."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Part:
        """Return self[key]."""
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Part, ...]:
        """Return self[key]."""
    def __iter__(self) -> Iterator[Part]:
        """Implement iter(self)."""
    def __eq__(self, other: object, /) -> bool:
        """Return self==value."""
    def __ne__(self, other: object, /) -> bool:
        """Return self!=value."""
    def __hash__(self) -> int:
        """Return hash(self)."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PartChecksums:
    """
    The checksums of one part.

    Immutable, picklable, equal by value.

    Example:
        >>> import partsum
        >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size="8MiB").parts[0]
        PartChecksums(number=1, offset=0, size=3, CRC32C='45fn2Q==')
    """
    @property
    def number(self) -> int:
        """int: Part number, from 1."""
    @property
    def offset(self) -> int:
        """int: Where the part begins in the object, in bytes."""
    @property
    def size(self) -> int:
        """int: Number of bytes in the part."""
    @property
    def etag(self) -> str:
        """
        str: The ETag that UploadPart returns for the part, unquoted: its MD5 in hexadecimal.

        With SSE-KMS and SSE-C, S3 makes another.

        Raises:
            MissingChecksum: MD5 was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").parts[0].etag
            '47bce5c74f589f4867dbd57e9ca9f808'
        """
    def checksum(self, algorithm: _Algorithm) -> str:
        """
        Return the part's checksum as S3 shows it.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.

        Returns:
            str: Base64 of the digest.

        Raises:
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"hello world", "SHA1").parts[0].checksum("SHA1")
            'Kq5sNclPz7QV2+lfQIuc6R7oRu0='
        """
    def digest(self, algorithm: _Algorithm) -> bytes:
        """
        Return the part's digest.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.

        Returns:
            bytes: The digest, big-endian for CRCs and XXH.

        Raises:
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"123456789", "CRC32C").parts[0].digest("CRC32C").hex()
            'e3069283'
        """
    def __eq__(self, other: object, /) -> bool:
        """Return self==value."""
    def __ne__(self, other: object, /) -> bool:
        """Return self!=value."""
    def __hash__(self) -> int:
        """Return hash(self)."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ObjectChecksums:
    """
    Everything that S3 will say about an object: the checksums of its parts, and every value made of them.

    Returned by `hash_file` and its kin; immutable, picklable, thread-safe. Two are equal if the same bytes were cut the
    same way, as far as the same algorithms can tell: `path` does not count, nor does the order of the algorithms.

    Checksums are strings: base64 exactly as S3 shows them, composite ones with their "-N". The `..._args` methods return new
    dictionaries for the boto3 method of the same name, to be merged with your own arguments:
    `client.upload_part(Bucket=b, Key=k, UploadId=u, Body=body, **sums.upload_part_args(1, "SHA256"))`.

    The `algorithm` of these methods may be left out: it is then the only algorithm that was computed beside MD5, or none if
    MD5 is the only one. `algorithm=None` is a request without an algorithm. `multipart_upload` names it once for a whole
    upload.

    Example:
        >>> import partsum
        >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
        >>> sums.etag, sums.full_object("CRC64NVME")
        ('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
        >>> sums
        ObjectChecksums(3 bytes, 1 part, MD5 CRC64NVME, ETag e2c3da976e66ec9e7dc128fbc782fc91-1)
    """
    @property
    def path(self) -> str | None:
        """str | None: The file that was hashed; None for bytes in memory."""
    @property
    def size(self) -> int:
        """int: Number of bytes in the object."""
    @property
    def plan(self) -> PartPlan:
        """PartPlan: How the object is cut."""
    @property
    def algorithms(self) -> tuple[str, ...]:
        """tuple[str, ...]: Names of the algorithms that were computed, in the order they were asked for."""
    @property
    def parts(self) -> tuple[PartChecksums, ...]:
        """tuple[PartChecksums, ...]: The parts in order; one for a PutObject."""
    @property
    def etag(self) -> str:
        """
        str: The ETag, unquoted: the MD5 of a PutObject; for a multipart upload the MD5 of the parts' MD5s, then "-N".

        Objects in general purpose buckets that are stored in plain text or with SSE-S3 get this ETag. With SSE-KMS or
        SSE-C, and in directory buckets, S3 makes another.

        Raises:
            MissingChecksum: MD5 was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "MD5").etag, partsum.hash_bytes(b"aaa", "MD5", part_size="8MiB").etag
            ('47bce5c74f589f4867dbd57e9ca9f808', 'e2c3da976e66ec9e7dc128fbc782fc91-1')

        Source:
            Amazon S3 API Reference, "Object", ETag; User Guide, "Checking object integrity in Amazon S3".
        """
    def matches_etag(self, etag: str) -> bool:
        """
        Tell whether an ETag is that of these bytes.

        Args:
            etag: ETag as S3 or an HTTP header writes it; quotes, `W/` and case are ignored.

        Returns:
            bool: True if it is the same as `etag` of these checksums.

        Raises:
            MissingChecksum: MD5 was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "MD5").matches_etag('"47bce5c74f589f4867dbd57e9ca9f808"')
            True
        """
    def composite(self, algorithm: _Algorithm) -> str:
        """
        Return the composite checksum: the algorithm over the digests of the parts.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.

        Returns:
            str: Base64, then "-N" for N parts.

        Raises:
            NotSupportedByS3: The algorithm is CRC64NVME, which has none, or the plan is a PutObject.
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"test content 123", "CRC32C", part_size="8MiB").composite("CRC32C")
            'sZB91Q==-1'

        Source:
            Amazon S3 User Guide, "Checking object integrity in Amazon S3", composite checksums.
        """
    def full_object(self, algorithm: _Algorithm) -> str:
        """
        Return the checksum of the whole object, for CRCs by combining those of the parts.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.

        Returns:
            str: Base64.

        Raises:
            NotSupportedByS3: The algorithm is no CRC and the plan is a multipart upload, even of one part: S3 keeps only the
                composite checksum then. Hash with `part_size=None`.
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"test content 123", "CRC64NVME", part_size="8MiB").full_object("CRC64NVME")
            'BsLNlKumA5I='

        Source:
            Amazon S3 User Guide, "Checking object integrity in Amazon S3", full object checksums.
        """
    def checksum(self, algorithm: _Algorithm, checksum_type: _ChecksumType | None = None) -> str:
        """
        Return the object's checksum of a type.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored.
            checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm: FULL_OBJECT for CRC64NVME and
                for a PutObject, COMPOSITE for all others.

        Returns:
            str: Base64; composite checksums with "-N".

        Raises:
            NotSupportedByS3: S3 has no such checksum; see `composite` and `full_object`.
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"test content 123", ["CRC32C", "CRC64NVME"], part_size="8MiB")
            >>> sums.checksum("CRC32C"), sums.checksum("CRC32C", "FULL_OBJECT"), sums.checksum("CRC64NVME")
            ('sZB91Q==-1', 'fwuu0Q==', 'BsLNlKumA5I=')
        """
    def multipart_upload(
        self, algorithm: _Algorithm | None = ..., checksum_type: _ChecksumType | None = None
    ) -> MultipartUpload:
        """
        Name the algorithm of one multipart upload for all its requests.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
                that was computed beside MD5, or none if MD5 is the only one. None is an upload without an algorithm: S3
                then computes CRC64NVME by itself.
            checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm.

        Returns:
            MultipartUpload: The arguments for create_multipart_upload, upload_part and complete_multipart_upload.

        Raises:
            InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
            NotSupportedByS3: S3 refuses the pair of algorithm and type.
            MissingChecksum: The algorithm was not computed.
            PartPlanError: The plan is a PutObject.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "SHA256"], part_size="8MiB")
            >>> upload = sums.multipart_upload("SHA256")
            >>> upload.create_args
            {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
            >>> sorted(upload.part_args(1))
            ['ChecksumSHA256', 'ContentLength', 'ContentMD5', 'PartNumber']
        """
    def create_multipart_upload_args(
        self, algorithm: _Algorithm | None = ..., checksum_type: _ChecksumType | None = None
    ) -> dict[str, Any]:
        """
        Make the arguments for create_multipart_upload.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
                that was computed beside MD5, or none if MD5 is the only one. None opens an upload without an algorithm: S3
                then computes CRC64NVME by itself and refuses checksums of parts when the upload completes.
            checksum_type: "COMPOSITE" or "FULL_OBJECT"; None is S3's default for the algorithm.

        Returns:
            dict[str, str]: ChecksumAlgorithm and ChecksumType, or nothing.

        Raises:
            InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
            NotSupportedByS3: S3 refuses the pair of algorithm and type (InvalidRequest).
            MissingChecksum: The algorithm was not computed.
            PartPlanError: The plan is a PutObject.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "SHA256"], part_size="8MiB")
            >>> sums.create_multipart_upload_args("SHA256")
            {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}

        Source:
            Amazon S3 API Reference, "CreateMultipartUpload".
        """
    def upload_part_args(
        self, number: int, algorithm: _Algorithm | None = ..., *, content_md5: bool = True
    ) -> dict[str, Any]:
        """
        Make the arguments for upload_part, without the Body.

        Args:
            number: Part number, from 1.
            algorithm: Algorithm that the upload was created with (S3 refuses any other): a name from `ALGORITHMS`; case, `-`
                and `_` are ignored. Left out, it is the only algorithm that was computed beside MD5, or none if MD5 is the
                only one. None is an upload without an algorithm.
            content_md5: Send ContentMD5 too if MD5 was computed. botocore then sends the body as it is; otherwise it hashes
                the body once more, by SHA-256, to sign it. False is for stores that refuse ContentMD5 beside a checksum.

        Returns:
            dict[str, Any]: PartNumber, ContentLength, ContentMD5, Checksum<ALG>.

        Raises:
            InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
            MissingChecksum: The algorithm was not computed.
            PartPlanError: The plan has no such part (S3 answers InvalidArgument), or is a PutObject.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
            >>> sums.upload_part_args(1, "CRC32C")
            {'PartNumber': 1, 'ContentLength': 3, 'ContentMD5': 'R7zlx09Yn0hn29V+nKn4CA==', 'ChecksumCRC32C': '45fn2Q=='}

        Source:
            Amazon S3 API Reference, "UploadPart"; botocore's S3SigV4Auth.
        """
    def complete_multipart_upload_args(
        self,
        algorithm: _Algorithm | None = ...,
        checksum_type: _ChecksumType | None = None,
        uploaded: _Uploaded | None = None,
        *,
        object_checksum: bool = True,
    ) -> dict[str, Any]:
        """
        Make the arguments for complete_multipart_upload, and for the resource's MultipartUpload.complete.

        Args:
            algorithm: Algorithm that the upload was created with: a name from `ALGORITHMS`; case, `-` and `_` are ignored.
                Left out, it is the one that `uploaded` tells, else the only algorithm that was computed beside MD5, or none
                if MD5 is the only one. None is an upload without an algorithm: no part carries a checksum then, because S3
                would answer InvalidPart.
            checksum_type: "COMPOSITE" or "FULL_OBJECT", as the upload was created; None is S3's default for the algorithm.
            uploaded: What S3 returned for the parts: upload_part responses in part order, a mapping from part number to
                response, or the pages of list_parts. Everything it says is compared with the local parts, and its ETags are
                used (necessary with SSE-KMS and SSE-C). None uses the MD5s of the parts as ETags.
            object_checksum: Send the object's own checksum too.

        Returns:
            dict[str, Any]: MultipartUpload={'Parts': [...]}, Checksum<ALG> with ChecksumType, and MpuObjectSize.

        Raises:
            InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
            NotSupportedByS3: S3 refuses the pair of algorithm and type, or `uploaded` is of an upload with another one.
            MissingChecksum: The algorithm was not computed; or MD5 was not, and `uploaded` is None.
            PartPlanError: The plan is a PutObject.
            PartMismatch: S3 lacks parts, or has parts twice or with other bytes; `parts` has their numbers.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
            >>> sums.complete_multipart_upload_args("CRC32C") == {
            ...     "MultipartUpload": {"Parts": [
            ...         {"ETag": '"47bce5c74f589f4867dbd57e9ca9f808"', "PartNumber": 1, "ChecksumCRC32C": "45fn2Q=="}]},
            ...     "ChecksumCRC32C": "IUAC0A==-1", "ChecksumType": "COMPOSITE", "MpuObjectSize": 3}
            True

        Source:
            Answers recorded from Amazon S3; Amazon S3 API Reference, "CompleteMultipartUpload".
        """
    def put_object_args(
        self, algorithm: _Algorithm | None = ..., *, content_md5: bool = True
    ) -> dict[str, Any]:
        """
        Make the arguments for put_object, without the Body.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
                that was computed beside MD5, or none if MD5 is the only one. None sends no checksum.
            content_md5: Send ContentMD5 too if MD5 was computed. botocore then sends the body as it is; otherwise it hashes
                the body once more, by SHA-256, to sign it. False is for stores that refuse ContentMD5 beside a checksum.

        Returns:
            dict[str, Any]: ContentLength, ContentMD5, Checksum<ALG>.

        Raises:
            InvalidArgument: `algorithm` is left out, and several were computed beside MD5.
            NotSupportedByS3: The digests of several parts do not tell that of the whole object. Hash with `part_size=None`.
            MissingChecksum: The algorithm was not computed.
            PartPlanError: The object has more than 5 GiB.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"", ["MD5", "SHA1"], part_size=None).put_object_args("SHA1")
            {'ContentLength': 0, 'ContentMD5': '1B2M2Y8AsgTpgAmY7PhCfg==', 'ChecksumSHA1': '2jmj7l5rSw0yVb/vlWAYkK/YBwk='}

        Source:
            Amazon S3 API Reference, "PutObject".
        """
    def upload_file_args(self, algorithm: _Algorithm = ...) -> dict[str, Any]:
        """
        Make the ExtraArgs for upload_file and upload_fileobj: the checksum of the full object.

        boto3 declares a value that it is given as FULL_OBJECT. So only CRCs are possible where it sends a multipart upload: 8
        MiB and more by default. boto3 then computes the parts' checksums itself, for which CRC32C and CRC64NVME need awscrt
        (`boto3[crt]`) or `partsum.s3.enable_checksums()`.

        Args:
            algorithm: Algorithm name from `ALGORITHMS`; case, `-` and `_` are ignored. Left out, it is the only algorithm
                that was computed beside MD5.

        Returns:
            dict[str, str]: Checksum<ALG>.

        Raises:
            InvalidArgument: `algorithm` is left out, and none or several were computed beside MD5.
            NotSupportedByS3: The algorithm is no CRC, and boto3 sends a multipart upload.
            MissingChecksum: The algorithm was not computed.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaaa", "CRC64NVME").upload_file_args()
            {'ChecksumCRC64NVME': 'GC2rW8VclPA='}

        Source:
            s3transfer's set_default_checksum_algorithm and UploadSubmissionTask.
        """
    def explain(self, error: object, number: int | None = None) -> str | None:
        """
        Explain what S3's refusal means for these bytes: which part, which bytes, what to do. Never raises.

        Args:
            error: The botocore ClientError, its `response` (dict), or what was raised from it, such as boto3's
                S3UploadFailedError.
            number: Number of the part that was being sent, where S3 does not tell it.

        Returns:
            str | None: The explanation; None if the refusal has nothing to do with parts or checksums. Anything that is not
            an error of S3 is explained as such.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(bytes(12 * 2**20), "MD5", part_size="6MiB")
            >>> sums.explain({"Error": {"Code": "InvalidPart", "PartNumber": "2"}})[:46]
            'InvalidPart: part 2 (bytes 6291456-12582911): '
            >>> sums.explain(ValueError("no"))
            'ValueError is not an error that S3 answered; pass the botocore ClientError or its response'
        """
    def to_dict(self) -> dict[str, Any]:
        """
        Return all of it as a dictionary that JSON can hold.

        Returns:
            dict[str, Any]: format, path, size, multipart, part_sizes (list of int), and checksums (a dict from algorithm to
            the base64 values of the parts).

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "CRC32C").to_dict()["checksums"]
            {'CRC32C': ['45fn2Q==']}
        """
    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ObjectChecksums:
        """
        Make the object again from what `to_dict` returned.

        Args:
            data: The dictionary.

        Returns:
            ObjectChecksums: An equal object.

        Raises:
            InvalidArgument: Anything is missing or contradicts the rest (a ValueError).

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
            >>> partsum.ObjectChecksums.from_dict(sums.to_dict()) == sums
            True
        """
    def to_json(self) -> str:
        """
        Return `to_dict()` as a JSON document.

        Returns:
            str: The document.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "CRC32C", part_size=None).to_json()[:58]
            '{"format": "partsum.ObjectChecksums/1", "path": null, "siz'
        """
    @classmethod
    def from_json(cls, text: str | bytes | bytearray) -> ObjectChecksums:
        """
        Make the object again from what `to_json` returned.

        Args:
            text: The document (str, bytes or bytearray).

        Returns:
            ObjectChecksums: An equal object.

        Raises:
            ValueError: It is not JSON, or as `from_dict`.

        Example:
            >>> import partsum
            >>> sums = partsum.hash_bytes(b"aaa", "CRC32C")
            >>> partsum.ObjectChecksums.from_json(sums.to_json()) == sums
            True
        """
    def __eq__(self, other: object, /) -> bool:
        """Return self==value."""
    def __ne__(self, other: object, /) -> bool:
        """Return self!=value."""
    def __hash__(self) -> int:
        """Return hash(self)."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class MultipartUpload:
    """
    The arguments for boto3 of one multipart upload, whose algorithm is named once.

    Made by `ObjectChecksums.multipart_upload`; immutable and picklable. Each of its values is a new dictionary, to be
    merged with your own arguments.

    Example:
        >>> import partsum
        >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB")
        >>> upload = sums.multipart_upload("CRC32C")
        >>> upload
        MultipartUpload(CRC32C COMPOSITE, 1 part, 3 bytes)
        >>> upload.create_args
        {'ChecksumAlgorithm': 'CRC32C', 'ChecksumType': 'COMPOSITE'}
    """
    @property
    def algorithm(self) -> str | None:
        """
        str | None: Name of the algorithm, or None for an upload without one.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().algorithm
            'SHA256'
        """
    @property
    def checksum_type(self) -> str | None:
        """
        str | None: "COMPOSITE" or "FULL_OBJECT", or None for an upload without an algorithm.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().checksum_type
            'COMPOSITE'
        """
    @property
    def create_args(self) -> dict[str, Any]:
        """
        dict[str, str]: Arguments for create_multipart_upload: ChecksumAlgorithm and ChecksumType, or nothing.

        Example:
            >>> import partsum
            >>> partsum.hash_bytes(b"aaa", "SHA256", part_size="8MiB").multipart_upload().create_args
            {'ChecksumAlgorithm': 'SHA256', 'ChecksumType': 'COMPOSITE'}
        """
    def part_args(self, number: int, *, content_md5: bool = True) -> dict[str, Any]:
        """
        Make the arguments for upload_part, without the Body.

        Args:
            number: Part number, from 1.
            content_md5: Send ContentMD5 too if MD5 was computed; see `ObjectChecksums.upload_part_args`.

        Returns:
            dict[str, Any]: PartNumber, ContentLength, ContentMD5, Checksum<ALG>.

        Raises:
            PartPlanError: The plan has no such part.

        Example:
            >>> import partsum
            >>> upload = partsum.hash_bytes(b"aaa", "CRC32C", part_size="8MiB").multipart_upload()
            >>> upload.part_args(1)
            {'PartNumber': 1, 'ContentLength': 3, 'ChecksumCRC32C': '45fn2Q=='}
        """
    def complete_args(
        self, uploaded: _Uploaded | None = None, *, object_checksum: bool = True
    ) -> dict[str, Any]:
        """
        Make the arguments for complete_multipart_upload.

        Args:
            uploaded: What S3 returned for the parts; see `ObjectChecksums.complete_multipart_upload_args`.
            object_checksum: Send the object's own checksum too.

        Returns:
            dict[str, Any]: MultipartUpload, Checksum<ALG>, ChecksumType, MpuObjectSize.

        Raises:
            MissingChecksum: MD5 was not computed, and `uploaded` is None.
            NotSupportedByS3: `uploaded` is of an upload with another algorithm or type.
            PartMismatch: S3 lacks parts, or has parts twice or with other bytes; `parts` has their numbers.

        Example:
            >>> import partsum
            >>> upload = partsum.hash_bytes(b"aaa", ["MD5", "CRC32C"], part_size="8MiB").multipart_upload()
            >>> upload.complete_args()["ChecksumCRC32C"]
            'IUAC0A==-1'
        """
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Hasher:
    """
    Hash one message with one algorithm, in hashlib's shape. Made by `new`.

    Threads may share it: updates take turns, and big ones (2048 bytes and more) release the GIL.

    Example:
        >>> import partsum
        >>> hasher = partsum.new("CRC64NVME")
        >>> hasher.update(b"123456789")
        >>> hasher.hexdigest(), hasher.b64digest()
        ('ae8b14860a799888', 'rosUhgp5mIg=')
        >>> hasher
        <partsum.Hasher CRC64NVME ae8b14860a799888>
    """
    @property
    def name(self) -> str:
        """str: S3's name of the algorithm."""
    @property
    def digest_size(self) -> int:
        """int: Number of bytes in the digest."""
    @property
    def block_size(self) -> int:
        """int: Number of bytes that the algorithm takes at once; 1 for CRCs."""
    def update(self, data: Buffer, /) -> None:
        """
        Append to the message.

        Args:
            data: Any C-contiguous buffer, such as bytes.

        Raises:
            TypeError: `data` has no buffer, as str.
            BufferError: `data` is not C-contiguous.

        Example:
            >>> import partsum
            >>> hasher = partsum.new("CRC32")
            >>> hasher.update(b"123456789"); hasher.hexdigest()
            'cbf43926'
        """
    def digest(self) -> bytes:
        r"""
        Return the digest so far; more may be appended after.

        Returns:
            bytes: The digest, big-endian for CRCs and XXH.

        Example:
            >>> import partsum
            >>> partsum.new("CRC32", b"123456789").digest()
            b'\xcb\xf49&'
        """
    def hexdigest(self) -> str:
        """
        Return the digest so far in hexadecimal.

        Returns:
            str: The digest, in lower case.

        Example:
            >>> import partsum
            >>> partsum.new("XXHASH3", b"hello world").hexdigest()
            'd447b1ea40e6988b'
        """
    def b64digest(self) -> str:
        """
        Return the digest so far in base64, as S3 shows it.

        Returns:
            str: The digest.

        Example:
            >>> import partsum
            >>> partsum.new("XXHASH3", b"hello world").b64digest()
            '1Eex6kDmmIs='
        """
    def copy(self) -> Hasher:
        """
        Copy the hasher.

        Returns:
            Hasher: An independent hasher with the same message so far.

        Example:
            >>> import partsum
            >>> first = partsum.new("CRC32", b"1234"); second = first.copy(); second.update(b"56789")
            >>> second.hexdigest()
            'cbf43926'
        """

@final
class MultipartHasher:
    """
    Hash an object of unknown size that comes in chunks, and cut it into parts on the way.

    Chunks that hold several whole parts are hashed on all SIMD lanes and cores: feed big ones. The GIL is released while
    hashing; threads that share a hasher take turns.

    After `finish`, or after it or `update` raised, the hasher is closed, and both raise ValueError.

    Args:
        algorithms: One algorithm name or an iterable of names, from `ALGORITHMS`; case, `-` and `_` are ignored.
        part_size: Part size in bytes (int), a size such as "8MiB", a preset from `PRESETS`, a list of sizes, a `PartPlan`,
            or None for one PutObject. "boto3" plans parts of 8 MiB, and one PutObject if less than that came.
        threads: Number of threads; None uses every CPU that the process may use.
        allow_small_parts: Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.

    Raises:
        PartPlanError: `part_size` is a preset that plans from the object's size, such as "rclone" (a ValueError).
        InvalidArgument: An algorithm is unknown or none is given, or `threads` is below 1 (a ValueError).

    Example:
        >>> import partsum
        >>> hasher = partsum.MultipartHasher(["MD5", "CRC32C"], "5MiB")
        >>> for chunk in (b"a", b"a", b"a"):
        ...     hasher.update(chunk)
        >>> hasher
        <partsum.MultipartHasher MD5 CRC32C, 3 bytes so far>
        >>> hasher.finish().etag
        'e2c3da976e66ec9e7dc128fbc782fc91-1'
    """
    def __new__(
        cls,
        algorithms: _Algorithm | Iterable[_Algorithm],
        part_size: _PartSize = "boto3",
        *,
        threads: int | None = None,
        allow_small_parts: bool = False,
    ) -> MultipartHasher: ...
    def update(self, data: Buffer, /, *, progress: _Progress | None = None) -> None:
        """
        Append to the object.

        Args:
            data: Any C-contiguous buffer, such as bytes.
            progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
                exception that it raises stops the work, propagates and closes the hasher.

        Raises:
            PartPlanError: S3 would refuse the plan whatever comes (a ValueError).
            ValueError: The hasher is closed.

        Example:
            >>> import partsum
            >>> hasher = partsum.MultipartHasher("CRC32C", None)
            >>> hasher.update(b"1234"); hasher.update(b"56789")
            >>> hasher.finish().parts[0].digest("CRC32C").hex()
            'e3069283'
        """
    def _best_piece(self, offset: int, limit: int) -> int:
        """Recommended size of the next `update` after `offset` bytes, at most `limit`."""
    def finish(self) -> ObjectChecksums:
        """
        Return the checksums of everything that was fed, and close the hasher.

        Returns:
            ObjectChecksums: The checksums; their `path` is None.

        Raises:
            PartPlanError: The bytes are not those of an explicit plan, or S3 would refuse the plan (a ValueError).
            ValueError: The hasher is closed.

        Example:
            >>> import partsum
            >>> partsum.MultipartHasher(["MD5"], "8MiB").finish().etag      # one empty part
            '59adb24ef3cdbe0297f05b395827453f-1'
        """

def combine_crc(algorithm: _Algorithm, first: bytes, second: bytes, second_size: int) -> bytes:
    """
    Combine the CRCs of two adjoining ranges into the CRC of both.

    Args:
        algorithm: Name of a CRC from `ALGORITHMS`; case, `-` and `_` are ignored.
        first: Digest of the first range (bytes).
        second: Digest of the second range (bytes).
        second_size: Number of bytes in the second range.

    Returns:
        bytes: Digest of both ranges.
    """

def verify(
    path_or_checksums: str | PathLike[str] | ObjectChecksums,
    response_or_responses: _Response | Iterable[_Response] | str | bytes,
    *,
    threads: int | None = None,
    io: _Io = "auto",
    progress: _Progress | None = None,
    thorough: bool = False,
    quirks: str | Iterable[str] = (),
) -> Verdict:
    """
    Compare local bytes with an S3 object by what S3 says of it. Nothing goes over the network.

    The size is compared first. A full object CRC needs no part sizes. Composite checksums and ETags "...-N" are compared
    under the object's own parts if the responses tell them, else under every usual part plan: a match under one is a match,
    and no match is NOT_COMPARABLE.

    Everything that S3 said and that is known here is compared, and one value that differs is a MISMATCH, whatever agrees.
    An ETag that agrees is a proof anywhere. One that differs counts only where ETags are MD5s: not with SSE-KMS, SSE-C or in
    directory buckets (responses of get_object_attributes and list_parts do not tell the encryption: add the one of
    head_object). `Verdict.not_compared` has the values that could not be compared. Responses of several objects, versions or
    uploads prove nothing; the parts of an unfinished upload are not the object.

    Args:
        path_or_checksums: File to compare (str or os.PathLike), of which only what the responses call for is computed, in
            one read; or `ObjectChecksums`, of which everything is compared.
        response_or_responses: What boto3 returned from head_object, get_object_attributes (all pages), list_parts (all
            pages) or head_object(PartNumber=n): one or an iterable of any of them; also loaded from JSON, or as JSON text.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates.
        thorough: Compute also what is slow beside the rest: the MD5 of more than 64 MiB as one message beside a CRC, and
            every usual part plan for an ETag.
        quirks: Names from `partsum.s3.QUIRKS`, for a store that is not Amazon's.

    Returns:
        Verdict: The outcome, and what it rests on.

    Raises:
        ValueError: A response is an error, a delete marker, or none of those.
        TypeError: A response or one of its members has a wrong type.
        OSError: The file cannot be read.
        FileChangedError: The file changed while it was hashed.

    Example:
        >>> import partsum
        >>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
        >>> head = {"ContentLength": 3, "ETag": '"e2c3da976e66ec9e7dc128fbc782fc91-1"',
        ...         "ChecksumCRC64NVME": "Rnr2/5P7Gsk=", "ChecksumType": "FULL_OBJECT"}     # client.head_object(...)
        >>> verdict = partsum.verify(sums, head)
        >>> str(verdict.status), verdict.evidence, verdict.strength
        ('MATCH', ('size', 'ChecksumCRC64NVME FULL_OBJECT', 'ETag'), 'collision-prone')
        >>> partsum.verify(sums, {"ContentLength": 4}).reason
        'the size is 4 bytes in S3, 3 here'

    Source:
        Amazon S3 User Guide, "Checking object integrity in Amazon S3"; answers recorded from Amazon S3.
    """

def solve_etag(
    path: str | PathLike[str],
    etag: str,
    *,
    candidates: Iterable[_PartSize] | None = None,
    threads: int | None = None,
    io: _Io = "auto",
    progress: _Progress | None = None,
) -> list[PartPlan]:
    """
    Find the part plans under which a file has an ETag.

    By default these are tried: what the tools in `PRESETS` do, and if it is none of these, in a second read, powers of two
    MiB, whole MiB and MB, equal parts, and the usual roundings of a ten-thousandth of the file; of those, the ones that give
    N parts.

    Args:
        path: File to hash (str or os.PathLike).
        etag: ETag as S3 shows it ("...-N"; quotes, `W/` and case are ignored); without "-N" it is that of one PutObject.
        candidates: Part sizes to try instead (an iterable of what part_size takes), or None.
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), on the calling thread. An
            exception that it raises stops the work and propagates.

    Returns:
        list[PartPlan]: The plans that give the ETag, those of tools first; usually one. Empty if the bytes differ, the parts
        are uneven, or the ETag is no MD5 (SSE-KMS, SSE-C). `PartPlan.presets` names the tools that plan so.

    Raises:
        ValueError: The ETag has not the form of one made of MD5s.
        OSError: The file cannot be read.
        FileChangedError: The file changed while it was hashed.

    Example:
        >>> import pathlib, tempfile, partsum
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "file"
        >>> _ = path.write_bytes(bytes(20 * 2**20))
        >>> etag = partsum.hash_file(path, "MD5", part_size="8MiB").etag
        >>> [plan] = partsum.solve_etag(path, etag)
        >>> plan, plan.presets[:2]
        (PartPlan(20971520 bytes, 3 parts of 8388608), ('boto3', 'awscli'))
    """

def runtime_info() -> dict[str, Any]:
    """
    Tell what this build and this CPU do, for reports.

    Returns:
        dict[str, Any]: Version, instruction sets, CPU features, lanes of each algorithm, threads.
    """

@final
class _NextRequest:
    """A request that `_Answers.next_request` calls for."""
    @property
    def operation(self) -> str:
        """Name of the client's method."""
    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments beside those that name the object."""

@final
class _Answers:
    """What S3 said of one object so far."""
    def __new__(cls, quirks: str | Iterable[str] = ()) -> _Answers: ...
    @property
    def size(self) -> int | None:
        """Bytes in the object, or None."""
    @property
    def multipart(self) -> bool:
        """Whether the object was uploaded in parts, by its ETag or checksum."""
    @property
    def has_md5_etag(self) -> bool:
        """Whether the ETag can be compared with MD5s, as far as the answers tell."""
    @property
    def whole_algorithm(self) -> str | None:
        """The algorithm whose digest of all bytes is enough to compare, or None."""
    def answered(self, request: _NextRequest, response: _Response) -> None:
        """Take in the answer to a request."""
    def refused(self, request: _NextRequest, code: str) -> bool:
        """Take in that a request was refused with an error code; False if the error has to come out."""
    def include(self, source: Literal["list", "task", "inventory"], said: _Response) -> None:
        """
        Take in what another source said of the object: "list", an entry of list_objects_v2; "task", the result of one in a
        completion report; "inventory", a row by the names of its columns.
        """
    def next_request(
        self, size: int | None = None, *, md5: bool = True, undecided: bool = False
    ) -> _NextRequest | None:
        """The request to make next, or None: for the part plan, or with `size` for a verdict on so many bytes."""
    def plan(self) -> PartPlan | None:
        """The part plan if the answers tell it, else None."""
    def likely_plan(self) -> PartPlan | None:
        """The multipart plan of the first known tool that cuts the object into so many parts, or None."""
    def know(self, sums: ObjectChecksums) -> None:
        """Take in local checksums that are known already."""
    def verify(
        self,
        path_or_checksums: str | PathLike[str] | ObjectChecksums,
        *,
        threads: int | None = None,
        io: _Io = "auto",
        progress: _Progress | None = None,
        thorough: bool = False,
    ) -> Verdict:
        """Compare a file, hashing what is not known yet, or `ObjectChecksums`."""

def _bare_etag(etag: str) -> str:
    """An ETag without quotes and `W/`, as `UploadResult.etag` has it."""

def _listed_parts(
    uploaded: Iterable[_Response],
) -> tuple[str | None, str | None, list[tuple[int, int | None]]]:
    """What pages of ListParts say: the upload's algorithm and type, if they tell, and number and size of each part."""

def _meanings(code: str) -> list[str]:
    """What an error code of S3 means to partsum: names of meanings."""

def _quirk_table() -> list[tuple[str, str, str, str]]:
    """Rows of the table of quirks: name, effect, stores, source."""

def _right_parts(
    sums: ObjectChecksums, uploaded: Mapping[int, _Response], algorithm: str | None
) -> tuple[list[int], bool]:
    """The numbers of the uploaded parts that need not be sent again, and whether their ETags are no MD5s."""

def _algorithm_table() -> list[tuple[str, int, list[str], str]]:
    """Rows of `ALGORITHMS`: name, digest size, checksum types of multipart uploads, field."""

def _parse_size(text: str) -> int:
    """Bytes in a size such as "8MiB"."""

def _preset_table() -> list[tuple[str, str, int, int, str]]:
    """Rows of `PRESETS`: name, tool, threshold, part size, source."""

def _rebuild_plan(size: int, sizes: list[int] | None) -> PartPlan:
    """Unpickles a PartPlan."""

def _rebuild_part(
    number: int, offset: int, size: int, digests: list[tuple[str, str]]
) -> PartChecksums:
    """Unpickles a PartChecksums."""
