"""Reading from registries, as the OCI distribution-spec has it; the engines do the writing."""
