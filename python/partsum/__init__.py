"""Everything Amazon S3 will say about your bytes, before you send them.

>>> import partsum
>>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
>>> sums.etag, sums.checksum("CRC64NVME")
('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
"""

from _collections_abc import Sequence  # collections.abc has it too, and takes longer to import

from partsum._core import (
    Hasher,
    MultipartHasher,
    MultipartUpload,
    ObjectChecksums,
    Part,
    PartChecksums,
    PartPlan,
    __version__,
    hash_bytes,
    hash_file,
    hash_files,
    hash_plans,
    new,
    plan_parts,
    solve_etag,
    verify,
)

TYPE_CHECKING = False  # as typing has it, which takes longer to import than all that is here
if TYPE_CHECKING:
    from partsum._hashing_reader import HashingReader
    from partsum._stream import hash_stream
    from partsum._tables import ALGORITHMS, PRESETS, Algorithm, Preset, algorithms_available
    from partsum.errors import (
        FileChangedError,
        FileError,
        Hint,
        InvalidArgument,
        MissingChecksum,
        NothingToResume,
        NotSupportedByS3,
        PartMismatch,
        PartPlanError,
        PartsumError,
    )
    from partsum.verdict import BadPart, Status, Verdict

__all__ = [
    "ALGORITHMS",
    "PRESETS",
    "Algorithm",
    "BadPart",
    "FileChangedError",
    "FileError",
    "Hasher",
    "HashingReader",
    "Hint",
    "InvalidArgument",
    "MissingChecksum",
    "MultipartHasher",
    "MultipartUpload",
    "NotSupportedByS3",
    "NothingToResume",
    "ObjectChecksums",
    "Part",
    "PartChecksums",
    "PartMismatch",
    "PartPlan",
    "PartPlanError",
    "PartsumError",
    "Preset",
    "Status",
    "Verdict",
    "__version__",
    "algorithms_available",
    "hash_bytes",
    "hash_file",
    "hash_files",
    "hash_plans",
    "hash_stream",
    "new",
    "plan_parts",
    "solve_etag",
    "verify",
]

Sequence.register(PartPlan)

# Where users find them, for messages and pickles; classes say so by themselves.
for _public in (hash_bytes, hash_file, hash_files, hash_plans, new, plan_parts, solve_etag, verify):
    _public.__module__ = "partsum"

# Imported when they are first asked for: a command that prints one ETag needs none of them.
_MODULES = {
    "_hashing_reader": ("HashingReader",),
    "_stream": ("hash_stream",),
    "_tables": ("ALGORITHMS", "PRESETS", "Algorithm", "Preset", "algorithms_available"),
    "errors": (
        "FileChangedError",
        "FileError",
        "Hint",
        "InvalidArgument",
        "MissingChecksum",
        "NothingToResume",
        "NotSupportedByS3",
        "PartMismatch",
        "PartPlanError",
        "PartsumError",
    ),
    "verdict": ("BadPart", "Status", "Verdict"),
}

if not TYPE_CHECKING:

    def __getattr__(name):  # noqa: ANN001, ANN202  (not for type checkers)
        from importlib import import_module

        for module, names in _MODULES.items():
            if name in names:
                value = getattr(import_module(f"partsum.{module}"), name)
                globals()[name] = value
                return value
        if name in ("errors", "verdict"):
            return import_module(f"partsum.{name}")
        raise AttributeError(f"module 'partsum' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
