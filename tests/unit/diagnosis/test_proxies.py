import pytest

from dockless.diagnosis.proxies import check
from dockless.model.finding import Finding

URL = "https://registry.example.com"
SECRET = "s3cretproxy"


def _found(environment: dict[str, str], url: str = URL) -> list[Finding]:
    return list(check(environment, url))


def test_none_is_well() -> None:
    assert [(one.state, one.what) for one in _found({})] == [("ok", "none is set")]


def test_the_variable_that_counts_is_named_and_no_password_shown() -> None:
    one = f"http://me:{SECRET}@proxy:3128"
    [found, differs] = _found({"https_proxy": one, "HTTPS_PROXY": "http://other:1"})
    assert (found.subject, found.state) == ("https_proxy", "ok")
    assert found.what == "used for registry.example.com: http://proxy:3128 with a login"
    assert (differs.subject, differs.state) == ("https_proxy", "note")
    assert SECRET not in str((found, differs))


@pytest.mark.parametrize("exempt", [{"NO_PROXY": "example.com"}, {"no_proxy": "*"}])
def test_a_registry_that_is_exempt_is_said_to_be(exempt: dict[str, str]) -> None:
    [found] = _found({"HTTPS_PROXY": "http://proxy:3128"} | exempt)
    assert found.state == "ok"
    assert found.what.startswith("does not apply to registry.example.com")


@pytest.mark.parametrize("url", ["", URL])
@pytest.mark.parametrize("exempt", [{}, {"NO_PROXY": "*"}])
def test_a_malformed_value_is_named_and_not_shown(url: str, exempt: dict[str, str]) -> None:
    [found] = _found({"HTTPS_PROXY": f"http://me:{SECRET}@:port"} | exempt, url)
    assert (found.subject, found.state) == ("HTTPS_PROXY", "problem")
    assert found.remedy
    assert SECRET not in str(found)


def test_only_the_variable_of_the_registrys_scheme_counts() -> None:
    [found] = _found({"HTTP_PROXY": "http://proxy:3128"})
    assert found.what == "none is set"
    [found] = _found({"HTTP_PROXY": "http://proxy:3128"}, "http://registry.example.com")
    assert found.subject == "HTTP_PROXY"


def test_without_a_registry_every_variable_is_judged_by_its_form() -> None:
    names = [one.subject for one in _found({"HTTP_PROXY": "a:1", "HTTPS_PROXY": "b:2"}, "")]
    assert names == ["HTTPS_PROXY", "HTTP_PROXY"]


def test_a_variable_that_nobody_obeys_is_noted() -> None:
    assert [one.subject for one in _found({"ALL_PROXY": "http://proxy:1"})] == [
        "proxy",
        "ALL_PROXY",
    ]
