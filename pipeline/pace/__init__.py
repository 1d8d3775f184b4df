"""When to ask: how long jobs take, what a request is worth, and when the next poll pays. Pure; docs/pace.md."""
