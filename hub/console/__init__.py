"""The maintenance engineer's console: one machine seen over the broker, and its service commands (docs/console.md)."""
