"""Trains a PyTorch model: batch, forward pass, loss, backward pass, step.

The loop is `TorchTrainer.run_epoch`, `batches` and `step`; everything else is called by them or
goes around them. It knows neither files nor data sets; `helpers.runs.runner` brings those.

The same code runs on a CPU or a GPU, alone or in several processes. These share each batch and
average their gradients, so that they take the very steps that one process would. A script such as

    with joined_processes():
        trainer = TorchTrainer(TrainConfig("resnet18"), load_mnist(), seed=0)
        while not trainer.done:
            trainer.run_epoch()
        if rank() == 0:
            print(trainer.history["eval_accuracy"])

is started by ``torchrun --nproc-per-node=2 script.py``, by plain ``python script.py`` alone.
"""

import contextlib
import math
import os
import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from helpers.data.augment import augment, mixup
from helpers.networks.efficientnet import EfficientNetLite0
from helpers.networks.lenet import LeNet
from helpers.networks.mlp import choose
from helpers.networks.probes import attention_statistics, saliency
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11, CourseVGG
from helpers.networks.vit import ViT
from helpers.networks.vit_variants import ViTVariant
from helpers.training.config import NoSuchDevice, chosen, rounded
from helpers.training.losses import accuracy_per_example, choose_loss, evaluate, metric_names
from helpers.training.optimisers import SCHEDULES, hold_still, make_optimiser

CURVE_STEPS = 10  # steps between two points of the curve over batches
EVALUATION_BATCH = 500

# A silent unit's averages in Adam shrink for ever. Below 1e-38, where a CPU would compute each of
# them many times more slowly, they are taken as the zero that they are for all purposes.
torch.set_flush_denormal(True)

#: What a configuration may name: images [B, C, S, S] in, logits out.
MODELS = {
    "lenet": LeNet,
    "vgg11": VGG11,
    "course-vgg": CourseVGG,
    "resnet18": ResNet18,
    "efficientnet-lite0": EfficientNetLite0,
    "vit": ViT,
    "vit-variant": ViTVariant,
}


