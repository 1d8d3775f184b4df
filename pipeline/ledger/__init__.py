"""SQLite: runs, intents, jobs, charges, sources, assets."""
