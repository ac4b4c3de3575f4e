"""Real crashes: the whole plant under load, its processes killed at any moment, and everything reconciled in the end."""
