"""`solve_etag`: from an ETag back to the parts, and to the tools that cut so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import assume, given
from hypothesis import strategies as st

MIB = 2**20
SIZE = 37 * MIB + 12_345


@pytest.fixture(scope="module")
def path(make_file: Callable[..., Path]) -> Path:
    return make_file(SIZE)


def etag(path: Path, part_size: Any) -> str:
    return partsum.hash_file(path, "MD5", part_size=part_size, allow_small_parts=True).etag


@pytest.mark.parametrize(
    "part_size",
    ["5MiB", "8MiB", "10MiB", "15MiB", "16MiB", "32 MiB", "5MB", "10 MB", "17179870", "1MiB",
     "13MiB", "19MB", SIZE, -(-SIZE // 3), -(-SIZE // 7)],
)  # fmt: skip
def test_part_sizes_that_people_use(part_size: str | int, path: Path) -> None:
    found = partsum.solve_etag(path, etag(path, part_size))
    assert found == [partsum.plan_parts(SIZE, part_size, allow_small_parts=True)]


def test_put_object(path: Path) -> None:
    [plan] = partsum.solve_etag(path, f'"{etag(path, None)}"')
    assert plan == partsum.plan_parts(SIZE, None)
    assert not plan.multipart


def test_recorded(tmp_path: Path) -> None:
    """The upload whose answers were recorded from Amazon S3, and the plain copy of it."""
    recorded = oracle.load("aws_multipart.json")
    path = tmp_path / "file"
    path.write_bytes(b"a" * (2 * 5242881 + 10))
    [plan] = partsum.solve_etag(path, recorded["etag"])
    assert plan.sizes == (5242881, 5242881, 10)
    [plan] = partsum.solve_etag(path, recorded["single_put_etag"])
    assert not plan.multipart


def test_presets_are_found_and_named(path: Path) -> None:
    """Whatever a tool does by default is among the candidates, and the plan names the tool."""
    for name in partsum.PRESETS:
        plan = partsum.plan_parts(SIZE, name)
        [found] = partsum.solve_etag(path, etag(path, name))
        assert found == plan
        assert name in found.presets
        assert all(partsum.plan_parts(SIZE, other) == plan for other in found.presets)


def test_presets_of_a_plan() -> None:
    assert partsum.plan_parts(SIZE, "9MiB").presets == ()
    assert "boto3" in partsum.plan_parts(20 * MIB).presets
    assert "boto3" in partsum.plan_parts(20 * MIB, [8 * MIB, 8 * MIB, 4 * MIB]).presets
    assert "boto3" not in partsum.plan_parts(20 * MIB, [8 * MIB, 7 * MIB, 5 * MIB]).presets
    # Tools that do not cut below a threshold send it whole.
    assert {"boto3", "rclone"} <= set(partsum.plan_parts(1, None).presets)
    assert "pyarrow" in partsum.plan_parts(1, [1]).presets


@pytest.mark.parametrize("written", ["{}", '"{}"', 'W/"{}"', " {} "])
def test_spelling(written: str, path: Path) -> None:
    value = etag(path, "8MiB")
    for spelt in (value, value.upper()):
        assert len(partsum.solve_etag(path, written.format(spelt))) == 1


def test_other_bytes(path: Path, make_file: Callable[..., Path]) -> None:
    other = make_file(SIZE, seed=1)
    assert partsum.solve_etag(other, etag(path, "8MiB")) == []
    assert partsum.solve_etag(other, etag(path, None)) == []


def test_uneven_parts_are_not_found_unless_named(path: Path) -> None:
    sizes = [6 * MIB, 12 * MIB, SIZE - 18 * MIB]
    value = etag(path, sizes)
    assert partsum.solve_etag(path, value) == []
    plan = partsum.plan_parts(SIZE, sizes)
    assert partsum.solve_etag(path, value, candidates=[sizes]) == [plan]
    assert partsum.solve_etag(path, value, candidates=iter([plan, "8MiB", None, sizes])) == [plan]


def test_candidates_replace_the_usual_ones(path: Path) -> None:
    value = etag(path, "8MiB")
    assert partsum.solve_etag(path, value, candidates=[]) == []
    assert partsum.solve_etag(path, value, candidates=["16MiB", 9 * MIB]) == []
    [plan] = partsum.solve_etag(path, value, candidates=["boto3", 8 * MIB, "8MiB"])
    assert len(plan) == 5
    assert partsum.solve_etag(path, etag(path, None), candidates=["8MiB"]) == []
    assert len(partsum.solve_etag(path, etag(path, None), candidates=["8MiB", None])) == 1
    # One that does not fit the file is not its plan.
    assert partsum.solve_etag(path, value, candidates=[[1, 2], 1]) == []


def test_empty_files_and_empty_parts(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    [plan] = partsum.solve_etag(path, "59adb24ef3cdbe0297f05b395827453f-1")
    assert (plan.sizes, plan.multipart) == ((0,), True)
    [plan] = partsum.solve_etag(path, "d41d8cd98f00b204e9800998ecf8427e")
    assert not plan.multipart
    assert partsum.solve_etag(path, "59adb24ef3cdbe0297f05b395827453f-2") == []
    path.write_bytes(bytes(2 * MIB))
    value = oracle.multipart_etag(bytes(2 * MIB), [MIB, MIB, 0])
    assert [plan.sizes for plan in partsum.solve_etag(path, value)] == [(MIB, MIB, 0)]


@pytest.mark.parametrize("count", [10_001, 4_294_967_295, 99_999_999_999])
def test_more_parts_than_s3_has(count: int, path: Path) -> None:
    with pytest.raises(ValueError, match="etag"):
        partsum.solve_etag(path, f"{'0' * 32}-{count}")


@pytest.mark.parametrize("value", ["", "x", "0" * 31, "0" * 33, "0" * 32 + "-", "g" * 32, "1-"])
def test_what_is_no_etag(value: str, path: Path) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal"):
        partsum.solve_etag(path, value)


def test_trouble(path: Path, tmp_path: Path) -> None:
    value = "0" * 32
    with pytest.raises(FileNotFoundError):
        partsum.solve_etag(tmp_path / "nothing", value)
    with pytest.raises(TypeError):
        partsum.solve_etag(path, cast(Any, 3))
    with pytest.raises(TypeError, match="iterable"):
        partsum.solve_etag(path, value, candidates="8MiB")
    with pytest.raises(TypeError):
        partsum.solve_etag(path, value, candidates=cast(Any, [1.5]))
    with pytest.raises(ValueError):
        partsum.solve_etag(path, value, threads=0)


def test_progress_counts_the_file_once(path: Path) -> None:
    seen: list[int] = []
    partsum.solve_etag(path, etag(path, "8MiB"), progress=seen.append)
    assert sum(seen) == SIZE


@given(st.integers(0, 2**42), st.sampled_from([*partsum.PRESETS, "64MiB", "100MB", "17179870"]))
def test_presets_of_any_plan(size: int, part_size: str) -> None:
    try:
        plan = partsum.plan_parts(size, part_size)
    except partsum.PartPlanError:
        assume(False)

    def cuts_so(name: str) -> bool:
        try:
            return partsum.plan_parts(size, name) == plan
        except partsum.PartPlanError:
            return False

    assert plan.presets == tuple(name for name in partsum.PRESETS if cuts_so(name))


@given(data=st.binary(max_size=300), part_sizes=st.lists(st.integers(1, 90), min_size=1))
def test_any_candidates(data: bytes, part_sizes: list[int], tmp_path_factory: Any) -> None:
    """Those that have the ETag are found, in the order given, and no others."""
    path = tmp_path_factory.mktemp("solve") / "file"
    path.write_bytes(data)
    plans = [partsum.plan_parts(len(data), one, allow_small_parts=True) for one in part_sizes]
    value = oracle.multipart_etag(data, plans[0].sizes)
    expected = [plan for plan in plans if oracle.multipart_etag(data, plan.sizes) == value]
    assert partsum.solve_etag(path, value, candidates=part_sizes) == list(dict.fromkeys(expected))
