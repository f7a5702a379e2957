"""Reading from and writing to registries, by the OCI distribution-spec."""
