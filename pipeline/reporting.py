"""The reports are written: what the ledger and the index hold becomes the report room's values, and its text files."""

from __future__ import annotations
