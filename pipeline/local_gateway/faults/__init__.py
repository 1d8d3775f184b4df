"""Faults on request: which request they meet, and what they do to it."""
