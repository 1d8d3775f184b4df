"""`python -m pipeline` and the `pipeline` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from pipeline.cli import main as command  # noqa: PLC0415 - keep start-up free for the fast paths
    except KeyboardInterrupt:  # while it starts: there is nothing to say yet
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
