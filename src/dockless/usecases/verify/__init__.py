"""Reading an image back from a registry."""
