"""Takes x ledger x output -> a plan, with its cost. Pure."""
