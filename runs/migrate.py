"""Bring recorded runs to the names that the code uses today; safe to run again and again.

    python runs/migrate.py

The tables say which keys and values were renamed. A record is only rewritten if something in it
changes.
"""

import json
import sys
from pathlib import Path

import numpy as np

RUNS = Path(__file__).resolve().parent
sys.path.insert(0, str(RUNS.parent))

from helpers.runs.records import SCHEMA, command_line, write_atomically, write_json  # noqa: E402

RACE = RUNS.parent / "benchmarks" / "race.json"  # its steps hold configurations, too

#: Keys of a configuration, by the part they stand in: ("config",) is its top level.
KEYS = {
    (): {"study": "experiment", "fitted_at": "first_fit_step", "broke_at": "first_nan_step"},
    ("config",): {
        "arguments": "model_kwargs",
        "average": "ema_decay",
        "mirror": "flip_tta",
        "combination": "activation_pair",
    },
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
    "shown_views": "example_saliency",
    "shown_saliency": "example_saliency",
    "shown_images": "example_images",
    "shown": "examples",
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
    record = renamed(record, ())
    schedule = record["config"].get("schedule", {})
    if schedule.get("name") == "warmup-cosine":
        schedule.pop("epochs", None)  # it was the configuration's own number, always
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
    return record | {"schema": SCHEMA}


def migrate_arrays(path):
    """Rename the arrays of a file; return whether any had an old name."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    names = list(arrays)
    for old, new in ARRAYS.items():
        names = [name.replace(old, new) for name in names]
    if names == list(arrays):
        return False
    renamed_arrays = dict(zip(names, arrays.values(), strict=True))
    write_atomically(path, lambda file: np.savez_compressed(file, **renamed_arrays))
    return True


def main():
    """Migrate every record, and say how many changed."""
    changed = 0
    if (old := RUNS / "activation-far" / "far.json").exists():
        new = RUNS / "activation-extrapolation" / "extrapolation.json"
        new.parent.mkdir(exist_ok=True)
        old.rename(new)
        old.parent.rmdir()
    for path in sorted(RUNS.glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if "config" not in record:
            continue
        new = migrated(record)
        if new != record:
            write_json(new, path)
            changed += 1
    race = json.loads(RACE.read_text(encoding="utf-8"))
    if race["schema"] == 1:
        race |= {"steps": race.pop("stages"), "schema": 2}
        for step in race["steps"]:
            step["config"] = renamed(step.pop("recipe"), ("config",))
        for row in race["waiting"]:
            row["source"], row["batches"] = row.pop("batches"), row.pop("steps")
        write_json(race, RACE)
    changed += sum(map(migrate_arrays, sorted(RUNS.glob("*/*.npz"))))
    print(f"{changed} files migrated")


if __name__ == "__main__":
    command_line("python runs/migrate.py", __doc__).parse_args()
    main()
