"""How an object is cut into parts: every form of part_size=, every preset, every limit of S3."""

import itertools
import pickle
from collections.abc import Sequence
from typing import Any

import oracle
import partsum
import pytest
import settings_hypothesis  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

PLANS = oracle.load("part_plans.json")
LIMITS = PLANS["limits"]
MIB, GIB = 2**20, 2**30
MIN, MAX = 5 * MIB, 5 * GIB
OBJECT_MAX = 53_687_091_200_000  # 10,000 parts of 5 GiB: 48.8 TiB
REQUIRED = {"boto3", "awscli", "crt", "rclone", "s5cmd", "mc", "s3cmd", "s3fs", "dandi"}


def cases() -> list[Any]:
    return [
        pytest.param(tool, case, id=f"{tool}-{case['size']}")
        for tool, row in PLANS["tools"].items()
        for case in row["cases"]
    ]


def check_shape(plan: partsum.PartPlan, size: int) -> None:
    """What holds for every plan."""
    assert plan.size == size
    assert len(plan) == len(plan.sizes) == len(plan.offsets)
    assert sum(plan.sizes) == size
    assert list(plan.offsets) == [0, *itertools.accumulate(plan.sizes)][:-1]
    if not plan.multipart:
        assert list(plan.sizes) == [size]


# --- presets -------------------------------------------------------------------------------------


def test_presets_named_in_the_documentation() -> None:
    assert set(partsum.PRESETS) >= REQUIRED
    for name in partsum.PRESETS:
        check_shape(partsum.plan_parts(300 * MIB, name), 300 * MIB)


@pytest.mark.parametrize(("tool", "case"), cases())
def test_preset(tool: str, case: dict[str, Any]) -> None:
    size = case["size"]
    if case.get("error"):
        with pytest.raises(partsum.PartPlanError, match=r"10,?000"):
            partsum.plan_parts(size, tool)
        return
    plan = partsum.plan_parts(size, tool)
    check_shape(plan, size)
    assert plan.multipart is case["multipart"]
    if case["multipart"]:
        assert plan.sizes[0] == case["part_size"]
        assert len(plan) == case["parts"]
        assert list(plan.sizes) == oracle.uniform(size, case["part_size"])


