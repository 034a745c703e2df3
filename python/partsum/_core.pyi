from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Literal, SupportsIndex, TypeAlias, final

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
_Response: TypeAlias = Mapping[str, Any]
_Uploaded: TypeAlias = _Response | Iterable[_Response] | Mapping[int, _Response]

__all__ = [
    "Hasher",
    "MultipartHasher",
    "ObjectChecksums",
    "PartChecksums",
    "PartPlan",
    "_Files",
    "__version__",
    "_algorithm_table",
    "_parse_size",
    "_preset_table",
    "_rebuild_part",
    "_rebuild_plan",
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
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    allow_small_parts: bool = False,
) -> ObjectChecksums: ...
def hash_bytes(
    buffer: Buffer,
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    progress: Callable[[int], object] | None = None,
    allow_small_parts: bool = False,
) -> ObjectChecksums: ...

@final
class _Files(Iterator[ObjectChecksums | FileError]):
    def __iter__(self) -> _Files: ...
    def __next__(self) -> ObjectChecksums | FileError: ...

def hash_files(
    paths: Iterable[str | PathLike[str]],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    part_size: _PartSize = "boto3",
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    allow_small_parts: bool = False,
) -> _Files: ...
def hash_plans(
    path: str | PathLike[str],
    plans: Iterable[_PartSize],
    algorithms: _Algorithm | Iterable[_Algorithm] = ("MD5", "CRC64NVME"),
    *,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    allow_small_parts: bool = False,
) -> list[ObjectChecksums]: ...
def new(algorithm: _Algorithm, data: Buffer = b"") -> Hasher: ...
def plan_parts(
    size: SupportsIndex, part_size: _PartSize = "boto3", *, allow_small_parts: bool = False
) -> PartPlan: ...

@final
class PartPlan:
    @property
    def size(self) -> int: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    @property
    def offsets(self) -> tuple[int, ...]: ...
    @property
    def multipart(self) -> bool: ...
    @property
    def presets(self) -> tuple[str, ...]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class PartChecksums:
    @property
    def number(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...
    def checksum(self, alg: _Algorithm) -> str: ...
    def digest(self, alg: _Algorithm) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ObjectChecksums:
    @property
    def path(self) -> str | None: ...
    @property
    def size(self) -> int: ...
    @property
    def plan(self) -> PartPlan: ...
    @property
    def algorithms(self) -> tuple[str, ...]: ...
    @property
    def parts(self) -> tuple[PartChecksums, ...]: ...
    @property
    def etag(self) -> str: ...
    def matches_etag(self, etag: str) -> bool: ...
    def composite(self, alg: _Algorithm) -> str: ...
    def full_object(self, alg: _Algorithm) -> str: ...
    def checksum(self, alg: _Algorithm, type: _ChecksumType | None = None) -> str: ...
    def create_multipart_upload_args(
        self, alg: _Algorithm | None = None, checksum_type: _ChecksumType | None = None
    ) -> dict[str, Any]: ...
    def upload_part_args(
        self, number: int, alg: _Algorithm | None = None, *, content_md5: bool = True
    ) -> dict[str, Any]: ...
    def complete_multipart_upload_args(
        self,
        alg: _Algorithm | None = None,
        checksum_type: _ChecksumType | None = None,
        uploaded: _Uploaded | None = None,
        *,
        object_checksum: bool = True,
    ) -> dict[str, Any]: ...
    def put_object_args(
        self, alg: _Algorithm | None = None, *, content_md5: bool = True
    ) -> dict[str, Any]: ...
    def upload_file_args(self, alg: _Algorithm) -> dict[str, Any]: ...
    def explain(self, error: object, number: int | None = None) -> str | None: ...
    def to_dict(self) -> dict[str, Any]: ...
    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ObjectChecksums: ...
    def to_json(self) -> str: ...
    @classmethod
    def from_json(cls, text: str | bytes | bytearray) -> ObjectChecksums: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Hasher:
    @property
    def name(self) -> str: ...
    @property
    def digest_size(self) -> int: ...
    @property
    def block_size(self) -> int: ...
    def update(self, data: Buffer, /) -> None: ...
    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...
    def b64digest(self) -> str: ...
    def copy(self) -> Hasher: ...

@final
class MultipartHasher:
    def __new__(
        cls,
        algorithms: _Algorithm | Iterable[_Algorithm],
        part_size: _PartSize = "boto3",
        *,
        threads: int | None = None,
        allow_small_parts: bool = False,
    ) -> MultipartHasher: ...
    def update(
        self, data: Buffer, /, *, progress: Callable[[int], object] | None = None
    ) -> None: ...
    def _best_piece(self, offset: int, limit: int) -> int: ...
    def finish(self) -> ObjectChecksums: ...

def combine_crc(algorithm: _Algorithm, first: bytes, second: bytes, second_size: int) -> bytes: ...
def verify(
    path_or_checksums: str | PathLike[str] | ObjectChecksums,
    response_or_responses: _Response | Iterable[_Response] | str | bytes,
    *,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
) -> Verdict: ...
def solve_etag(
    path: str | PathLike[str],
    etag: str,
    *,
    candidates: Iterable[_PartSize] | None = None,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
) -> list[PartPlan]: ...
def runtime_info() -> dict[str, Any]: ...
def _algorithm_table() -> list[tuple[str, int, list[str], str]]: ...
def _parse_size(text: str) -> int: ...
def _preset_table() -> list[tuple[str, str, int, int, str]]: ...
def _rebuild_plan(size: int, sizes: list[int] | None) -> PartPlan: ...
def _rebuild_part(
    number: int, offset: int, size: int, digests: list[tuple[str, str]]
) -> PartChecksums: ...