class TorchTrainer:
    """One training run, advanced an epoch at a time.

    Parameters
    ----------
    config : helpers.training.config.TrainConfig
    data : helpers.data.datasets.Dataset
    seed : decides the initial weights, the order of the batches, the augmentation and the
        dropout. On a GPU the same seed gives nearly the same run, on a CPU the same.
    device : torch.device or str

    Attributes
    ----------
    model, eval_model : the one that is trained, and the one that is evaluated: the same, or its
        average.
    history : dict of lists, one entry per epoch. `loss` and `accuracy` are measured during the
        epoch, before each step; `eval_loss`, `eval_accuracy` (None where not evaluated) and a
        ViT's `helpers.networks.probes.attention_statistics` after it.
    curve : `loss` and `accuracy` again, one entry for every `CURVE_STEPS` steps.
    diverged : True once a loss was not finite; training is then over.
    """

    def __init__(self, config, data, seed, device="cpu"):
        self.config, self.device = config, torch.device(device)
        self.precision = choose_precision(config.precision, self.device)
        self.data = as_tensors(data, self.device)
        self.model = build(config, self.data, seed).to(self.device)
        if config.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.network = self.model  # what is called; `model` holds the parameters
        if processes() > 1:
            self.network = DistributedDataParallel(self.model)  # averages the gradients
        self.optimiser = make_optimiser(config, self.model)
        self.ema = None
        if config.ema_decay:
            average = get_ema_multi_avg_fn(config.ema_decay)
            self.ema = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        self.eval_model = self.ema.module if self.ema else self.model
        self.loss = choose_loss(config.loss)
        self.targets = self.data.y
        self.learning_rate = chosen(SCHEDULES, config.schedule, "schedule")
        self.order_rng = torch.Generator().manual_seed(seed)
        self.augment_rng = torch.Generator().manual_seed(seed)
        # Torch's own generator for that device, which `build` has seeded, draws the dropout.
        on_cpu = self.device.type == "cpu"
        self.dropout_rng = torch if on_cpu else torch.get_device_module(self.device)
        self.used = images_an_epoch(len(self.data.x), config.batch_size, self.model)
        self.steps_per_epoch = math.ceil(self.used / config.batch_size)
        self.epoch, self.step_count, self.diverged = 0, 0, False
        self.history, self.curve = {}, {"loss": [], "accuracy": []}

    def run_epoch(self):
        """Take one step for each batch of the training data, then evaluate and log."""
        self.model.train()
        hold_still(self.model, self.config, self.epoch)
        steps = [self.step(x, y, size) for x, y, size in self.batches()]
        self.log(steps)

    def batches(self):
        """Yield (images in [-1, 1], targets, size of the batch) for each step of an epoch."""
        order = torch.randperm(len(self.data.x), generator=self.order_rng)[: self.used]
        for batch in order.split(self.config.batch_size):
            rows = batch[rank() :: processes()].to(self.device)  # each process's own share
            x = normalise(self.data.x.index_select(0, rows))  # quicker than x[rows]
            y = self.targets.index_select(0, rows)
            if self.config.augment:
                x = augment(x, self.augment_rng, **self.config.augment)
            if self.config.mixup:
                x, y = mixup(x, y, self.augment_rng, self.config.mixup)
            yield x, y, len(batch) / processes()

    def step(self, x, y, size):
        """Take one gradient step; return the sums of losses and right answers, and their number."""
        self.set_learning_rate()
        logits = self.logits(x)
        losses = self.loss(logits, y, smoothing=self.config.label_smoothing)
        self.optimiser.zero_grad()
        (losses.sum() / size).backward()
        self.optimiser.step()
        self.after_step()
        right = accuracy_per_example(logits, y)
        return torch.stack([losses.detach().sum(), right.sum(), right.new_tensor(len(y))])

    def set_learning_rate(self):
        """Give the optimiser the schedule's learning rate for this step."""
        for group in self.optimiser.param_groups:
            all_steps = self.steps_per_epoch * self.config.epochs
            group["lr"] = self.learning_rate(self.step_count, all_steps) * group["lr_scale"]

    def logits(self, x, network=None):
        """Return the logits [B, K], float32, of images in [-1, 1]."""
        if self.config.channels_last:
            x = x.to(memory_format=torch.channels_last)
        half = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            return (network or self.network)(x).float()

    def after_step(self):
        """Count the step, and let the averaged weights follow."""
        self.step_count += 1
        if self.ema:
            self.ema.update_parameters(self.model)

    def log(self, steps):
        """Add an epoch to the history and the curve, with an evaluation where it is due."""
        sums = torch.stack(steps)  # [steps, 3]
        if processes() > 1:
            distributed.all_reduce(sums)
        sums = sums.cpu().double()
        for loss, right, examples in (part.sum(0) for part in sums.split(CURVE_STEPS)):
            self.curve["loss"].append(rounded(loss / examples))
            self.curve["accuracy"].append(rounded(right / examples))
        loss, right, examples = sums.sum(0)
        self.epoch += 1
        self.diverged = not math.isfinite(loss)
        due = self.done or self.epoch % self.config.evaluate_every == 0
        row = {
            "epoch": self.epoch - 1,
            "learning_rate": self.optimiser.param_groups[-1]["lr"],
            "loss": loss / examples,
            "accuracy": right / examples,
            **dict.fromkeys(metric_names(self.data.y_eval)),
            **({"eval_train_accuracy": None} if self.config.evaluate_train else {}),
            **(self.evaluate() if due and not self.diverged else {}),
            **attention_statistics(self.model, normalise(self.data.x_eval[:EVALUATION_BATCH])),
        }
        for name, value in row.items():
            self.history.setdefault(name, []).append(rounded(value))

    @property
    def done(self):
        """Whether all epochs are done, or the run diverged."""
        return self.diverged or self.epoch >= self.config.epochs

    @torch.inference_mode()
    def predict(self, images):
        """Return the logits [N, K], on the CPU, of images uint8 [N, C, S, S]."""
        network = self.eval_model.eval()
        logits = []
        for x in map(normalise, images.to(self.device).split(EVALUATION_BATCH)):
            views = [x, x.flip(3)] if self.config.flip_tta else [x]
            logits.append(sum(self.logits(view, network) for view in views) / len(views))
        return torch.cat(logits).cpu()

    def evaluate(self):
        """Return what `helpers.training.losses.evaluate` finds on the evaluation data."""
        found = evaluate(self.loss, self.predict(self.data.x_eval), self.data.y_eval.cpu())
        if self.config.evaluate_train:
            seen = evaluate(self.loss, self.predict(self.data.x), self.data.y.cpu())
            found["eval_train_accuracy"] = seen["eval_accuracy"]
        return found

    def scores(self):
        """Return the logits [N, K] of the evaluation data, as a NumPy array."""
        return self.predict(self.data.x_eval).numpy()

    def saliency(self, places):
        """Return where the evaluated model looks on some evaluation images, as `probes` does."""
        images = normalise(self.data.x_eval[torch.from_numpy(places)])
        found = saliency(self.eval_model.eval(), images)
        return None if found is None else found.float().cpu().numpy()

    def artifacts(self):
        """Return the curves over batches, as arrays `curve_loss` and `curve_accuracy`."""
        return {f"curve_{name}": np.array(self.curve[name], np.float32) for name in self.curve}

    def weights(self):
        """Return the evaluated model's parameters and buffers, float16, as `model/<name>`."""
        state = self.eval_model.state_dict().items()
        return {f"model/{name}": value.cpu().numpy().astype(np.float16) for name, value in state}

    @property
    def parameter_count(self):
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def hardware(self):
        """Name what the run was made on, and in which precision."""
        on_cuda = self.device.type == "cuda"
        device = torch.cuda.get_device_name(self.device) if on_cuda else self.device.type
        return {"device": device, "threads": torch.get_num_threads(), "processes": processes(),
                "precision": self.precision}  # fmt: skip

    def state(self):
        """Return (arrays, facts): all that `restore` needs to go on bit for bit."""
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        if self.ema:
            tensors |= {f"ema/{name}": value for name, value in self.ema.state_dict().items()}
        for i, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{i}/{slot}": value for slot, value in slots.items()}
        tensors |= {
            "rng/order": self.order_rng.get_state(),
            "rng/augment": self.augment_rng.get_state(),
            "rng/dropout": self.dropout_rng.get_rng_state(),
        }
        facts = {name: getattr(self, name) for name in FACTS}
        return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}, facts

    def restore(self, arrays, facts):
        """Continue from what `state` returned."""
        parts = {}  # "model", "ema", "optimiser", "rng" -> name -> tensor
        for path, array in arrays.items():
            part, name = path.split("/", 1)
            parts.setdefault(part, {})[name] = torch.from_numpy(array)
        self.model.load_state_dict(parts["model"])
        if self.ema:
            self.ema.load_state_dict(parts["ema"])
        slots = {}
        for name, tensor in parts.get("optimiser", {}).items():
            i, slot = name.split("/")
            slots.setdefault(int(i), {})[slot] = tensor
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": slots})
        self.order_rng.set_state(parts["rng"]["order"])
        self.augment_rng.set_state(parts["rng"]["augment"])
        self.dropout_rng.set_rng_state(parts["rng"]["dropout"])
        for name in FACTS:
            setattr(self, name, facts[name])


