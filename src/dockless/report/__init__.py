"""Output: text, JSON documents and progress. No decisions are made here."""
