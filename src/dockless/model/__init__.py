"""The values that are shared between the packages. Standard library and msgspec only."""
