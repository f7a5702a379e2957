"""The blob store and what fills it: reading, checking, compressing and laying out blobs."""