@given(st.integers(0, OBJECT_MAX))
def test_boto3_preset_is_what_s3transfer_does(size: int) -> None:
    utils = pytest.importorskip("s3transfer.utils")
    plan = partsum.plan_parts(size)
    if not size >= 8 * MIB:
        assert not plan.multipart
        return
    expected = utils.ChunksizeAdjuster().adjust_chunksize(8 * MIB, size)
    assert plan.multipart
    assert plan.sizes[0] == min(expected, size)
    assert len(plan) == -(-size // expected)


def test_boto3_thresholds() -> None:
    for size in (0, 1, 8 * MIB - 1):
        plan = partsum.plan_parts(size)
        assert (plan.multipart, list(plan.sizes)) == (False, [size])
    one = partsum.plan_parts(8 * MIB)
    assert (one.multipart, list(one.sizes)) == (True, [8 * MIB])
    full = partsum.plan_parts(10_000 * 8 * MIB)
    assert (len(full), set(full.sizes)) == (10_000, {8 * MIB})
    over = partsum.plan_parts(10_000 * 8 * MIB + 1)
    assert (len(over), over.sizes[0], over.sizes[-1]) == (5001, 16 * MIB, 1)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_presets_refuse_objects_that_s3_refuses(name: str) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(OBJECT_MAX + 1, name)


def test_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(partsum.PartPlanError) as refused:
        partsum.plan_parts(1, "boto4")
    assert "boto4" in str(refused.value)
    assert "boto3" in str(refused.value)
    assert "rclone" in str(refused.value)


# --- integers and strings ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, MIN - 1, MIN, MIN + 1, 12 * MIN, 12 * MIN + 1])
def test_an_integer_is_always_a_multipart_upload(size: int) -> None:
    plan = partsum.plan_parts(size, MIN)
    check_shape(plan, size)
    assert plan.multipart
    assert list(plan.sizes) == oracle.uniform(size, MIN)


@given(st.integers(0, 200 * GIB), st.integers(MIN, MAX))
def test_integers(size: int, part_size: int) -> None:
    if size > part_size * 10_000:
        with pytest.raises(partsum.PartPlanError, match=r"10,?000"):
            partsum.plan_parts(size, part_size)
        return
    plan = partsum.plan_parts(size, part_size)
    check_shape(plan, size)
    assert plan.multipart
    assert list(plan.sizes) == oracle.uniform(size, part_size)


class Index:
    def __index__(self) -> int:
        return 8 * MIB


def test_anything_with_index_is_an_integer() -> None:
    index: Any = Index()
    assert partsum.plan_parts(20 * MIB, index) == partsum.plan_parts(20 * MIB, 8 * MIB)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8MiB", 8 * MIB),
        ("8 MiB", 8 * MIB),
        ("5mib", 5 * MIB),
        ("5MIB", 5 * MIB),
        ("64 MB", 64_000_000),
        ("64mb", 64_000_000),
        ("6000000B", 6_000_000),
        ("6000KB", 6_000_000),
        ("8192KiB", 8 * MIB),
        ("1GiB", GIB),
        ("1GB", 1_000_000_000),
        ("5 GiB", 5 * GIB),
        ("8388608", 8 * MIB),
    ],
)
def test_strings(text: str, expected: int) -> None:
    size = 2 * expected + 1
    plan = partsum.plan_parts(size, text)
    assert plan.multipart
    assert list(plan.sizes) == [expected, expected, 1]
    assert plan == partsum.plan_parts(size, expected)


@pytest.mark.parametrize(
    "text",
    [
        "8XB",
        "",
        " ",
        "MiB",
        "-8MiB",
        "8MiBs",
        "8 8MiB",
        "0x10MiB",
        "nanMiB",
        "1e99GiB",
        "é",
        "8Mi B",
    ],
)
def test_bad_strings(text: str) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(100 * MIB, text)


def test_bad_string_is_named_in_the_message() -> None:
    with pytest.raises(partsum.PartPlanError, match="8XB"):
        partsum.plan_parts(100 * MIB, "8XB")


@pytest.mark.parametrize("part_size", [0, -1, "0", "0MiB", -(2**70), 2**70])
def test_bad_integers(part_size: Any) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(100 * MIB, part_size)


@pytest.mark.parametrize("part_size", [8.0, 8388608.0, True, False, b"8MiB", {8 * MIB}, object()])
def test_wrong_types(part_size: Any) -> None:
    with pytest.raises(TypeError):
        partsum.plan_parts(100 * MIB, part_size)


@pytest.mark.parametrize("size", [1.0, "1", None, True])
def test_wrong_types_of_size(size: Any) -> None:
    with pytest.raises(TypeError):
        partsum.plan_parts(size)


@pytest.mark.parametrize("size", [-1, -(2**70), 2**64, 2**70])
def test_sizes_that_no_object_has(size: int) -> None:
    """The message is about the size of the object, not about that of a part."""
    for part_size in ("boto3", None, "5GiB"):
        with pytest.raises(partsum.PartPlanError) as refused:
            partsum.plan_parts(size, part_size)
        assert "part size" not in str(refused.value)
        assert refused.value.argument == "size"


# --- explicit lists, plans, None -----------------------------------------------------------------


def test_explicit_list() -> None:
    sizes = [MIN, 2 * MIN, MIN + 1, 3]
    for given_as in (sizes, tuple(sizes)):
        plan = partsum.plan_parts(sum(sizes), given_as)
        check_shape(plan, sum(sizes))
        assert plan.multipart
        assert list(plan.sizes) == sizes


