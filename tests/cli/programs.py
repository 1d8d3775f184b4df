"""The real program as a script or a person starts it, with its interpreter and its worker processes.

That takes seconds. Where a test is not about it, `Lives` start the same command line at once.
"""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from lives import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lives import Lives

MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [wav]}
tracks:
  menu: {prompt: calm menu}
  battle/{boss}: {matrix: {boss: [dragon, lich]}, prompt: "{boss} battle", tags: [boss]}
"""


def pipeline(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return program(folder, sys.executable, "-m", "pipeline", *words, **environment)


def program(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


class Served:
    """`pipeline serve` in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--media-port", "0", *words],
            cwd=folder,
            env=clean_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        while (found := re.search(r"--gateway local=(http://\S+)", said)) is None:
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.url = found[1]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


#: In place of `python -m pipeline`: has a life begun where it stands, and ends as that does.
_STUB = """\
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as door, door.makefile("rw") as talk:
    print(json.dumps([os.getcwd(), dict(os.environ), *sys.argv[1:]]), file=talk, flush=True)
    status, stdout, stderr = json.loads(talk.readline())
print(stdout, end="")
print(stderr, end="", file=sys.stderr)
sys.exit(status)
"""


@contextmanager
def command_of(lives: Lives, folder: Path) -> Iterator[str]:
    """A command by which other programs start lives, one after the other, as they would start the program."""

    class Life(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            where, environment, *words = json.loads(self.rfile.readline())
            ended = lives.live(Path(where), *words, **environment)
            self.wfile.write(json.dumps([ended.status, ended.stdout, ended.stderr]).encode() + b"\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Life) as server:
        stub = folder / "stub.py"
        stub.write_text(_STUB.format(port=server.server_address[1]))
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"{sys.executable} -I -S {stub}"
        finally:
            server.shutdown()
            serving.join()
