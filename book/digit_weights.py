"""Makes what the page on which the reader draws a digit loads: weights of 8 bits, and test digits.

    python -m book.digit_weights

reads recorded weights, measures on MNIST's test images what rounding costs, and writes
`weights.js` and its record, `weights.json`, to `book/_static/digit`.
"""

import argparse
import base64
import hashlib
import json
import sys

import numpy as np
import torch

from helpers.data.datasets import DataNotPrepared, load_mnist, pixels
from helpers.networks.lenet import LeNet
from helpers.networks.mlp import Dense, Network, ReLU
from helpers.networks.vit import ViT
from helpers.runs.experiments import find, recorded_run
from helpers.runs.records import (
    ROOT,
    RecordError,
    arrays_path,
    display,
    exit_status,
    read_arrays,
    write_json,
)

FOLDER = ROOT / "book" / "_static" / "digit"
SOURCES = {name: f"page-{name}" for name in ("mlp", "lenet", "vit")}  # of seed 0


def kept_weights(name):
    """Return the recorded weights of one of `SOURCES`, float32, a matrix as [outputs, inputs]."""
    weights = {
        key.removeprefix("model/"): array.astype(np.float32)
        for key, array in read_arrays(SOURCES[name], "full", 0).items() if key.startswith("model/")
    }  # fmt: skip
    if name == "mlp":  # NumPy's are [inputs, outputs]
        weights = {key: array.T for key, array in weights.items()}
    return {key: array[0] if len(array) == 1 else array for key, array in weights.items()}


def packed(weights):
    """Return weights as plain JSON types: rows become whole numbers to 127, with a scale each."""
    tensors = {}
    for name, weight in weights.items():
        tensor = tensors[name] = {"shape": list(weight.shape)}
        if weight.ndim > 1:
            rows = weight.reshape(len(weight), -1)
            scales = np.maximum(np.abs(rows).max(axis=1), 1e-12).astype("<f4") / 127
            tensor["integers"] = _text(np.rint(rows / scales[:, None]).astype(np.int8))
            weight = scales
        tensor["floats"] = _text(weight.astype("<f4"))
    return tensors


def unpacked(tensors):
    """Return the weights float32 by name that `networks.js` computes from `packed` ones."""
    weights = {}
    for name, tensor in tensors.items():
        weight = np.frombuffer(base64.b64decode(tensor["floats"]), "<f4")
        if "integers" in tensor:
            integers = np.frombuffer(base64.b64decode(tensor["integers"]), np.int8)
            weight = integers.reshape(len(weight), -1) * weight[:, None]
        weights[name] = weight.reshape(tensor["shape"])
    return weights


def _text(array):
    return base64.b64encode(array.tobytes()).decode()


def torch_model(name, weights):
    """Return LeNet or the ViT with such weights, in float64, ready to read."""
    model = (LeNet() if name == "lenet" else ViT()).double().eval()
    state = model.state_dict()
    model.load_state_dict({k: torch.tensor(weights[k]).reshape(state[k].shape) for k in state})
    return model


def logits(name, weights, images):
    """Let one of `SOURCES` with such weights read images uint8 [N, 28, 28]: logits [N, 10]."""
    if name == "mlp":
        first, second = (Dense(weights[f"{i}.weight"].T, weights[f"{i}.bias"]) for i in (0, 1))
        return Network([first, ReLU(), second]).forward(pixels(images, np.float64))
    model, x = torch_model(name, weights), torch.tensor(images[:, None]).double() / 127.5 - 1
    with torch.inference_mode():
        return torch.cat([model(part) for part in x.split(500)]).numpy()


def main():
    """Write the weights, the digits and the record."""
    raw = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=raw).parse_args()
    data = load_mnist("full")
    networks, record, right = {}, {}, []
    for name, experiment in SOURCES.items():
        tensors, path = packed(kept_weights(name)), arrays_path(experiment, "full", 0)
        answers = logits(name, unpacked(tensors), data.x_eval).argmax(axis=1)
        right.append(answers == data.y_eval)
        metrics = recorded_run(find(experiment), "full", 0).metrics
        networks[name] = {"tensors": tensors}
        record[name] = {
            "made_from": display(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "accuracy_before": metrics["eval_accuracy"], "accuracy": float(right[-1].mean()),
        }  # fmt: skip
    networks["vit"] |= {"heads": 8, "depth": 1}
    # Of each class, the first image that all read right, and the first that at least one misreads.
    places = [int(np.flatnonzero((data.y_eval == k) & (np.all(right, axis=0) == all_right))[0])
              for all_right in (True, False) for k in range(10)]  # fmt: skip
    digits = {"labels": data.y_eval[places].tolist(), "pixels": _text(data.x_eval[places])}
    text = "// Made by book/digit_weights.py; weights.json says from what.\n"
    for key, value in {"networks": networks, "digits": digits, "record": record}.items():
        text += f"Digit.{key} = {json.dumps(value)};\n"
    (FOLDER / "weights.js").write_text(text, encoding="utf-8")
    write_json({"networks": record, "digits": places, "bytes": len(text)}, FOLDER / "weights.json")
    print(f"{len(text):,} bytes are in {display(FOLDER)}/weights.js")


if __name__ == "__main__":
    sys.exit(exit_status(main, (DataNotPrepared, RecordError)))
