"""The commands: the only room that prints or reads the environment. A command's needs are imported when called."""

from __future__ import annotations

from pipeline.cli.app import main

__all__ = ["main"]
