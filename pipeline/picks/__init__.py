"""The lock file: what was bought of each track, which take is its pick, and what was delivered of it."""
