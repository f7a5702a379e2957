import logging

import pytest

from dockless.errors import NetworkError
from dockless.model.secret import Secret, remember_secret
from dockless.transport.request_log import logged, shown_url

REGISTRY = "https://registry.example.com"


@pytest.fixture(autouse=True)
def all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dockless")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"{REGISTRY}/v2/a/manifests/1", f"{REGISTRY}/v2/a/manifests/1"),
        (f"{REGISTRY}/v2/a/blobs/uploads/", f"{REGISTRY}/v2/a/blobs/uploads/"),
        (
            f"{REGISTRY}/v2/a/blobs/uploads/?mount=sha256:1&from=b/c",
            f"{REGISTRY}/v2/a/blobs/uploads/?mount=sha256:1&from=b/c",
        ),
        (
            f"{REGISTRY}/v2/a/blobs/uploads/6f2a-11?_state=c3RhdGU&digest=sha256:1",
            f"{REGISTRY}/v2/a/blobs/uploads/***?_state=***&digest=sha256:1",
        ),
        (
            "https://bucket.example.com/x?X-Amz-Signature=abc&X-Amz-Credential=k&sig=d",
            "https://bucket.example.com/x?X-Amz-Signature=***&X-Amz-Credential=***&sig=***",
        ),
        ("https://me:hunter2@a.example/x", "https://a.example/x"),
        (
            "https://a.example/token?service=s&scope=repository:a:pull&account=me&access_token=t",
            "https://a.example/token?service=s&scope=repository:a:pull&account=***&access_token=***",
        ),
        ("/v2/a/blobs/uploads/1?_state=x", "/v2/a/blobs/uploads/***?_state=***"),
        ("https://[::1", "***"),
        ("https://a.example/x?eyJhbGciOi", "https://a.example/x?***"),
        ("https://a.example/x#access_token=t", "https://a.example/x"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize("value", ["Basic bWU6aHVudGVyMg==", "Bearer eyJhbGciOi", "eyJhbGciOi"])
def test_a_request_shows_no_credential(value: str, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"Authorization": value, "Cookie": "id=eyJhbGciOi", "Content-Length": "3"}
    with logged("PUT", f"{REGISTRY}/v2/a", headers):
        pass
    assert f"-> PUT {REGISTRY}/v2/a (Authorization: " in caplog.text
    assert "Content-Length: 3" in caplog.text
    for each in ("bWU6aHVudGVyMg", "eyJhbGciOi", "Cookie"):
        assert each not in caplog.text


def test_a_response_shows_what_helps_and_nothing_secret(caplog: pytest.LogCaptureFixture) -> None:
    received = {
        "docker-content-digest": "sha256:1",
        "Location": "https://b.example/up?_state=secret1",
        "WWW-Authenticate": 'Bearer realm="https://t.example/token?key=secret2",service="s"',
        "Set-Cookie": "session=secret3",
        "X-Token": "secret4",
        "Server": "nginx secret5-long-enough",
    }
    remember_secret(Secret("secret5-long-enough"))
    with logged("HEAD", f"{REGISTRY}/v2/a", {}) as log_response:
        log_response(401, received)
    assert "<- 401 after " in caplog.text
    assert "Docker-Content-Digest: sha256:1" in caplog.text
    assert "Location: https://b.example/up?_state=***" in caplog.text
    assert 'realm="https://t.example/token?key=***",service="s"' in caplog.text
    assert "secret" not in caplog.text


def cut_off() -> None:
    with logged("GET", REGISTRY, {}) as log_response:
        log_response(200, {})
        raise NetworkError("cut")


def test_no_response_is_told_from_one_that_was_cut(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NetworkError), logged("GET", REGISTRY, {}):
        raise NetworkError("no")
    assert "<- no response after" in caplog.text
    with pytest.raises(NetworkError):
        cut_off()
    assert "<- cut off after" in caplog.text
