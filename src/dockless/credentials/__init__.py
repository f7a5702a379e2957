"""Who we are to a registry: where credentials are found, and how an engine gets one unseen."""
