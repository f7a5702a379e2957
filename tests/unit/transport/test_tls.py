import ssl
from pathlib import Path

import pytest

from bed.certificates import make
from dockless.errors import UsageError
from dockless.model.endpoint import Trust
from dockless.transport.tls import ssl_context


def test_certificates_are_checked_against_the_name_and_the_named_authorities(
    tmp_path: Path,
) -> None:
    certificates = make(tmp_path)
    context = ssl_context(Trust((certificates.ca,)))
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == len(ssl_context(Trust()).get_ca_certs()) + 1


def test_a_certificate_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(UsageError, match="--ca-file or --cert-dir"):
        ssl_context(Trust((tmp_path / "ca.pem",)))
