"""Images as the OCI image-spec has them: digests, manifests, references. No effects."""
