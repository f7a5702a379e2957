"""Where adapters meet use cases: connections, workspaces, the choice of engine and compression."""
