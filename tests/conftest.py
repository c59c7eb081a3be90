"""What every test shares: no window opens, the reader's choice of scale plays no part.

The rendered book is shared as well, so that it is rendered once at most.
"""

import os

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib
os.environ.pop("COURSE_SCALE", None)

import pytest
from rendered import pages_of_the_contents, rendered_book

import helpers  # noqa: F401 - before any test imports torchvision


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return rendered_book(lambda: tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def pages(site):
    found = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    assert len(found) >= len(pages_of_the_contents())
    return found
