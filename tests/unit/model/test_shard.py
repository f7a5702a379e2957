import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockless.model.shard import Shard
from dockless.oci.reference import Repository


def repository(number: int) -> Repository:
    return Repository.of("registry.example.com", f"team/image{number}")


@given(st.dictionaries(st.integers(0, 200), st.integers(0, 10**9), max_size=40), st.integers(1, 8))
def test_every_repository_is_in_one_part_whoever_asks(sizes: dict[int, int], count: int) -> None:
    named = {repository(number): size for number, size in sizes.items()}
    backwards = dict(reversed(named.items()))
    parts = [Shard(index, count).of(named) for index in range(count)]
    assert parts == [Shard(index, count).of(backwards) for index in range(count)]
    assert sorted(each for part in parts for each in part) == sorted(named)


def test_parts_are_about_as_large() -> None:
    sizes = {repository(number): 1000 + 37 * (number % 9) for number in range(90)}
    loads = [sum(sizes[each] for each in Shard(index, 4).of(sizes)) for index in range(4)]
    assert max(loads) < 1.05 * min(loads)


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        ("0/4", {}, Shard(0, 4)),
        ("3/4", {}, Shard(3, 4)),
        ("auto/4", {"JOB_COMPLETION_INDEX": "2"}, Shard(2, 4)),
        ("auto", {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "5"}, Shard(0, 5)),
        (
            "auto",
            {
                "SLURM_ARRAY_TASK_ID": "13",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_COUNT": "4",
            },
            Shard(3, 4),
        ),
    ],
)
def test_a_part_is_told_or_found(text: str, environment: dict[str, str], shard: Shard) -> None:
    assert Shard.parse(text, environment) == shard


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("4/4", {}),
        ("0/99999999999999999999", {}),
        ("0/100001", {}),
        ("0/" + "7" * 5000, {}),
        ("7" * 5000 + "/4", {}),
        ("auto/4", {"JOB_COMPLETION_INDEX": "7" * 5000}),
        ("1", {}),
        ("a/b", {}),
        ("-1/2", {}),
        ("auto/2", {"JOB_COMPLETION_INDEX": "2"}),
    ],
)
def test_what_is_no_part_is_refused(text: str, environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"INDEX|from 0"):
        Shard.parse(text, environment)


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("auto", {}, "JOB_COMPLETION_INDEX, CI_NODE_INDEX, SLURM_ARRAY_TASK_ID"),
        ("auto/3", {"CI_NODE_TOTAL": "3"}, "JOB_COMPLETION_INDEX, CI_NODE_INDEX"),
        ("auto", {"JOB_COMPLETION_INDEX": "2"}, "JOB_COMPLETION_COUNT, CI_NODE_TOTAL"),
    ],
)
def test_what_was_looked_for_is_said(text: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Shard.parse(text, environment)


@pytest.mark.parametrize(("text", "last"), [("4/4", "3/4"), ("1/1", "0/1"), ("9/8", "7/8")])
def test_the_last_part_is_named_where_parts_are_counted_from_one(text: str, last: str) -> None:
    with pytest.raises(ValueError, match=f"from 0.* {last}$"):
        Shard.parse(text, {})
