"""The commands: the only room that prints or reads the environment. A command's needs are imported when called."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit status."""
    from pipeline.cli.app import main as command  # noqa: PLC0415 - click, which what is told at once does without

    command()
