"""What people and programs are told: text, JSON documents and progress. Nothing here decides."""
