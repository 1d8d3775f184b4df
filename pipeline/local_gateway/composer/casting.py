"""Who plays: a brief's instruments first, the style's own where the brief leaves a role open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.orchestra import FAMILIES, PLAYERS

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.brief import Brief
    from pipeline.local_gateway.composer.chance import Chance
    from pipeline.local_gateway.composer.styles import Style

PITCHED_ROLES: Final = ("lead", "chords", "pad", "bass", "counter")
BEATEN: Final = frozenset({"drums", "taiko", "timpani", "snare", "hands", "claps"})
PLACES: Final = frozenset({"rain", "vinyl", "wind", "sea", "fire", "night"})
CROWD: Final = 3  # families: so many leave no room for others
STILL: Final = 0.22  # below this energy nobody drums unless asked to
STRIDENT: Final = 0.72  # above it an orchestra brings its big drums


@dataclass(frozen=True, slots=True)
class Cast:
    """A player for each role, or nobody."""

    lead: str | None = None
    chords: str | None = None
    pad: str | None = None
    bass: str | None = None
    counter: str | None = None
    kit: str | None = None
    percussion: tuple[str, ...] = ()  # names of percussion patterns
    textures: tuple[str, ...] = ()


def cast_for(brief: Brief, style: Style, chance: Chance) -> Cast:
    """The players for a brief. Families are cast in the order of their mention, each in its most natural open role."""
    named = [family for family in brief.families if family not in BEATEN | PLACES]
    roles = _named_roles(named)
    _take_second_roles(roles, named)
    if named and (brief.alone or len(named) == 1):
        _carry_the_bass(roles, named)
    alone = brief.alone and "lead" in roles  # a pad or a bass by itself is no piece
    if not alone:
        _fill(roles, brief, style, chance, crowded=len(named) >= CROWD)
    return Cast(
        **_pitched(roles),
        kit=_kit(brief, style) if not alone or "drums" in brief.families else None,
        percussion=_percussion(brief, style),
        textures=_textures(brief, style),
    )


def _pitched(roles: dict[str, str]) -> dict[str, str | None]:
    return {role: roles.get(role) for role in PITCHED_ROLES}


def _named_roles(named: list[str]) -> dict[str, str]:
    roles: dict[str, str] = {}
    for family in named:
        for role, player in FAMILIES[family].items():
            if role not in roles and player:
                roles[role] = player
                break
    return roles


def _take_second_roles(roles: dict[str, str], named: list[str]) -> None:
    """A named family leads, and carries the chords, before a stranger does."""
    for role in ("lead", "chords"):
        if role not in roles:
            able = [family for family in named if role in FAMILIES[family]]
            if able:
                roles[role] = FAMILIES[able[0]][role]


def _carry_the_bass(roles: dict[str, str], named: list[str]) -> None:
    """Who plays alone, and can, plays the bass too."""
    able = [family for family in named if FAMILIES[family].get("bass")]
    if able and "bass" not in roles:
        roles["bass"] = FAMILIES[able[0]]["bass"]


def _fill(roles: dict[str, str], brief: Brief, style: Style, chance: Chance, *, crowded: bool) -> None:
    """The style's players for what is still open; in a crowded brief only what music cannot do without."""
    barred = {player for family in brief.barred for player in FAMILIES[family].values()}
    open_roles = ("lead", "chords", "bass") if crowded else PITCHED_ROLES
    for role in open_roles:
        choices = [name for name in getattr(style, role) if name not in barred]
        if role == "counter":
            choices = [name for name in choices if name != roles.get("lead")]
        if role not in roles and choices and not (role == "bass" and "bass" in brief.barred):
            roles[role] = chance.pick(choices)
    if "lead" in roles and roles["lead"] == roles.get("counter"):
        del roles["counter"]


def _kit(brief: Brief, style: Style) -> str | None:
    if "drums" in brief.barred:
        return None
    if "drums" in brief.families:
        return style.kit or "kit jazz"
    orchestra = style.grooves == ("orchestra",)
    still = brief.energy < STILL or (orchestra and brief.energy < STRIDENT)
    return None if still else style.kit or None


def _percussion(brief: Brief, style: Style) -> tuple[str, ...]:
    asked = [FAMILIES[family]["percussion"] for family in brief.families if "percussion" in FAMILIES[family]]
    if not asked and style.kit == "kit orchestra" and brief.energy >= STRIDENT and not brief.barred & BEATEN:
        asked = ["taiko"]
    return tuple(dict.fromkeys(asked))


def _textures(brief: Brief, style: Style) -> tuple[str, ...]:
    asked = tuple(family for family in brief.families if family in PLACES)
    return asked or tuple(name for name in style.textures if name not in brief.barred)


def centre_of(player: str) -> int:
    """The pitch around which a player plays at ease: a little above the middle of the range."""
    facts = PLAYERS[player]
    return round(facts.low + 0.55 * (facts.high - facts.low))
