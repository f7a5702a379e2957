import pytest

from dockless.errors import NetworkError
from dockless.model.plan import TagMoves, with_moves
from dockless.oci.reference import Reference, Repository

SHOP = Repository.of("r.example.com", "shop")


def tag(name: str) -> Reference:
    return Reference(SHOP, name)


@pytest.mark.parametrize(
    ("done", "begun", "said"),
    [
        ((), (), "No tag was changed."),
        (("a",), (), "r.example.com/shop:a was updated."),
        (("a", "b"), (), "r.example.com/shop:a, r.example.com/shop:b were updated."),
        ((), ("a",), "r.example.com/shop:a may have been updated."),
        (tuple("abcdef"), tuple("ghijkl"), "6 tags were updated. 6 tags may have been updated."),
    ],
)
def test_what_was_moved_is_said(done: tuple[str, ...], begun: tuple[str, ...], said: str) -> None:
    moves = TagMoves()
    for name in (*done, *begun, "never"):
        moves.begin(tag(name))
    for name in done:
        moves.end(tag(name), moved=True)
    moves.end(tag("never"), moved=False)
    assert str(moves) == said


@pytest.mark.parametrize(
    ("asked", "touched", "said"),
    [
        ("c", "", "No tag was changed."),
        ("ac", "a", "r.example.com/shop:a was updated."),
        ("bd", "b", "r.example.com/shop:b may have been updated."),
        ("ab", "ab", f"{tag('a')} was updated. {tag('b')} may have been updated."),
    ],
)
def test_what_is_said_of_some_tags_is_about_these_alone(
    asked: str, touched: str, said: str
) -> None:
    moves = TagMoves()
    for name in "abz":
        moves.begin(tag(name))
    for name in "az":
        moves.end(tag(name), moved=True)
    assert moves.touched([*map(tag, asked)]) == tuple(map(tag, touched))
    assert moves.about([*map(tag, asked)]) == said


def test_an_error_says_once_what_earlier_attempts_did() -> None:
    moves = TagMoves()
    error = NetworkError("It is gone.", "Wait.", retry_after=3.0)
    assert with_moves(error, moves, ()) is error
    moves.begin(tag("a"))
    told = with_moves(error, moves, (tag("a"),))
    assert str(told) == "It is gone. r.example.com/shop:a may have been updated. Wait."
    assert (type(told), told.retry_after) == (NetworkError, 3.0)  # type: ignore[attr-defined] # the same class
    assert with_moves(told, moves, (tag("a"),)) is told
    moves.begin(tag("a"))
    moves.end(tag("a"), moved=True)
    assert str(moves) == "r.example.com/shop:a was updated."
