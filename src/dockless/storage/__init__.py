"""The blob store and what fills it: staging, compression, layouts, bundles, receipts."""
