"""The front door: every promised name, its signature, its documentation, the cost of importing."""

import doctest
import inspect
import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import partsum.aio
import partsum.s3
import pytest

FUNCTIONS = {
    "hash_file": "path, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, "
    "io='auto', progress=None, allow_small_parts=False",
    "hash_files": "paths, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, "
    "io='auto', progress=None, allow_small_parts=False",
    "hash_bytes": "buffer, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, "
    "progress=None, allow_small_parts=False",
    "hash_plans": "path, plans, algorithms=('MD5', 'CRC64NVME'), *, threads=None, io='auto', "
    "progress=None, allow_small_parts=False",
    "hash_stream": "readable, algorithms=('MD5', 'CRC64NVME'), *, part_size='boto3', threads=None, "
    "memory_limit='512MiB', progress=None, allow_small_parts=False",
    "new": "algorithm, data=b''",
    "plan_parts": "size, part_size='boto3', *, allow_small_parts=False",
    "verify": "path_or_checksums, response_or_responses",
    "solve_etag": "path, etag, *, candidates=None",
}
METHODS = {
    "ObjectChecksums": {
        "matches_etag": "etag",
        "composite": "algorithm",
        "full_object": "algorithm",
        "checksum": "algorithm, checksum_type=None",
        "multipart_upload": "algorithm=..., checksum_type=None",
        "create_multipart_upload_args": "algorithm=..., checksum_type=None",
        "upload_part_args": "number, algorithm=..., *, content_md5=True",
        "complete_multipart_upload_args": "algorithm=..., checksum_type=None, uploaded=None, *, "
        "object_checksum=True",
        "put_object_args": "algorithm=..., *, content_md5=True",
        "upload_file_args": "algorithm=...",
        "explain": "error, number=None",
        "to_dict": "",
        "from_dict": "document",
        "to_json": "",
        "from_json": "text",
    },
    "PartChecksums": {"checksum": "algorithm", "digest": "algorithm"},
    "PartPlan": {"index": "part, start=0, stop=None", "count": "part"},
    "MultipartUpload": {
        "part_args": "number, *, content_md5=True",
        "complete_args": "uploaded=None, *, object_checksum=True",
    },
    "Hasher": {"update": "data", "digest": "", "hexdigest": "", "b64digest": "", "copy": ""},
    "MultipartHasher": {"update": "data, *, progress=None", "finish": ""},
    "HashingReader": {
        "read": "size=-1",
        "readinto": "buffer",
        "tell": "",
        "seek": "offset, whence=0",
        "close": "",
        "checksums": "",
    },
}
ATTRIBUTES = {
    "ObjectChecksums": ["path", "size", "plan", "algorithms", "parts", "etag"],
    "PartChecksums": ["number", "offset", "size", "etag"],
    "PartPlan": ["size", "sizes", "offsets", "multipart", "presets"],
    "Part": ["number", "offset", "size"],
    "MultipartUpload": ["algorithm", "checksum_type", "create_args"],
    "Verdict": ["status", "reason", "evidence", "bad_parts"],
    "BadPart": ["number", "offset", "size"],
    "Status": ["MATCH", "MISMATCH", "NOT_COMPARABLE"],
    "Hasher": ["name", "digest_size", "block_size"],
}
ERRORS = ["PartsumError", "InvalidArgument", "PartPlanError", "NotSupportedByS3",
          "MissingChecksum", "PartMismatch", "FileChangedError"]  # fmt: skip
VALUES = ["ALGORITHMS", "PRESETS", "algorithms_available", "__version__"]
CLASSES = sorted({*METHODS, *ATTRIBUTES, "Algorithm", "Hint"})
PROMISED = sorted([*FUNCTIONS, *CLASSES, *ERRORS, *VALUES])


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names(name: str) -> None:
    assert hasattr(partsum, name)
    if not name.startswith("_"):
        assert name in partsum.__all__
        assert name in dir(partsum)


def test_all_is_true_and_sorted_names_only() -> None:
    assert len(set(partsum.__all__)) == len(partsum.__all__)
    for name in partsum.__all__:
        assert hasattr(partsum, name)
    namespace: dict[str, Any] = {}
    exec("from partsum import *", namespace)
    assert set(partsum.__all__) <= set(namespace)


def test_nothing_public_is_left_out_of_all() -> None:
    public = {
        name
        for name, value in vars(partsum).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("partsum")
    }
    assert public <= set(partsum.__all__)


@pytest.mark.parametrize("module", [partsum, partsum.s3, partsum.aio])
def test_public_names_say_where_they_are_imported_from(module: Any) -> None:
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert value.__module__ == module.__name__, name
            assert pickle.loads(pickle.dumps(value)) is value


def parameters(signature: inspect.Signature) -> list[tuple[str, bool, Any]]:
    """Name, whether it is by keyword only, and the default."""
    return [
        (one.name, one.kind is one.KEYWORD_ONLY, one.default)
        for one in signature.parameters.values()
        if one.name not in ("self", "cls")
    ]


def promised(text: str) -> list[tuple[str, bool, Any]]:
    namespace: dict[str, Any] = {}
    exec(f"def function({text}): ...", namespace)
    return parameters(inspect.signature(namespace["function"]))


