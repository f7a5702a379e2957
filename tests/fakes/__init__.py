"""Stand-ins for the adapters behind `dockless.ports`; `tests/contract` holds them to the real."""
