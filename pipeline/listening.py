"""A socket that a server of this program listens on, and the address under which it is reached."""

from __future__ import annotations

import socket
from typing import Final

_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where to reach them


def listening_socket(host: str, port: int) -> socket.socket:
    """One that listens on `host`; `port` 0: any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    # What it accepts inherits this: asyncio does it only for sockets that name their protocol, and without it an answer
    # whose head and body are two writes waits 40 ms for the other side's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def reached_at(host: str, port: int) -> str:
    """`http://127.0.0.1:8787`: where whoever is on this machine finds it."""
    name = _EVERY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
