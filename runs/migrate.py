"""Bring recorded runs to the names that the code uses today: `python runs/migrate.py`.

Text is replaced where it stands, so that nothing else of a record changes; what is migrated
already stays as it is.
"""

import json
import os
import re
from pathlib import Path

import numpy as np

RUNS = Path(__file__).parent

#: Keys of histories, and a model's arguments; the latter for the ViT alone.
HISTORY = {"score_spread": "score_std", "silent_units": "dead_units"}
VIT_ARGUMENTS = {"width": "embed_dim", "cut": "patching", "read": "pool"}
VIT_VALUES = {"strips": "flattened"}
VIT_VARIANT = {
    "scaled", "score_scale", "activation", "patching", "pool", "normalised_shortcut",
}  # fmt: skip
#: Arrays beside a record: parts of their names.
ARRAYS = {
    "shown_views": "shown_saliency",
    "queries_keys_values": "qkv",
    ".expand.": ".fc1.",
    ".contract.": ".fc2.",
    "model/embed.": "model/patch_embed.",
}


def migrate_record(text):
    """Return the text of a record with today's names."""
    config = json.loads(text)["config"]
    for old, new in HISTORY.items():
        text = text.replace(f'\n    "{old}": ', f'\n    "{new}": ')
    if config.get("model") != "vit":
        return text
    arguments = {
        VIT_ARGUMENTS.get(key, key): VIT_VALUES.get(value, value)
        for key, value in config["arguments"].items()
    }
    old, new = (
        f'"arguments": {json.dumps(part, indent=2)}'.replace("\n", "\n    ")
        for part in (config["arguments"], arguments)
    )
    assert old in text
    text = text.replace(old, new, 1)
    if VIT_VARIANT & arguments.keys():
        text = re.sub(r'(\n    "model": )"vit"', r'\1"vit-variant"', text, count=1)
    return text


def migrate_arrays(path):
    """Rename the arrays of a file; return whether there was anything to do."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    renamed = {}
    for name, array in arrays.items():
        for old, new in ARRAYS.items():
            name = name.replace(old, new)
        renamed[name] = array
    if list(renamed) == list(arrays):
        return False
    with open(temporary := path.with_suffix(".tmp"), "wb") as file:
        np.savez_compressed(file, **renamed)
    os.replace(temporary, path)
    return True


def main():
    """Migrate every record and every file of arrays under runs/."""
    changed = 0
    for path in sorted(RUNS.glob("*/*-seed-*.json")):
        text = path.read_text(encoding="utf-8")
        if (new := migrate_record(text)) != text:
            path.write_text(new, encoding="utf-8")
            changed += 1
    changed += sum(map(migrate_arrays, sorted(RUNS.glob("*/*-seed-*.npz"))))
    print(f"{changed} files changed")


if __name__ == "__main__":
    main()
