"""Bring recorded runs to the names that the code uses today; safe to run again and again.

    python runs/migrate.py

The tables say which keys and values were renamed. A record is only rewritten if something in it
changes, in the same form in which it was written.
"""

import json
import os
from pathlib import Path

import numpy as np

RUNS = Path(__file__).resolve().parent
RACE = RUNS.parent / "benchmarks" / "ninety_nine.json"  # its stages hold configurations, too

#: Keys of a configuration, by the part they stand in: ("config",) is its top level.
KEYS = {
    ("config",): {"arguments": "model_kwargs", "average": "ema_decay", "mirror": "flip_tta"},
    ("config", "schedule"): {"rate": "lr", "peak": "peak_lr"},
    ("history",): {"score_spread": "score_std", "silent_units": "dead_units"},
}

#: Arguments of a ViT, for which `width` and the others have names of their own.
VIT_KEYS = {"width": "embed_dim", "cut": "patching", "read": "pool"}
VIT_VARIANT_KEYS = {
    "scaled", "score_scale", "activation", "patching", "pool", "normalised_shortcut",
}  # fmt: skip

#: Parts of the names of arrays beside a record.
ARRAYS = {
    "shown_views": "shown_saliency",
    "queries_keys_values": "qkv",
    ".expand.": ".fc1.",
    ".contract.": ".fc2.",
    "model/embed.": "model/patch_embed.",
}

#: Values, by the key they belong to.
VALUES = {
    ("config", "loss"): {"multi-label": "binary-cross-entropy"},
    ("config", "loss", "name"): {"multi-label": "binary-cross-entropy"},
    ("config", "schedule", "name"): {"staircase": "step-decay"},
    ("config", "model_kwargs", "patching"): {"strips": "flattened"},
}


def renamed(value, place):
    """Return what stands at a place in a record, with today's keys and values."""
    if isinstance(value, dict):
        keys = KEYS.get(place, {})
        return {keys.get(k, k): renamed(v, (*place, keys.get(k, k))) for k, v in value.items()}
    return VALUES.get(place, {}).get(value, value) if isinstance(value, str) else value


def migrated(record):
    """Return a record as it would be written today."""
    record = {name: renamed(value, (name,)) for name, value in record.items()}
    if record["config"].get("model") == "vit":
        kwargs = {VIT_KEYS.get(k, k): v for k, v in record["config"]["model_kwargs"].items()}
        if VIT_VARIANT_KEYS & kwargs.keys():
            record["config"]["model"] = "vit-variant"
        record["config"]["model_kwargs"] = renamed(kwargs, ("config", "model_kwargs"))
    precision = record["config"].get("precision")
    if precision and "precision" not in record["environment"]:  # asked for, and used
        record["environment"]["precision"] = precision
        if precision == "bfloat16":  # today: where the machine computes it natively
            record["config"]["precision"] = "auto"
    return record


def as_text(record):
    """Return a record's JSON as `helpers.runs` writes it: a list a line."""
    if "study" in record:  # a batch of practice 5
        dump = {"ensure_ascii": False, "allow_nan": False}
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, **dump)}" for k, v in record.items())
        return f"{{\n{lines}\n}}\n"
    head = {name: value for name, value in record.items() if name != "history"}
    lines = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(values, allow_nan=False)}"
        for name, values in record["history"].items()
    )
    text = json.dumps(head, indent=2, allow_nan=False).removesuffix("\n}")
    return text + ',\n  "history": {\n' + lines + "\n  }\n}\n"


def migrate_arrays(path):
    """Rename the arrays of a file; return whether any had an old name."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    names = list(arrays)
    for old, new in ARRAYS.items():
        names = [name.replace(old, new) for name in names]
    if names == list(arrays):
        return False
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        np.savez_compressed(file, **dict(zip(names, arrays.values(), strict=True)))
    os.replace(temporary, path)
    return True


def main():
    """Migrate every record, and say how many changed."""
    changed = 0
    for path in sorted(RUNS.glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if "config" not in record:
            continue
        new = migrated(record)
        if new != record:
            path.write_text(as_text(new), encoding="utf-8")
            changed += 1
    race = json.loads(RACE.read_text(encoding="utf-8"))
    for stage in race["stages"]:
        stage["recipe"] = renamed(stage["recipe"], ("config",))
    RACE.write_text(json.dumps(race, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    changed += sum(map(migrate_arrays, sorted(RUNS.glob("*/*.npz"))))
    print(f"{changed} files migrated")


if __name__ == "__main__":
    main()
