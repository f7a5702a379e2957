"""Where adapters meet use cases: connections, workspaces, sessions, the choice of a writer."""
