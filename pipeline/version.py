"""The program's version, where everything that needs it finds it without reading the installed package's metadata."""

from __future__ import annotations

VERSION = "0.1.0"
