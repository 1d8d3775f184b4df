"""`python -m pipeline` and the `pipeline` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from pipeline.cli import main as command  # noqa: PLC0415 - keep start-up free for the fast paths

    command()


if __name__ == "__main__":
    main()
