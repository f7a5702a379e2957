"""Proxies: which variable applies, and its proxy; passwords are never shown."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from dockless.errors import UsageError
from dockless.model.finding import Finding
from dockless.transport.proxy import proxy

AREA = "proxies"
_SCHEMES = ("https", "http")


def check(environment: Mapping[str, str], url: str = "") -> Iterator[Finding]:
    """Look at the variables that name proxies.

    Args:
        environment: The caller's.
        url: The registry; empty when it is not known which, so that only the form is judged.
    """
    schemes = (urlsplit(url).scheme,) if url else _SCHEMES
    named = [scheme for scheme in schemes if variable(scheme, environment)]
    for scheme in named:
        yield _judge(scheme, url, environment)
    if not named:
        yield Finding(area=AREA, subject="proxy", state="ok", what="none is set")
    for scheme in _SCHEMES:
        yield from _contradiction(f"{scheme}_proxy", environment)
    yield from _contradiction("no_proxy", environment)
    if any(environment.get(name) for name in ("all_proxy", "ALL_PROXY")):
        yield Finding(
            area=AREA,
            subject="ALL_PROXY",
            state="note",
            what="is set, but neither dockless nor the engines use it: set HTTPS_PROXY",
        )


def variable(scheme: str, environment: Mapping[str, str]) -> str:
    """Return the name of the variable that applies to a scheme; empty when none is set."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if environment.get(name)), "")


def _judge(scheme: str, url: str, environment: Mapping[str, str]) -> Finding:
    name = variable(scheme, environment)
    # without a registry the exemptions say nothing, and any host will do to read the variable
    asked = {name: environment[name]} if not url else environment
    try:
        via = proxy(url or f"{scheme}://registry.invalid", asked)
        if via is None and url:  # an exempt registry hides whether the variable has a URL in it
            proxy(f"{scheme}://registry.invalid", {name: environment[name]})
    except UsageError:
        return Finding(
            area=AREA,
            subject=name,
            state="problem",
            what="its value is not the URL of a proxy (not shown here, since it may contain a "
            "password).",
            remedy="Write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT.",
        )
    if via is None:
        host = urlsplit(url).netloc
        what = f"does not apply to {host}: it is on this machine, or in NO_PROXY"
        return Finding(area=AREA, subject=name, state="ok", what=what)
    login = " with a login" if via.credential else ""
    lead = f"used for {urlsplit(url).netloc}:" if url else "used:"
    what = f"{lead} {via.url}{login}"
    return Finding(area=AREA, subject=name, state="ok", what=what, facts={"proxy": via.url})


def _contradiction(lower: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    one, other = environment.get(lower), environment.get(lower.upper())
    if one and other and one != other:
        yield Finding(
            area=AREA,
            subject=lower,
            state="note",
            what=f"differs from {lower.upper()}, and takes precedence",
        )
