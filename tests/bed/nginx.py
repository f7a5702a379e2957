"""nginx in front of a registry: TLS, client certificates, and a path of its own."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from bed.certificates import Certificates
from bed.process import Daemon, running, tail

_START_SECONDS = 120.0
_POLL_SECONDS = 0.02
_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificates.server};
    ssl_certificate_key {certificates.server_key};
    {verify}
    location = /v2/ {{ {upstream} }}
    location /v2/{prefix} {{
      {rewrite}
      {upstream}
    }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(
    folder: Path,
    certificates: Certificates,
    upstream: str,
    *,
    prefix: str = "",
    client_certificate: bool = False,
) -> Iterator[str]:
    """Run nginx in front of a registry for as long as the block lasts; yield its `host:port`.

    Args:
        folder: A folder that exists, for its files.
        certificates: Its certificate, and the authority of the clients' ones.
        upstream: The registry's `host:port`; it speaks plain HTTP.
        prefix: What stands before the names of all repositories, with a slash at its end.
        client_certificate: Whether clients must show a certificate.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    host = f"127.0.0.1:{port}"
    # where an upload goes on is told by the registry without the prefix
    back = f"proxy_redirect ~^https?://[^/]+/v2/(.*)$ https://{host}/v2/{prefix}$1;"
    verify = f"ssl_client_certificate {certificates.ca}; ssl_verify_client on;"
    config = folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            port=port,
            certificates=certificates,
            verify=verify if client_certificate else "",
            prefix=prefix,
            rewrite=f"rewrite ^/v2/{prefix}(.*)$ /v2/$1 break;" if prefix else "",
            upstream=f"proxy_pass http://{upstream}; {back} proxy_set_header Host $http_host; "
            "proxy_set_header X-Forwarded-Proto https;",
        )
    )
    with running(("nginx", "-c", str(config), "-p", str(folder)), folder / "nginx.log") as daemon:
        _wait_for(daemon, port)
        yield host


_LIMITED = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  limit_conn_zone $server_port zone=all:1m;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size {body};
    limit_conn all {most};
    limit_conn_status {status};
    location / {{ proxy_pass http://{upstream}; proxy_set_header Host $http_host; }}
  }}
}}
"""


@contextlib.contextmanager
def limiting_nginx(
    folder: Path, upstream: str, *, most: int = 100, status: int = 503, body: str = "0"
) -> Iterator[str]:
    """Run nginx with limits in front of a registry, without TLS; yield its `host:port`.

    Args:
        folder: A folder that exists, for its files; `access.log` is one of them.
        upstream: The registry's `host:port`; it speaks plain HTTP.
        most: How many requests it answers at once.
        status: How it answers the others.
        body: The size of the largest body of a request; 0 for any.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(
        _LIMITED.format(
            folder=folder, port=port, upstream=upstream, most=most, status=status, body=body
        )
    )
    with running(("nginx", "-c", str(config), "-p", str(folder)), folder / "nginx.log") as daemon:
        _wait_for(daemon, port)
        yield f"127.0.0.1:{port}"


def _wait_for(daemon: Daemon, port: int) -> None:
    """Wait until it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while daemon.child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"nginx did not start:\n{tail(daemon.log)}")
