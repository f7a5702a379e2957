"""TLS settings: whom a registry's certificate may be signed by, and our own one."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from dockless.errors import UsageError
from dockless.model.endpoint import Trust
from dockless.transport.deadline import TimedTls


def ssl_context(trust: Trust, environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Return the TLS settings: the system's authorities and these.

    Args:
        trust: Further authorities, and a client certificate.
        environment: Where `SSL_CERT_FILE` and `SSL_CERT_DIR` stand in for the system's; None for
            that of the process, which is what OpenSSL reads.
    """
    context = _default_context(environment)
    context.sslsocket_class = TimedTls
    try:
        for path in trust.ca_files:
            context.load_verify_locations(path)
        if trust.client_cert:
            context.load_cert_chain(trust.client_cert, trust.client_key)
    except (OSError, ssl.SSLError) as error:
        from dockless.model.reasons import reason  # noqa: PLC0415 - rare

        named = ", ".join(map(str, filter(None, (*trust.ca_files, trust.client_cert))))
        raise UsageError(
            f"The certificates in {named} cannot be used: {reason(error)}.",
            "Give PEM files with --ca-file or --cert-dir.",
        ) from None
    return context


def _default_context(environment: Mapping[str, str] | None) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    named = (paths.openssl_cafile_env, paths.openssl_capath_env)
    if environment is None or any(name in environment for name in named):
        return ssl.create_default_context()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    return ssl.create_default_context(
        cafile=file if file.is_file() else None, capath=folder if folder.is_dir() else None
    )