@given(st.lists(st.integers(MIN, MAX), max_size=50), st.integers(1, MAX))
def test_explicit_lists(sizes: list[int], last: int) -> None:
    plan = partsum.plan_parts(sum(sizes) + last, [*sizes, last])
    check_shape(plan, sum(sizes) + last)
    assert plan.multipart
    assert list(plan.sizes) == [*sizes, last]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300))
def test_explicit_lists_of_small_parts(sizes: list[int]) -> None:
    plan = partsum.plan_parts(sum(sizes), sizes, allow_small_parts=True)
    check_shape(plan, sum(sizes))
    assert list(plan.sizes) == sizes
    if len(sizes) > 1:
        with pytest.raises(partsum.PartPlanError):
            partsum.plan_parts(sum(sizes), sizes)


@pytest.mark.parametrize("sizes", [[MIN, MIN], [MIN, MIN + 2], [3 * MIN]])
def test_explicit_list_must_add_up(sizes: list[int]) -> None:
    with pytest.raises(partsum.PartPlanError) as refused:
        partsum.plan_parts(2 * MIN + 1, sizes)
    message = str(refused.value).replace(",", "")
    assert str(2 * MIN + 1) in message
    assert str(sum(sizes)) in message


@pytest.mark.parametrize("size", [0, 1])
def test_explicit_list_must_have_a_part(size: int) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(size, [])


@pytest.mark.parametrize("bad", [[MIN, -1], [-MIN, 2 * MIN - 1]])
def test_explicit_list_of_negative_sizes(bad: list[int]) -> None:
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(sum(bad), bad)


@pytest.mark.parametrize("bad", [[MIN, 1.0], [MIN, None], [MIN, True], [MIN, "1"], [[MIN, 1]]])
def test_explicit_list_of_wrong_types(bad: list[Any]) -> None:
    with pytest.raises(TypeError):
        partsum.plan_parts(MIN + 1, bad)


def test_a_plan_is_a_part_size() -> None:
    plan = partsum.plan_parts(3 * MIN + 1, MIN)
    assert partsum.plan_parts(plan.size, plan) == plan
    single = partsum.plan_parts(1000, None)
    again = partsum.plan_parts(1000, single)
    assert again == single
    assert not again.multipart


def test_a_plan_for_another_size_is_refused() -> None:
    plan = partsum.plan_parts(3 * MIN + 1, MIN)
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(3 * MIN, plan)


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 5 * GIB])
def test_none_is_one_put_object(size: int) -> None:
    plan = partsum.plan_parts(size, None)
    check_shape(plan, size)
    assert not plan.multipart


def test_put_object_takes_five_gibibytes() -> None:
    with pytest.raises(partsum.PartPlanError, match=r"5 GiB|5,?368,?709,?120"):
        partsum.plan_parts(5 * GIB + 1, None)


# --- the limits of S3 ----------------------------------------------------------------------------


def test_limits_of_the_vectors_are_those_of_this_file() -> None:
    assert (LIMITS["part_min"], LIMITS["part_max"]) == (MIN, MAX)
    assert (LIMITS["object_max"], LIMITS["parts"]) == (OBJECT_MAX, 10_000)


def test_ten_thousand_parts() -> None:
    assert len(partsum.plan_parts(10_000 * MIN, MIN)) == 10_000
    for part_size in (MIN, [MIN] * 10_000 + [1]):
        with pytest.raises(partsum.PartPlanError, match=r"10,?000"):
            partsum.plan_parts(10_000 * MIN + 1, part_size)


def test_a_number_of_parts_beyond_memory_is_refused_at_once() -> None:
    with pytest.raises(partsum.PartPlanError, match=r"10,?000"):
        partsum.plan_parts(OBJECT_MAX, 1, allow_small_parts=True)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_small_part_is_named(number: int) -> None:
    sizes = [MIN, MIN, MIN, MIN]
    sizes[number - 1] -= 1
    with pytest.raises(partsum.PartPlanError) as refused:
        partsum.plan_parts(sum(sizes), sizes)
    assert f"part {number}" in str(refused.value).lower()
    assert "5 MiB" in str(refused.value) or str(MIN) in str(refused.value).replace(",", "")
    plan = partsum.plan_parts(sum(sizes), sizes, allow_small_parts=True)
    assert list(plan.sizes) == sizes


