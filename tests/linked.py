"""What a link to the page of all records asks for, and whether it is there."""

from urllib.parse import parse_qs, urlsplit

from helpers.runs.records import RUNS


def listed(address):
    """Return the experiments that an address of the page of all records asks for."""
    query = parse_qs(urlsplit(address).query, strict_parsing=True)
    scale, names = query.pop("rows")[0].split()
    assert (scale, query) == ("full", {})
    return [name.removeprefix("=") for name in names.split("|")]


def on_record(name):
    """Whether an experiment, or a batch of practice 5, has records at full scale."""
    return bool([*(RUNS / name).glob("full-seed-*.json")]) or (RUNS / f"{name}.json").is_file()
