"""The task group that drives each take from plan to asset, and says what happens as events."""