def test_the_last_part_may_be_small() -> None:
    assert list(partsum.plan_parts(MIN + 1, [MIN, 1]).sizes) == [MIN, 1]
    assert list(partsum.plan_parts(MIN, [MIN, 0]).sizes) == [MIN, 0]
    assert list(partsum.plan_parts(1, [1]).sizes) == [1]
    assert list(partsum.plan_parts(1000, 1000).sizes) == [1000]
    assert list(partsum.plan_parts(1000, 1001).sizes) == [1000]


def test_small_integer_part_size() -> None:
    with pytest.raises(partsum.PartPlanError) as refused:
        partsum.plan_parts(2 * MIN, MIN - 1)
    assert "5 MiB" in str(refused.value) or str(MIN) in str(refused.value).replace(",", "")
    plan = partsum.plan_parts(1000, 300, allow_small_parts=True)
    assert list(plan.sizes) == [300, 300, 300, 100]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_large_part_is_named(position: int) -> None:
    sizes = [MIN, MIN, MIN]
    sizes[position] = MAX
    assert list(partsum.plan_parts(sum(sizes), sizes).sizes) == sizes
    sizes[position] += 1
    for small in (False, True):
        with pytest.raises(partsum.PartPlanError) as refused:
            partsum.plan_parts(sum(sizes), sizes, allow_small_parts=small)
        assert f"part {position + 1}" in str(refused.value).lower()
        assert "5 GiB" in str(refused.value) or str(MAX) in str(refused.value).replace(",", "")


def test_large_integer_part_size() -> None:
    assert len(partsum.plan_parts(2 * MAX, MAX)) == 2
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(2 * MAX, MAX + 1)


def test_largest_object() -> None:
    plan = partsum.plan_parts(OBJECT_MAX, MAX)
    assert (len(plan), set(plan.sizes)) == (10_000, {MAX})
    assert partsum.plan_parts(OBJECT_MAX) == plan
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(OBJECT_MAX + 1, MAX)
    with pytest.raises(partsum.PartPlanError):
        partsum.plan_parts(2**63, MAX)


@pytest.mark.parametrize("part_size", [MIN, "8MiB", [0]])
def test_empty_object_as_multipart_upload_has_one_empty_part(part_size: Any) -> None:
    plan = partsum.plan_parts(0, part_size)
    assert (plan.multipart, list(plan.sizes), list(plan.offsets)) == (True, [0], [0])


def test_every_refusal_is_a_value_error() -> None:
    assert issubclass(partsum.PartPlanError, ValueError)
    assert issubclass(partsum.PartPlanError, partsum.PartsumError)


# --- the plan as a value -------------------------------------------------------------------------


def test_plans_compare_hash_and_pickle() -> None:
    plan = partsum.plan_parts(3 * MIN + 1, MIN)
    same = partsum.plan_parts(3 * MIN + 1, [MIN, MIN, MIN, 1])
    assert plan == same
    assert hash(plan) == hash(same)
    assert plan != partsum.plan_parts(3 * MIN + 2, MIN)
    assert partsum.plan_parts(1000, None) != partsum.plan_parts(1000, MIN)
    assert plan != "plan"
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(plan, protocol)) == plan
    single = partsum.plan_parts(1000, None)
    assert pickle.loads(pickle.dumps(single)) == single
    small = partsum.plan_parts(1000, 7, allow_small_parts=True)
    assert pickle.loads(pickle.dumps(small)) == small


