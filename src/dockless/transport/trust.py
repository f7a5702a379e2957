"""The certificates for a registry, from the folders of docker and podman."""

from pathlib import Path

from dockless.errors import UsageError
from dockless.model.endpoint import Trust

_SYSTEM_FOLDERS = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))


def find_trust(host: str, ca_file: Path | None, cert_dir: Path | None, home: Path) -> Trust:
    """Return the certificates for a registry, in addition to the system's.

    Args:
        host: The registry's `host[:port]`.
        ca_file: The value of `--ca-file`.
        cert_dir: The value of `--cert-dir`; else the first of the folders that
            containers-certs.d(5) and docker name for this host.
        home: The user's home.

    Raises:
        UsageError: A named file is missing, or a client certificate has no key.
    """
    _refuse_swapped(ca_file, cert_dir)
    folder = cert_dir or next(iter(usual_folders(host, home)), None)
    authorities = tuple(sorted(folder.glob("*.crt"))) if folder else ()
    if ca_file:
        if not ca_file.is_file():
            why = "is not a regular file" if ca_file.exists() else "does not exist"
            raise UsageError(f"The certificate {ca_file} {why}.", "Check --ca-file.")
        authorities = (ca_file, *authorities)
    certificates = sorted(folder.glob("*.cert")) if folder else []
    for path in (*authorities, *certificates):
        if not path.is_file():  # OpenSSL would wait for a FIFO
            raise UsageError(f"The certificate {path} is not a file.", "Correct it, or remove it.")
    if not certificates:
        if cert_dir and not cert_dir.is_dir():
            raise UsageError(f"There is no folder {cert_dir}.", "Check --cert-dir.")
        if cert_dir and not authorities:
            raise UsageError(
                f"{cert_dir} contains no certificate.",
                "A folder for --cert-dir has *.crt, and *.cert with *.key for a client.",
            )
        return Trust(authorities)
    key = certificates[0].with_suffix(".key")
    if not key.is_file():
        raise UsageError(
            f"{certificates[0]} has no matching .key file.", f"Put the key into {key}."
        )
    return Trust(authorities, certificates[0], key)


def _refuse_swapped(ca_file: Path | None, cert_dir: Path | None) -> None:
    if ca_file and ca_file.is_dir():
        raise UsageError(
            f"{ca_file} is a folder, and --ca-file takes a file.",
            f"If it has the certificates for a registry, use --cert-dir {ca_file}.",
        )
    if cert_dir and cert_dir.is_file():
        raise UsageError(
            f"{cert_dir} is a file, and --cert-dir takes a folder.",
            f"If it is the certificate of an authority, use --ca-file {cert_dir}.",
        )


def certificates_of(host: str, home: Path) -> Path:
    """Return the user's own folder of certificates for a host."""
    return home / ".config/containers/certs.d" / host


def usual_folders(host: str, home: Path) -> list[Path]:
    """Return the folders of certificates that are there for a host, the first of which counts.

    An inaccessible one counts as missing: the home may be another user's.
    """
    named = (
        certificates_of(host, home),
        *(folder / host for folder in _SYSTEM_FOLDERS),
    )
    return [folder for folder in named if _is_there(folder)]


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
