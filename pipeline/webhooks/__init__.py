"""Webhooks: the gateway tells that a job has ended. What it says is believed only as far as to ask it."""