def follows(found: inspect.Signature, text: str) -> None:
    """The promised parameters in their order; names of positional ones may be more telling."""
    ours, wanted = parameters(found), promised(text)
    positional = [one for one in ours if not one[1]]
    expected = [one for one in wanted if not one[1]]
    assert [one[2] for one in positional] == [one[2] for one in expected]
    optional = [one[0] for one in expected if one[2] is not inspect.Parameter.empty]
    assert [one[0] for one in positional if one[2] is not inspect.Parameter.empty] == optional
    keywords = {one[0]: one[2] for one in ours if one[1]}
    assert {one[0]: one[2] for one in wanted if one[1]}.items() <= keywords.items()
    for name, _, default in ours:
        if name not in [one[0] for one in wanted]:
            assert default is not inspect.Parameter.empty or name in [one[0] for one in positional]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_of_functions(name: str) -> None:
    follows(inspect.signature(getattr(partsum, name)), FUNCTIONS[name])


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, methods in METHODS.items() for name in methods]
)
def test_signatures_of_methods(owner: str, name: str) -> None:
    follows(inspect.signature(getattr(getattr(partsum, owner), name)), METHODS[owner][name])


def test_signature_of_hashing_reader() -> None:
    found = parameters(inspect.signature(partsum.HashingReader))
    assert [one[0] for one in found if not one[1]] == ["body", "algorithms"]
    assert "part_size" in [one[0] for one in found if one[1]]


def test_signature_of_multipart_hasher() -> None:
    found = parameters(inspect.signature(partsum.MultipartHasher))
    assert [one[0] for one in found if not one[1]] == ["algorithms", "part_size"]


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in ATTRIBUTES.items() for name in names]
)
def test_attributes(owner: str, name: str) -> None:
    assert hasattr(getattr(partsum, owner), name)


# --- documentation -------------------------------------------------------------------------------


def documented() -> Iterator[tuple[str, Any]]:
    """Every public function, class and method."""
    for name in partsum.__all__:
        value = getattr(partsum, name)
        if inspect.isclass(value):
            yield name, value
            for member in vars(value):
                if not member.startswith("_") and callable(getattr(value, member)):
                    yield f"{name}.{member}", getattr(value, member)
        elif inspect.isroutine(value):
            yield name, value


@pytest.mark.parametrize(
    ("name", "value"), list(documented()), ids=lambda one: one if type(one) is str else ""
)
def test_documentation_has_an_example(name: str, value: Any) -> None:
    text = inspect.getdoc(value)
    assert text, name
    if inspect.isclass(value) and issubclass(value, Exception):
        return
    assert ">>> " in text, f"{name} has no example"


@pytest.mark.parametrize(
    ("name", "value"), list(documented()), ids=lambda one: one if type(one) is str else ""
)
def test_examples_run(
    name: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(value) or ""
    test = doctest.DocTestParser().get_doctest(text, {"partsum": partsum}, name, None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_documentation_of_the_package_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = partsum.__doc__ or ""
    assert ">>> " in text
    test = doctest.DocTestParser().get_doctest(text, {}, "partsum", None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize(
    ("name", "value"), list(documented()), ids=lambda one: one if type(one) is str else ""
)
def test_every_parameter_is_documented(name: str, value: Any) -> None:
    """For what is compiled: one entry under Args for each parameter, and no other."""
    if not hasattr(partsum._core, name.partition(".")[0]):
        return
    try:
        signature = inspect.signature(value)
    except ValueError:  # made by other functions only
        return
    lines = (inspect.getdoc(value) or "").splitlines()
    start = lines.index("Args:") + 1 if "Args:" in lines else len(lines)
    section = itertools.takewhile(lambda line: line.startswith(" "), lines[start:])
    entries = [line.partition(":")[0].strip() for line in section if line[4] != " "]
    assert entries == [one[0] for one in parameters(signature)]


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in ATTRIBUTES.items() for name in names]
)
def test_attributes_are_documented(owner: str, name: str) -> None:
    value = inspect.getattr_static(getattr(partsum, owner), name)
    assert inspect.getdoc(value), f"{owner}.{name}"


def test_typed() -> None:
    folder = Path(partsum.__file__).parent
    assert (folder / "py.typed").exists()


# --- what an import costs ------------------------------------------------------------------------

IMPORT = """
import os, sys, threading
before = set(sys.modules)
import partsum
for name in partsum.__all__:
    getattr(partsum, name)  # some are imported then
assert threading.active_count() == 1
if os.path.exists("/proc/self/task"):
    assert len(os.listdir("/proc/self/task")) == 1
new = {name.partition(".")[0] for name in set(sys.modules) - before}
foreign = {name for name in new if name not in sys.stdlib_module_names and name != "partsum"}
print(sorted(name for name in foreign if not name.startswith("_")))
"""


def test_import_starts_no_thread_and_needs_the_standard_library_alone() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_version() -> None:
    assert partsum.__version__.count(".") >= 2
    assert partsum.__version__ == partsum._core.__version__
