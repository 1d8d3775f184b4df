"""YAML text -> plain values with their places, within bounds.

The values are built from the parser's events and not from PyYAML's nodes: its C composer calls itself for each level
of nesting, so that a line of brackets ends the process. By events every bound is checked before anything is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, cast

import yaml

from pipeline.manifest.mistakes import ManifestMistakes, Mistake, path_text, quoted, shown
from pipeline.manifest.syntax import DEEPEST_NESTING, TOO_DEEP, syntax_mistake
from pipeline.manifest.tracks import Place
from pipeline.manifest.values import Document, Mapping, Plain, Sequence, Spot, Value, is_bare_placeholder, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    _NodeEvent = yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent

_Scalar: Final = yaml.ScalarEvent
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MOST_NODES: Final = 2_000_000  # more than a file of the greatest size has in practice
MOST_ALIASED_NODES: Final = 100_000

_YAML: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset(_YAML + kind for kind in ("int", "float", "bool", "null"))
_KNOWN_TAGS: Final = _PLAIN_TAGS | {None, "!"} | {_YAML + kind for kind in ("str", "map", "seq")}


def compose(text: str, file: str) -> Document:
    """What `text` holds. `file` names it in messages.

    Mistakes that reading can go on after (a key given twice, an unknown tag) are in the document. Raises
    ManifestMistakes for what it can't: bad syntax, nesting or aliases out of bounds, nothing at all.
    """
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    composer = _Composer(file)
    try:
        return composer.document(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: of characters that no encoding has
        raise ManifestMistakes([syntax_mistake(error, text, file, composer.path)]) from error


class _Composer:
    """Builds a document's values from its events."""

    _next: Callable[[], yaml.Event]

    def __init__(self, file: str) -> None:
        self.path: list[str | int] = []
        self._file = file
        self._mistakes: list[Mistake] = []
        # An anchor's value, and how many nodes it expands to. None: an alias would stand inside of what it repeats.
        self._anchors: dict[str, tuple[Value, int] | None] = {}
        self._nodes = 0
        self._aliased = 0

    def document(self, text: str) -> Document:
        self._next = LOADER(text).get_event  # what `yaml.parse` asks too, by two more calls for each event
        self._next()  # the stream begins
        if type(self._next()) is not yaml.DocumentStartEvent:
            self._stop(Place(self._file, 1, 1), "is empty, expected a mapping with version, name and tracks")
        first = self._next()
        root = self._value(first, 0)
        self._next()  # the document ends
        end = self._next()
        if type(end) is not yaml.StreamEndEvent:
            self._stop(self._place(end), "a second document begins here, expected one document in a manifest")
        return Document(self._file, root, _spot(first), tuple(self._mistakes))

    def _value(self, event: yaml.Event, depth: int) -> Value:
        if type(event) is _Scalar and event.anchor is None and event.tag is None:  # as nearly all of them
            self._count(event, depth)
            return self._scalar(event)
        if type(event) is yaml.AliasEvent:
            return self._alias(event)
        self._count(event, depth)
        node = cast("_NodeEvent", event)
        if node.anchor is None:
            return self._built(node, depth)
        before = self._nodes + self._aliased
        self._anchors[node.anchor] = None
        value = self._built(node, depth)
        self._anchors[node.anchor] = value, self._nodes + self._aliased - before + 1
        return value

    def _built(self, event: _NodeEvent, depth: int) -> Value:
        if event.tag not in _KNOWN_TAGS:
            self._wrong(event, f"the tag {quoted(str(event.tag))} is not known here, expected plain YAML")
        if type(event) is yaml.ScalarEvent:
            return self._scalar(event)
        if type(event) is yaml.MappingStartEvent:
            return self._mapping(depth)
        return self._sequence(depth)

    def _count(self, event: yaml.Event, depth: int) -> None:
        self._nodes += 1
        if depth > DEEPEST_NESTING:
            self._stop(self._place(event), TOO_DEEP)
        if self._nodes > MOST_NODES:
            self._stop(self._place(event), f"more than {MOST_NODES:,} values, expected several smaller manifests")

    def _scalar(self, event: yaml.ScalarEvent) -> str | Plain:
        spelling: str = event.value
        if not spelling.isascii() and any("\ud800" <= char <= "\udfff" for char in spelling):
            self._wrong(event, "holds half of a character (a lone surrogate), expected whole ones")
            return "?"
        is_plain = event.implicit[0] if event.tag is None else event.tag in _PLAIN_TAGS
        return resolved(spelling) if is_plain else spelling

    def _sequence(self, depth: int) -> Sequence:
        sequence = Sequence()
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            self.path.append(len(sequence))
            sequence.append(self._value(event, depth + 1))
            sequence.items_at.append(_spot(event))
            self.path.pop()
        return sequence

    def _mapping(self, depth: int) -> Mapping:
        mapping = Mapping()
        merges: list[tuple[Spot, Value]] = []
        seen: dict[str, Spot] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key, spot = self._key(event, depth + 1), _spot(event)
            self.path.append(key or "?")
            if key in seen:
                self._wrong(event, f"given a second time, expected it once (it also stands in line {seen[key][0]})")
            following = self._next()
            value = self._value(following, depth + 1)
            if key is not None:
                seen.setdefault(key, spot)
                if key == "<<" and _is_plain(event):
                    merges.append((_spot(following), value))
                elif key not in mapping:
                    mapping.put(key, spot, value, _spot(following))
            self.path.pop()
        for spot, merged in merges:
            self._merge(mapping, merged, spot)
        return mapping

    def _key(self, event: yaml.Event, depth: int) -> str | None:
        """A key as it is spelled. None, with a mistake, for one that is no text."""
        if type(event) is _Scalar and event.anchor is None and event.tag is None and event.value.isascii():
            self._count(event, depth)
            return str(event.value)
        key = self._value(event, depth)
        if isinstance(key, Plain):
            return key.spelling
        if isinstance(key, str):
            return key
        if is_bare_placeholder(key):
            what = f'a name that begins with {{ is a mapping in YAML, expected it in quotes: "{{{next(iter(key))}}}..."'
        else:
            what = f"{'a mapping' if isinstance(key, Mapping) else 'a list'} can't be a key, expected text"
        self._wrong(event, what)
        return None

    def _merge(self, mapping: Mapping, merged: Value, spot: Spot) -> None:
        """YAML's `<<`: what `merged` has and `mapping` lacks; of several the first that has it."""
        for one in merged if isinstance(merged, Sequence) else [merged]:
            if not isinstance(one, Mapping):
                place = Place(self._file, *spot)
                self._note(place, "<< takes a mapping or a list of mappings, expected an alias such as *base")
                continue
            for key, value in one.items():
                if key not in mapping:
                    mapping.put(key, one.keys_at[key], value, one.values_at[key])

    def _alias(self, event: yaml.AliasEvent) -> Value:
        name = str(event.anchor)
        if name not in self._anchors:
            what = f"the alias *{shown(name)} repeats nothing, expected &{shown(name)} before it"
            self._stop(self._place(event), f"{what}; if it is text, put it in quotes")
        anchored = self._anchors[name]
        if anchored is None:
            self._stop(self._place(event), f"*{shown(name)} stands inside of what it repeats, expected it outside")
        value, size = anchored
        self._aliased += size
        if self._aliased > MOST_ALIASED_NODES:
            what = f"aliases expand to more than {MOST_ALIASED_NODES:,} values, expected fewer"
            self._stop(self._place(event), f"{what}; `defaults:` and `matrix:` repeat things more cheaply")
        return value

    def _place(self, event: yaml.Event) -> Place:
        return Place(self._file, *_spot(event))

    def _wrong(self, event: yaml.Event, message: str) -> None:
        self._note(self._place(event), message)

    def _note(self, place: Place, message: str) -> None:
        self._mistakes.append(Mistake(place, path_text(tuple(self.path)), message))

    def _stop(self, place: Place, message: str) -> NoReturn:
        raise ManifestMistakes([*self._mistakes, Mistake(place, path_text(tuple(self.path)), message)])


def _spot(event: yaml.Event) -> Spot:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1  # type: ignore[union-attr] # of what was parsed there is one


def _is_plain(event: yaml.Event) -> bool:
    """Is it an unquoted scalar without a tag?"""
    return type(event) is yaml.ScalarEvent and event.implicit[0] and event.tag is None
