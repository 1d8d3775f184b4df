"""Which addresses audio may come from."""

from __future__ import annotations

import httpx
import pytest

from pipeline.gateway.addresses import MediaRules, base_address, is_loopback, job_file, without_query
from pipeline.gateway.errors import HostRefused

REAL = base_address("https://api.aigateway.sh")
STUDIO = base_address("https://gateway.studio.example:8443/aig")
LOCAL = base_address("http://127.0.0.1:8787")


@pytest.mark.parametrize(
    ("base", "media_hosts", "address"),
    [
        (REAL, (), "https://media.aigateway.sh/music/a.mp3?sig=1"),
        (REAL, (), "https://api.aigateway.sh/v1/files/jobs/job_1/a.wav"),
        (REAL, (), "https://aigateway.sh/a.wav"),
        (REAL, (), "https://MEDIA.AIGATEWAY.SH/a.wav"),
        (REAL, (), "/v1/files/jobs/job_1/a.wav"),
        (REAL, ("cdn.example",), "https://cdn.example/a.wav"),
        (REAL, ("CDN.example ",), "https://cdn.example:8443/a.wav"),
        (REAL, ("cdn.example:8443",), "https://cdn.example:8443/a.wav"),
        (REAL, ("*.r2.example",), "https://bucket.r2.example/a.wav"),
        (REAL, ("[2001:db8::5]:8443",), "https://[2001:db8::5]:8443/a.wav"),
        (REAL, ("2001:db8::5",), "https://[2001:db8::5]/a.wav"),
        (STUDIO, (), "https://gateway.studio.example/a.wav"),
        (LOCAL, (), "http://127.0.0.1:8788/music/a.wav?sig=1"),
        (LOCAL, (), "http://localhost:8788/a.wav"),
        (LOCAL, (), "http://[::1]:8788/a.wav"),
        (LOCAL, ("cdn.example",), "https://cdn.example/a.wav"),
    ],
)
def test_audio_may_come_from_the_gateways_own_hosts_and_those_that_are_named(base, media_hosts, address) -> None:
    """Over https; from this machine over http where the gateway is on it."""
    assert isinstance(MediaRules(base, media_hosts).checked(address), httpx.URL)


@pytest.mark.parametrize(
    ("base", "media_hosts", "address"),
    [
        (REAL, (), "https://cdn.example/a.wav"),
        (REAL, (), "https://aigateway.sh.evil.example/a.wav"),
        (REAL, (), "https://evilaigateway.sh/a.wav"),
        (REAL, ("*.r2.example",), "https://r2.example/a.wav"),
        (REAL, ("cdn.example",), "https://sub.cdn.example/a.wav"),
        (REAL, ("cdn.example:8443",), "https://cdn.example/a.wav"),
        (REAL, (), "https://127.0.0.1/a.wav"),
        (REAL, (), "https://169.254.169.254/latest/meta-data"),
        (STUDIO, (), "https://media.aigateway.sh/a.wav"),
        (LOCAL, (), "https://media.aigateway.sh/a.wav"),
        (LOCAL, (), "http://127.1/a.wav"),
        (LOCAL, (), "http://192.168.0.1/a.wav"),
    ],
)
def test_any_other_host_is_refused_with_the_key_to_add(base, media_hosts, address) -> None:
    """Whoever reads it knows which host to add where."""
    with pytest.raises(HostRefused, match=r"gateway\.media_hosts") as caught:
        MediaRules(base, media_hosts).checked(address)
    assert httpx.URL(address).host in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("base", "media_hosts", "address"),
    [
        (REAL, (), "http://media.aigateway.sh/a.wav"),
        (REAL, ("cdn.example",), "http://cdn.example/a.wav"),
        (LOCAL, ("cdn.example",), "http://cdn.example/a.wav"),
        (base_address("http://10.0.0.5:8787"), (), "http://10.0.0.5:8788/a.wav"),
    ],
)
def test_a_trusted_host_without_https_is_refused(base, media_hosts, address) -> None:
    """Only this machine itself needs none."""
    with pytest.raises(HostRefused, match="without https"):
        MediaRules(base, media_hosts).checked(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://media.aigateway.sh\\@evil.example/a.wav",
        "https://media.aigateway.sh@evil.example/a.wav",
        "https://user:pw@media.aigateway.sh/a.wav",
        "https://@media.aigateway.sh/a.wav",
        "//user@media.aigateway.sh/a.wav",
        "https://media%2eaigateway.sh/a.wav",
        "https://media.aigateway.sh%00.evil.example/a.wav",
        "https://ⓜedia.aigateway.sh/a.wav",
        "https://medi\u0430.aigateway.sh/a.wav",
        "https://xn--a.example/a.wav",
        "https://media.aigateway.sh./a.wav",
        "https://media.aigateway.sh:99999/a.wav",
        "https://media.aigateway.sh:x/a.wav",
        "https:///a.wav",
        "file:///etc/passwd",
        "ftp://media.aigateway.sh/a.wav",
        "data:audio/wav;base64,AAAA",
        "javascript:alert(1)",
        "https://media.aigateway.sh/a b.wav",
        "https://media.aigateway.sh/a\r\nHost: evil.example",
        "",
        "https://media.aigateway.sh/" + "a" * 9_000,
    ],
    ids=lambda address: ascii(address)[:60],
)
def test_an_address_that_two_parsers_could_read_differently_is_refused(address) -> None:
    """A name before an @, a backslash, letters beyond ASCII, odd schemes."""
    with pytest.raises(HostRefused) as caught:
        MediaRules(REAL, ()).checked(address)
    assert "\n" not in str(caught.value)


def test_a_redirect_is_relative_to_where_it_came_from() -> None:
    """And is checked like any other address."""
    rules = MediaRules(REAL, ())
    here = rules.checked("https://media.aigateway.sh/music/a.wav?sig=1")
    assert str(rules.checked("../b.wav", here)) == "https://media.aigateway.sh/b.wav"
    with pytest.raises(HostRefused):
        rules.checked("//evil.example/b.wav", here)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://media.aigateway.sh/v1/files/jobs/job_1/take.wav", "/v1/files/jobs/job_1/take.wav"),
        ("https://media.aigateway.sh/v1/files/jobs/job_1/take.wav?x=1", "/v1/files/jobs/job_1/take.wav"),
        ("https://media.aigateway.sh/v1/files/jobs/job_1/a/b.wav", None),
        ("https://media.aigateway.sh/v1/files/jobs/job_1/", None),
        ("https://media.aigateway.sh/v1/files/jobs/../jobs/take.wav", None),
        ("https://media.aigateway.sh/music/take.wav", None),
    ],
)
def test_the_address_of_a_jobs_file_is_known_by_its_form(address, path) -> None:
    """For such a one the gateway gives a signed address."""
    assert job_file(httpx.URL(address)) == path


def test_messages_hold_an_address_without_its_query() -> None:
    """That is where its signature stands."""
    url = httpx.URL("https://media.aigateway.sh:8443/music/a.wav?sig=secret#part")
    assert without_query(url) == "https://media.aigateway.sh:8443/music/a.wav"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("0.0.0.0", False),
    ],
)
def test_this_machine_is_known_without_asking_a_name_server(host, expected) -> None:
    """Only by its own names."""
    assert is_loopback(host) is expected
