"""The gallery's page belongs to the records and the pictures; its command, like all, can help."""

import os
import subprocess
import sys

import pytest

from helpers.book import activation_gallery as gallery
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.records import ROOT

ENTRIES = [
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__")
    for path in (ROOT / "helpers").rglob("*.py")
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
]


def test_the_page_is_what_the_records_say():
    page = gallery.page()
    assert gallery.PAGE.read_text(encoding="utf-8") == page
    assert page.count("<figure>") == len(ACTIVATION_PAIRS)
    sizes = {path.name: path.stat().st_size for path in gallery.PICTURES.iterdir()}
    assert set(sizes) == {
        f"{name}{end}" for name in ACTIVATION_PAIRS for end in (".gif", ".webp", "-still.webp")
    }
    assert sum(sizes.values()) < 6_500_000


@pytest.mark.parametrize("entry", ENTRIES)
def test_asking_for_help_helps_on_any_console_and_does_nothing_else(entry):
    command = [sys.executable, "-m", entry, "--help"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage:"), done.stderr
