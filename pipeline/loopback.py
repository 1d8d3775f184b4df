"""Which hosts are this machine itself: what is sent there is on no wire."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Does `host` name this machine itself, without any name server's word for it?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
