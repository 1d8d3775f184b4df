"""The plain forms of `run` and `plan`, read without click. What is not understood here for certain is left to it."""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LIST = "--only"
# With nothing to do, there is nobody to hold to a number, nothing to write into a log, and nothing to finish anywhere.
_OF_A_RUN = ("--concurrency", "--requests-per-minute", "--log-file", "--finish-on")
_OF_BOTH = ("--output", "--state", "--gateway", "--budget", "--shard", "--store")
_VALUES = {
    "plan": frozenset({*_OF_BOTH, _LIST}),
    "run": frozenset({*_OF_BOTH, _LIST, *_OF_A_RUN, "--depfile", "--stamp"}),
}
# With nothing to do, these change nothing but what is printed.
_FLAGS = {
    "plan": frozenset({"--json", "--detailed-exitcode"}),
    "run": frozenset({"--json", "--wait", "--cancel-on-interrupt", "-q", "--quiet", "-v", "--verbose"}),
}
_TOLD_AT_LENGTH = frozenset({"--json", "-v", "--verbose"})
_A_SCHEDULER = "tcp://scheduler:8786"
_MOST = {"--concurrency": 10_000, "--requests-per-minute": 1_000_000}


class Asked:
    """A `run` or `plan` as it was asked for: all in words, as they were given."""

    __slots__ = ("command", "flags", "manifests", "only", "values")

    def __init__(
        self,
        command: str,
        manifests: Sequence[str],
        only: Sequence[str],
        values: Mapping[str, str],
        flags: frozenset[str],
    ) -> None:
        self.command = command
        self.manifests = manifests
        self.only = only
        self.values = values
        self.flags = flags

    @property
    def output(self) -> str:
        return self.values.get("--output", "output")

    @property
    def state(self) -> str:
        return self.values.get("--state", ".pipeline")

    @property
    def asks_environment(self) -> bool:
        """Does the environment say which gateway is meant?"""
        return self.values.get("--gateway", "aigateway") == "aigateway"

    @property
    def is_told_briefly(self) -> bool:
        """Is what it prints, with nothing to do, what a stamp has kept of it?"""
        return not self.flags & _TOLD_AT_LENGTH

    @property
    def is_quiet(self) -> bool:
        return not self.flags.isdisjoint(("-q", "--quiet"))

    def parts(self) -> Iterator[str]:
        """What one stamp stands for: `run` and `plan` of the same things share it."""
        yield str(len(self.manifests))
        yield from self.manifests
        yield from (f"{name}={self.values[name]}" for name in sorted(self.values) if name not in _OF_A_RUN)
        yield from self.only


def read(words: Sequence[str]) -> Asked | None:
    """What a command line asks for; None where that is for click to say, and for whatever pays again on purpose."""
    if not words or words[0] not in _VALUES:
        return None
    command = words[0]
    manifests: list[str] = []
    only: list[str] = []
    values: dict[str, str] = {}
    flags: set[str] = set()
    following = iter(words[1:])
    for word in following:
        name, is_joined, value = word.partition("=")
        if word[:1] != "-":
            manifests.append(word)
        elif word in _FLAGS[command]:
            flags.add(word)
        elif name in _VALUES[command]:
            value = value if is_joined else next(following, "")
            if value[:1] in ("", "-") or name in values:
                return None
            if name == _LIST:
                only.append(value)
            else:
                values[name] = value
        else:
            return None
    if not manifests or "" in manifests or not all(_is_count(values.get(name, "1"), _MOST[name]) for name in _MOST):
        return None
    if not _is_scheduler(values.get("--finish-on", _A_SCHEDULER)):
        return None
    return Asked(command, manifests, only, values, frozenset(flags))


def _is_count(word: str, most: int) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= len(str(most)) and 1 <= int(word) <= most


def _is_scheduler(word: str) -> bool:
    """Is it the address of one, in its plainest form? Others are for click to take or to refuse."""
    scheme, _, place = word.partition("://")
    host, _, port = place.partition(":")
    plain = host.replace(".", "").replace("-", "")
    return scheme in ("tcp", "tls") and plain.isascii() and plain.isalnum() and _is_count(port, 65_535)
