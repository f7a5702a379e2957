import pytest

from dockless.model.plan import TagMoves
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
