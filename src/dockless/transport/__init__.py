"""HTTP to registries and what it stands on: proxies, TLS, time limits. The owner of urllib3."""
