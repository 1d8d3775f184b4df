"""XMP: the packet in which IPTC's own properties stand (ISO 16684-1; IPTC Photo Metadata 2025.1, Extension schema)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from pipeline.audio.marks import SOURCE_TYPE, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROPERTIES: Final = {SOURCE_TYPE: "DigitalSourceType", SYSTEM: "AISystemUsed"}
_PACKET: Final = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"{}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def xmp_packet(metadata: Sequence[tuple[str, str]]) -> bytes:
    """The properties of `metadata` that IPTC has; nothing where there are none."""
    properties = "".join(
        f"\n   Iptc4xmpExt:{_PROPERTIES[name]}={quoteattr(value)}" for name, value in metadata if name in _PROPERTIES
    )
    return _PACKET.format(properties).encode() if properties else b""
