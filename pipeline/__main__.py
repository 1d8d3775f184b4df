"""`python -m pipeline` and the `pipeline` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line: at once where there is nothing to do, else with all that a command needs."""
    try:
        from pipeline.cli.at_once import answered  # noqa: PLC0415 - keep start-up free for the fast paths

        if answered(sys.argv[1:]):
            sys.exit(0)
        from pipeline.cli import main as command  # noqa: PLC0415 - as above
    except KeyboardInterrupt:  # while it starts: there is nothing to say yet
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