def test_plan_is_frozen_and_its_repr_short() -> None:
    plan = partsum.plan_parts(10_000 * MIN, MIN)
    for name in ("size", "sizes", "offsets", "multipart", "anything"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(plan, name, 1)
    assert repr(plan) == f"PartPlan({plan.size} bytes, 10000 parts of {MIN})"
    assert repr(partsum.plan_parts(5, None)) == "PartPlan(5 bytes, one PutObject)"
    assert repr(partsum.plan_parts(5, MIN)) == "PartPlan(5 bytes, 1 part)"
    for sizes, shown in (
        ([1, 2], "2 parts of 1, 2"),
        ([1, 2, 3, 4, 5], "5 parts of 1, 2, 3, 4, ..."),
    ):
        plan = partsum.plan_parts(sum(sizes), sizes, allow_small_parts=True)
        assert repr(plan) == f"PartPlan({plan.size} bytes, {shown})"


# --- the plan as a sequence ----------------------------------------------------------------------


def test_a_plan_is_a_sequence_of_parts() -> None:
    plan = partsum.plan_parts(3 * MIN + 1, MIN)
    assert isinstance(plan, Sequence)
    parts = list(plan)
    assert parts == [
        partsum.Part(1, 0, MIN),
        partsum.Part(2, MIN, MIN),
        partsum.Part(3, 2 * MIN, MIN),
        partsum.Part(4, 3 * MIN, 1),
    ]
    assert [part.number for part in plan] == [1, 2, 3, 4]
    assert tuple(part.size for part in plan) == plan.sizes
    assert tuple(part.offset for part in plan) == plan.offsets
    assert list(reversed(plan)) == parts[::-1]
    assert len(plan) == 4
    for index in range(-4, 4):
        assert plan[index] == parts[index]
    assert plan[1:3] == tuple(parts[1:3])
    assert plan[::-2] == tuple(parts[::-2])
    assert plan[-2:] == tuple(parts[-2:])
    assert plan[9:] == ()
    for number, part in enumerate(parts):
        assert part in plan
        assert plan.index(part) == number
        assert plan.count(part) == 1


def test_indices_that_a_plan_does_not_have() -> None:
    plan = partsum.plan_parts(10, 5, allow_small_parts=True)
    for index in (2, -3, 2**70, -(2**70)):
        with pytest.raises(IndexError, match="2 parts"):
            plan[index]
    wrong: Any
    for wrong in ("1", 1.0, None):
        with pytest.raises(TypeError, match="must be an int"):
            plan[wrong]
    for foreign in (partsum.Part(1, 0, 4), partsum.Part(3, 10, 5), partsum.Part(0, 0, 5), 5, None):
        assert foreign not in plan
        assert plan.count(foreign) == 0
        with pytest.raises(ValueError, match="part"):
            plan.index(foreign)
    assert plan.index(plan[1], 1) == plan.index(plan[1], -1) == 1
    for bounds in ((2,), (0, 1), (0, -1)):
        with pytest.raises(ValueError, match="part"):
            plan.index(plan[1], *bounds)


def test_one_put_object_is_one_part() -> None:
    (part,) = partsum.plan_parts(7, None)
    assert (part.number, part.offset, part.size) == (1, 0, 7)


def test_part_is_a_value() -> None:
    part = partsum.plan_parts(7, None)[0]
    assert repr(part) == "Part(number=1, offset=0, size=7)"
    assert part == partsum.Part(1, 0, 7) != partsum.Part(1, 0, 8)
    assert len({part, partsum.Part(1, 0, 7), partsum.Part(2, 0, 7)}) == 2
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(part, protocol)) == part
    match part:
        case partsum.Part(number, offset, size):
            assert (number, offset, size) == (1, 0, 7)
    with pytest.raises(AttributeError):
        part.size = 8  # type: ignore[misc]


def test_a_sequence_of_plans_parts_is_no_part_size() -> None:
    plan: Any = partsum.plan_parts(3 * MIN + 1, MIN)
    with pytest.raises(TypeError, match="part_size: must be an int, not Part"):
        partsum.plan_parts(3 * MIN + 1, list(plan))
