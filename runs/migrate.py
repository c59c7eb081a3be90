"""Bring the records beside this file to the names and the schema that the code reads.

    python runs/migrate.py

It changes names, never numbers, and can be run again: what is up to date stays as it is.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from helpers.runs.records import as_text, write_atomically  # noqa: E402

SCHEMA = 1


def is_vit(record):
    """Whether a record is of a ViT: some of its arguments had names that others have too."""
    return record["config"].get("model") == "vit"


def always(record):
    """Whether a rule without a condition applies."""
    return True


# Where in a record a key or a value changes its name: a path of keys, {old: new}, and of which
# records. The rules are applied in turn, so that a later one finds the names of those before.
KEYS = [
    ("", {"study": "experiment", "fitted_at": "first_fit_step"}, always),
    ("", {"broke_at": "first_nan_step"}, always),
    ("config", {"combination": "activation_pair"}, always),
]
VALUES = []

#: Names of arrays, as regular expressions that must match the whole name.
ARRAYS = [
    (r"shown", "examples"),
    (r"shown_images", "example_images"),
    (r"shown_views", "example_saliency"),
]


def renamed(mapping, names):
    """Return a dict with some keys renamed, in its order."""
    return {names.get(key, key): value for key, value in mapping.items()}


def changed(record, path, change):
    """Return a record with `change` applied to what stands at a path, if there is anything."""
    first, _, rest = path.partition(".")
    if not path:
        return change(record)
    if not isinstance(record, dict) or first not in record:
        return record
    return record | {first: changed(record[first], rest, change)}


def migrated(record):
    """Return a record, as plain JSON types, under the current names."""
    for path, names, applies in KEYS:
        if applies(record):
            record = changed(
                record, path, lambda part: renamed(part, names) if isinstance(part, dict) else part
            )
    for path, names, applies in VALUES:
        if applies(record):
            record = changed(
                record, path, lambda part: names.get(part, part) if isinstance(part, str) else part
            )
    return record | {"schema": max(SCHEMA, record["schema"])}


def array_name(name):
    """Return the current name of an array."""
    for pattern, new in ARRAYS:
        name = re.sub(f"^(?:{pattern})$", new, name)
    return name


def main():
    """Migrate every record and every file of arrays; say how many had to be changed."""
    count = 0
    for path in sorted(FOLDER.rglob("*.json")):
        text = path.read_text(encoding="utf-8")
        record = json.loads(text)
        if (new := migrated(record)) != record:
            new_text = as_text(new)
            write_atomically(path, lambda file, text=new_text: file.write(text.encode()))
            count += 1
    for path in sorted(FOLDER.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            names = {name: array_name(name) for name in stored.files}
            if all(old == new for old, new in names.items()):
                continue
            arrays = {new: stored[old] for old, new in names.items()}
        write_atomically(path, lambda file, arrays=arrays: np.savez_compressed(file, **arrays))
        count += 1
    print(f"{count} files changed")


if __name__ == "__main__":
    main()