FACTS = ("epoch", "step_count", "diverged", "history", "curve")  # what is not a tensor


def images_an_epoch(images, batch_size, model):
    """Return how many images an epoch can use: all, or with a warning all but a remainder.

    Batch normalisation needs two images, and every process one.
    """
    normalised = any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules())
    fewest = (2 if normalised else 1) * processes()
    if min(batch_size, images) < fewest:
        raise ValueError(f"{min(batch_size, images)} images a batch are too few: take {fewest}")
    rest = images % batch_size
    if not 0 < rest < fewest:
        return images
    left_out = f"{rest} of {images} images, others in each epoch, are left out"
    warnings.warn(f"{left_out}: a batch needs {fewest}", stacklevel=3)
    return images - rest


def as_tensors(data, device="cpu"):
    """Return a data set as tensors on a device.

    Images are uint8 [N, C, S, S], targets int64 [N] or, a 0 or 1 for each class, float32 [N, K].
    """
    x, x_eval = (_channels_first(images).to(device) for images in (data.x, data.x_eval))
    kind = torch.float32 if data.y.ndim == 2 else torch.int64
    y, y_eval = (
        torch.tensor(np.asarray(y), dtype=kind, device=device) for y in (data.y, data.y_eval)
    )
    return replace(data, x=x, y=y, x_eval=x_eval, y_eval=y_eval)


def _channels_first(images):
    if torch.is_tensor(images):
        return images  # these have been made here
    images = torch.from_numpy(np.array(images))  # a copy: the data set's own may be read-only
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()


def normalise(images):
    """Map grey values or colours uint8 to float32 in [-1, 1]."""
    if images.dtype != torch.uint8:
        raise ValueError(f"images must be uint8, from 0 to 255; got {images.dtype}")
    return images.float().div_(127.5).sub_(1)


def build(config, data, seed):
    """Return the configured model for such data, with the initial weights of that seed.

    This alone seeds torch's global generator, which draws the weights and then the dropout.
    """
    torch.manual_seed(seed)
    channels, size = data.x.shape[1:3]
    kwargs = {"channels": channels, "size": size, "classes": data.classes} | config.model_kwargs
    return choose(MODELS, config.model, "model")(**kwargs)


def choose_device(name="auto"):
    """Return the device of that name; "auto" takes CUDA's or Apple's GPU where there is one.

    A `NoSuchDevice` is raised if this machine does not have it, or it can't compute.
    """
    if name == "auto":
        gpus = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        return torch.device(next((gpu for gpu, there in gpus.items() if there), "cpu"))
    try:
        one = torch.ones(1, device=name)
        one.item()  # which "meta", a device without numbers, does not have
        return one.device
    except Exception as error:  # each kind of device has its own
        raise NoSuchDevice(f"this machine has no device {name!r}: take cpu or auto") from error


def choose_precision(name, device):
    """Return "float32" or "bfloat16"; "auto" is bfloat16 where the device computes it natively.

    Elsewhere bfloat16 would be many times slower than float32.
    """
    device = torch.device(device)
    if name != "auto":
        return name
    native = False
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        can = torch.cpu.get_capabilities()
        native = can.get("avx512_bf16", False) or can.get("amx_bf16", False)
    return "bfloat16" if native else "float32"


@contextlib.contextmanager
def joined_processes():
    """Let the processes that `torchrun` started train together; alone, do nothing."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def processes():
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank():
    """Which of them this one is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0
