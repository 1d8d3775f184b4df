"""Every instrument, alone."""

from __future__ import annotations

import numpy as np
import pytest
from composer_measuring import SAMPLE_RATE

from pipeline.local_gateway.composer.grooves import FILLS, GROOVES
from pipeline.local_gateway.composer.instruments import PLAYERS, Strike
from pipeline.local_gateway.composer.instruments.kits import KITS, LEVELS
from pipeline.local_gateway.composer.instruments.partials import ring
from pipeline.local_gateway.composer.instruments.textures import TEXTURES
from pipeline.local_gateway.composer.orchestra import FAMILIES
from pipeline.local_gateway.composer.orchestra import PLAYERS as FACTS
from pipeline.local_gateway.composer.styles import STYLES

COLOURS = {"voice": "s-ai", "pulse arpeggio": "0-4-7"}
PITCHED = sorted(set(PLAYERS) - set(KITS) - set(TEXTURES))
UNTUNED = {
    "bells",
    "fm bells",
    "timpani",
    "drone",
    "pulse arpeggio",
    "power guitar",
}  # their strongest partial is no octave


def strike(name, pitch, frames=SAMPLE_RATE // 2, velocity=0.75, variant=0):
    return Strike(name, pitch, frames, velocity, COLOURS.get(name, ""), variant)


def test_everybody_the_orchestra_knows_can_play():
    """The facts about players and the players themselves are the same names."""
    assert set(PLAYERS) == set(FACTS)


def test_every_player_a_style_wants_exists():
    """Styles name only players, kits, grooves and places that there are, and nobody waits for ever."""
    wanted = {"voice"}
    for style in STYLES.values():
        wanted |= {*style.lead, *style.chords, *style.bass, *style.pad, *style.counter, *style.textures}
        wanted |= {style.kit} - {""}
        assert set(style.grooves) <= set(GROOVES)
    assert wanted <= set(PLAYERS)
    assert set(PLAYERS) <= wanted | {player for roles in FAMILIES.values() for player in roles.values()}


@pytest.mark.parametrize("name", PITCHED)
def test_a_note_is_whole_clean_and_the_same_again(name):
    """A note begins and ends in silence, is finite and steady in level, and equal strikes have equal samples."""
    facts = FACTS[name]
    for pitch in (facts.low, facts.high):
        sound = np.atleast_2d(PLAYERS[name](strike(name, pitch)))
        peak = np.abs(sound).max()
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert 0.05 < peak < 1.0
        assert np.abs(sound[:, 0]).max() < 0.1 * peak
        assert np.abs(sound[:, -1]).max() < 0.01 * peak
        assert np.array_equal(sound, np.atleast_2d(PLAYERS[name](strike(name, pitch))))


@pytest.mark.parametrize("name", [name for name in PITCHED if name not in UNTUNED])
def test_a_note_is_in_tune(name):
    """The pitch that was asked for, or its octaves, rises out of the sound, within 15 cents."""
    facts = FACTS[name]
    pitch = (facts.low + facts.high) // 2
    sound = np.atleast_2d(PLAYERS[name](strike(name, pitch, SAMPLE_RATE))).mean(axis=0)
    size = 1 << 17
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    at = round(hertz * size / SAMPLE_RATE)
    wide = int(at * 0.03) + 3
    strongest = at - wide + int(spectrum[at - wide : at + wide + 1].argmax())
    cents = 1200 * np.log2(strongest * SAMPLE_RATE / size / hertz)
    assert abs(cents) < 15 + 1200 * np.log2(1 + 1 / at)


@pytest.mark.parametrize("name", ["piano", "guitar", "trumpet", "violin", "strings", "electric piano", "synth lead"])
def test_harder_is_brighter(name):
    """Playing harder does not only play louder: high frequencies gain on low ones."""

    def brightness(velocity):
        sound = np.atleast_2d(PLAYERS[name](strike(name, 60, velocity=velocity))).mean(axis=0)
        power = np.square(np.abs(np.fft.rfft(sound)))
        hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
        return power[hertz > 1500].sum() / power.sum()

    assert brightness(0.95) > 1.1 * brightness(0.2)


@pytest.mark.parametrize("kit", KITS)
def test_every_drum_of_a_kit_sounds_in_its_place(kit):
    """Each drum is heard at its level, begins at once, ends in silence, and stands left or right as it should."""
    assert set(KITS[kit]) <= set(LEVELS)
    for drum in KITS[kit]:
        sound = PLAYERS[kit](Strike(kit, 60, 22_050, 0.8, drum))
        left, right = np.square(sound).sum(axis=1)
        level, place = LEVELS[drum]
        assert sound.dtype == np.float32
        assert 0.5 * level < np.abs(sound).max() <= 1.01 * level
        assert np.abs(sound[:, -1]).max() < 0.01 * level
        assert (left > right) == (place < 0) or abs(left - right) < 1e-3 * left


def test_every_stroke_of_every_groove_has_its_drum():
    """Grooves and fills ask only for drums that all kits have."""
    asked = {drum for groove in (*GROOVES.values(), *FILLS) for drum in groove}
    assert all(asked <= set(kit) for kit in KITS.values())


@pytest.mark.parametrize("name", TEXTURES)
def test_a_place_joins_its_own_beginning(name):
    """Rain and wind have no seam: the step from the last sample to the first is no larger than others."""
    sound = PLAYERS[name](Strike(name, 60, 3 * SAMPLE_RATE, 0.7))
    steps = np.abs(np.diff(sound, axis=1))
    assert np.abs(sound[:, 0] - sound[:, -1]).max() <= steps.max()
    assert np.corrcoef(sound)[0, 1] < 0.95


def test_a_sum_of_partials_is_what_it_says():
    """The matrix product gives the sum of decaying cosines that its definition is, to single precision."""
    hertz, heights, decays, phases = (
        np.array([220.0, 331.7]),
        np.array([1.0, 0.5]),
        np.array([0.8, 0.3]),
        np.array([0.0, 1.0]),
    )
    time = np.arange(10_000)[:, None] / SAMPLE_RATE
    plain = (heights * np.exp(-6.907755 * time / decays) * np.cos(2 * np.pi * hertz * time + phases)).sum(axis=1)
    assert np.abs(ring(hertz, heights, decays, phases, 10_000) - plain).max() < 1e-5
