import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockless.oci.digest import Digest


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 64), ("sha384", 96), ("sha512", 128)])
def test_a_digest_is_an_algorithm_and_hexadecimal_of_its_length(
    algorithm: str, length: int
) -> None:
    digest = Digest.parse(f"{algorithm}:{'a' * length}")
    assert digest == Digest(algorithm, "a" * length)
    assert str(digest) == f"{algorithm}:{'a' * length}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        "a" * 64,
        f"sha256:{'a' * 63}",
        f"sha256:{'a' * 65}",
        f"sha256:{'A' * 64}",
        f"sha256:{'g' * 64}",
        f"SHA256:{'a' * 64}",
        f"md5:{'a' * 32}",
        f"sha512:{'a' * 64}",
        f" sha256:{'a' * 64}",
        f"sha256:{'a' * 64}\n",
        "sha256:../../../etc/passwd",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a digest"):
        Digest.parse(text)


@given(st.binary())
def test_bytes_match_their_own_digest(data: bytes) -> None:
    digest = Digest.of(data)
    assert Digest.parse(str(digest)) == digest
    assert digest.hex == hashlib.sha256(data).hexdigest()
    assert digest.matches(data)
    assert not digest.matches(data + b"x")


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_hasher_is_of_the_digests_algorithm(algorithm: str) -> None:
    digest = Digest(algorithm, hashlib.new(algorithm, b"data").hexdigest())
    hasher = digest.hasher()
    hasher.update(b"data")
    assert hasher.hexdigest() == digest.hex
    assert digest.matches(b"data")
