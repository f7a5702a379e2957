"""crane and skopeo: finding them, driving them through `sh`, and reading what they say."""
