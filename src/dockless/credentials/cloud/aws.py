"""Amazon's registries: private ECR and `public.ecr.aws`.

Their tokens live twelve hours and come from the AWS API's GetAuthorizationToken: through boto3,
else the `aws` CLI, else `docker-credential-ecr-login`.
"""

import base64
import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from dockless.credentials import helpers, programs
from dockless.credentials.helpers import Helper
from dockless.credentials.token_source import TokenSource
from dockless.errors import AuthError
from dockless.model.reasons import kind
from dockless.model.secret import Credential, Secret
from dockless.oci.untrusted_json import is_number

_HOST = re.compile(
    r"(?P<account>\d+)\.dkr\.ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
)
_PUBLIC = "public.ecr.aws"
_PUBLIC_REGION = "us-east-1"  # the one region that gives its tokens


class EcrHost(Struct, frozen=True):
    """A registry of Amazon's.

    Attributes:
        account: The number of the account that it belongs to; empty for the public one.
        region: The region that gives its tokens.
        fips: Whether it is a FIPS endpoint.
    """

    account: str
    region: str
    fips: bool = False

    @property
    def service(self) -> str:
        """The name of its API."""
        return "ecr" if self.account else "ecr-public"


def ecr_host(host: str) -> EcrHost | None:
    """Return the parts of a registry's host name; None when it is none of Amazon's."""
    if host == _PUBLIC:
        return EcrHost("", _PUBLIC_REGION)
    found = _HOST.fullmatch(host)
    return EcrHost(found["account"], found["region"], bool(found["fips"])) if found else None


def token_sources(host: str, environment: Mapping[str, str]) -> tuple[TokenSource, ...]:
    """Return the sources of tokens for a registry of Amazon's, the preferred one first."""
    parts = ecr_host(host)
    if parts is None:
        return ()
    helper = Helper(name="ecr-login", server=host, optional=True)
    return (
        TokenSource("boto3", _boto3_missing(), partial(_from_boto3, parts)),
        TokenSource(
            "aws", programs.missing("aws", environment), partial(_from_cli, parts, environment)
        ),
        TokenSource(
            helper.program,
            programs.missing(helper.program, environment),
            partial(_from_helper, helper, environment),
        ),
    )


def client(host: EcrHost) -> Any:  # noqa: ANN401 - boto3 makes its classes as it goes
    """Return boto3's client of the registry's API; boto3 reads its settings as it always does."""
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    settings = config.Config(use_fips_endpoint=True) if host.fips else None
    return boto3.client(host.service, region_name=host.region, config=settings)


def boto3_failure(error: Exception) -> str:
    """Return what an error of boto3 means, without secrets."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        said = response.get("Error", {})
        code, message = str(said.get("Code", "")), str(said.get("Message", ""))
        return f"AWS responded with {code}: {message}{_clock(code)}"
    names = {
        "NoCredentialsError": "boto3 found no AWS credentials",
        "PartialCredentialsError": "boto3 found only a part of the AWS credentials",
    }
    return names.get(type(error).__name__, f"boto3 failed: {kind(error)}")


def _clock(code: str) -> str:
    skewed = {"RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch"}
    return " (the clock of this machine may be wrong)" if code in skewed else ""


def _boto3_missing() -> str:
    there = importlib.util.find_spec("boto3")
    return "" if there else "boto3 is not installed (the extra `aws` of dockless has it)"


def _from_boto3(host: EcrHost) -> Credential | str:
    try:
        data = _token_data(host, client(host).get_authorization_token)
    except Exception as error:  # noqa: BLE001 - botocore's errors are made as it goes, too
        return boto3_failure(error)
    return _credential(data, "boto3")


def _token_data(host: EcrHost, ask: Callable[..., dict[str, Any]]) -> object:
    answer = ask(registryIds=[host.account]) if host.account else ask()
    return _part(answer)


def _part(answer: Mapping[str, Any]) -> object:
    """Return the one token of an answer: the private API has a list of them, the public one not."""
    data = answer.get("authorizationData")
    return data[0] if isinstance(data, list) and data else data


def _from_cli(host: EcrHost, environment: Mapping[str, str]) -> Credential | str:
    argv = ("aws", host.service, "get-authorization-token", "--output=json")
    of_account = ("--registry-ids", host.account) if host.account else ()
    fips = {"AWS_USE_FIPS_ENDPOINT": "true"} if host.fips else {}
    answer = programs.ask(
        (*argv, f"--region={host.region}", *of_account), {**environment, "AWS_PAGER": "", **fips}
    )
    if isinstance(answer, str):
        return answer + _clock(next(iter(re.findall(r"\((\w+)\)", answer)), ""))
    found = programs.members(answer)
    return (
        _credential(_part(found), "aws") if found else "aws printed something that is not a token"
    )


def _credential(data: object, origin: str) -> Credential | str:
    wrong = f"{origin} returned something that is not a token"
    if not isinstance(data, Mapping):
        return wrong
    try:
        pair = base64.b64decode(data["authorizationToken"], validate=True).decode()
        expires = _seconds(data.get("expiresAt"))
    except (KeyError, ValueError, TypeError, OverflowError):
        return wrong
    user, colon, password = pair.partition(":")
    if not colon or not password:
        return wrong
    return Credential(username=user, password=Secret(password), origin=origin, expires=expires)


def _seconds(moment: object) -> float | None:
    """Return a moment as seconds since 1970: boto3 has a datetime, the CLI text or a number."""
    if moment is None:
        return None
    if is_number(moment):
        return float(moment)
    from datetime import datetime  # noqa: PLC0415 - for this kind only

    found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return found.timestamp()


def _from_helper(helper: Helper, environment: Mapping[str, str]) -> Credential | str:
    try:
        found = helpers.ask(helper, environment)
    except AuthError as error:
        return error.what
    return found or f"{helper.program} returned no credential"
