"""The version of dockless, for messages, receipts and the User-Agent."""

__version__ = "0.2.0.dev0"
