"""The training loop for PyTorch models: batches, steps, and a state to resume from.

The same code runs on a CPU or a GPU, in one process or, under `torchrun`, in several. It
knows neither files nor data sets; `helpers.runs.runner` brings those.
"""

import contextlib
import math
import os
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from helpers.data.augment import augment
from helpers.networks.lenet import LeNet
from helpers.networks.probes import attention_statistics, saliency
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11, CourseVGG
from helpers.networks.vit import ViT
from helpers.networks.vit_variants import ViTVariant
from helpers.training.config import NoSuchDevice
from helpers.training.losses import accuracy_per_example, choose_loss, evaluate, metric_names
from helpers.training.schedules import SCHEDULES

CURVE_STEPS = 10  # steps between two points of the curve over batches
EVALUATION_BATCH = 500

# A silent unit's averages in Adam shrink for ever. Below 1e-38, where a CPU would compute each of
# them many times more slowly, they are taken as the zero that they are for all purposes.
torch.set_flush_denormal(True)

OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}

#: What a recipe may name: images [B, C, S, S] in, logits out.
MODELS = {
    "lenet": LeNet,
    "vgg11": VGG11,
    "course-vgg": CourseVGG,
    "resnet18": ResNet18,
    "vit": ViT,
    "vit-variant": ViTVariant,
}


def choose_device(name="auto"):
    """Return the device of that name; "auto" takes a GPU where there is one.

    Raises
    ------
    NoSuchDevice
        If this machine does not have it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise NoSuchDevice(f"this machine has no device {name!r}: take cpu or auto") from error


def choose_precision(name, device):
    """Return "float32" or "bfloat16"; "auto" is bfloat16 where the device computes it natively.

    Elsewhere it would be many times slower than float32.
    """
    if name != "auto":
        return name
    if torch.device(device).type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif torch.device(device).type == "cpu":
        able = torch.cpu.get_capabilities()
        native = able.get("avx512_bf16", False) or able.get("amx_bf16", False)
    else:
        native = False
    return "bfloat16" if native else "float32"


# ----------------------------------------------------------------------------- data


@dataclass(frozen=True)
class ImageTensors:
    """Images uint8 [N, C, S, S] and targets to train on, and to evaluate on.

    Targets are labels, int64 [N], or a 0 or 1 for each class, float32 [N, K].
    """

    images: torch.Tensor
    targets: torch.Tensor
    images_eval: torch.Tensor
    targets_eval: torch.Tensor
    classes: int = 10

    def to(self, device):
        """Return the same data on a device."""
        tensors = (self.images, self.targets, self.images_eval, self.targets_eval)
        return ImageTensors(*(tensor.to(device) for tensor in tensors), classes=self.classes)


def normalise(images):
    """Map grey values or colours uint8 to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1)


# ----------------------------------------------------------------------------- loop


class TorchTrainer:
    """One training run, advanced an epoch at a time.

    Parameters
    ----------
    config : helpers.training.config.TrainConfig
    data : ImageTensors
    seed : int
        Decides the initial weights, the order of the batches, the augmentation and the
        dropout. On a GPU the same seed gives nearly the same run, on a CPU the same.
    device : torch.device or str

    Attributes
    ----------
    model : torch.nn.Module
    epoch : int
        How many epochs are done.
    history : dict of lists
        One entry per epoch. `loss` and `accuracy` are measured during the epoch, before each
        step; `eval_loss`, `eval_accuracy` (None where not evaluated) and a ViT's
        `helpers.networks.probes.attention_statistics` after it.
    curve : dict of lists
        `loss` and `accuracy` again, one entry for every `CURVE_STEPS` steps.
    diverged : bool
        True once a loss was not finite; training is then over.
    """

    def __init__(self, config, data, seed, device="cpu"):
        self.config, self.device = config, torch.device(device)
        self.precision = choose_precision(config.precision, self.device)
        self.data = data.to(self.device)
        self.model = build(config, data, seed).to(self.device)
        if config.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.network = wrap_ddp(self.model)  # what is called; `model` holds the parameters
        self.optimiser = make_optimiser(config, self.model)
        self.ema_model = ema_copy(self.model, config.ema_decay) if config.ema_decay else None
        self.loss = choose_loss(config.loss)
        schedule = dict(config.schedule)
        self.learning_rate = SCHEDULES[schedule.pop("name")](**schedule)
        self.order_rng = torch.Generator().manual_seed(seed)
        self.augment_rng = torch.Generator(self.device).manual_seed(seed)
        self.steps_per_epoch = math.ceil(len(data.images) / config.batch_size)
        self.epoch, self.step_count, self.diverged = 0, 0, False
        self.history = {}
        self.curve = {"loss": [], "accuracy": []}

    @property
    def done(self):
        """Whether all epochs are done, or the run diverged."""
        return self.diverged or self.epoch >= self.config.epochs

    @property
    def eval_model(self):
        """The model that is evaluated: the one that is trained, or the average of its weights."""
        return self.ema_model.module if self.ema_model else self.model

    @property
    def parameter_count(self):
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def batches(self):
        """Yield (images in [-1, 1], targets, size of the whole batch) for each step of an epoch.

        With several processes, each takes its share of every batch.
        """
        order = torch.randperm(len(self.data.images), generator=self.order_rng)
        for whole in order.split(self.config.batch_size):
            mine = whole[rank() :: processes()].to(self.device)
            images = normalise(self.data.images.index_select(0, mine))  # quicker than [mine]
            if self.config.augment:
                images = augment(images, self.augment_rng, **self.config.augment)
            yield images, self.data.targets.index_select(0, mine), len(whole)

    def step(self, images, targets, whole):
        """Take one gradient step; return the batch's loss and right answers, summed [2]."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.step_count, self.all_steps)
        logits = self.logits(images)
        losses = self.loss(logits, targets, smoothing=self.config.label_smoothing)
        self.optimiser.zero_grad()
        # The mean over the whole batch: processes average their gradients.
        (losses.sum() * processes() / whole).backward()
        self.optimiser.step()
        self.step_count += 1
        if self.ema_model:
            self.ema_model.update_parameters(self.model)
        return torch.stack([losses.detach().sum(), accuracy_per_example(logits, targets).sum()])

    def run_epoch(self):
        """Train one epoch and log it."""
        self.model.train()
        sums, sizes = [], []
        for images, targets, whole in self.batches():
            sums.append(self.step(images, targets, whole))
            sizes.append(whole)
        sums = all_reduce_sum(torch.stack(sums)).double().cpu()  # [steps, 2]
        sizes = torch.tensor(sizes, dtype=torch.float64)
        for part, size in zip(sums.split(CURVE_STEPS), sizes.split(CURVE_STEPS), strict=True):
            for name, value in zip(("loss", "accuracy"), part.sum(0) / size.sum(), strict=True):
                self.curve[name].append(rounded(value))
        loss, accuracy = sums.sum(0) / sizes.sum()
        self.epoch += 1
        self.diverged = not math.isfinite(loss)
        due = self.done or self.epoch % self.config.evaluate_every == 0
        measured = self.evaluate() if due and not self.diverged else {}
        row = {
            "epoch": self.epoch - 1,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "loss": loss,
            "accuracy": accuracy,
            **dict.fromkeys(metric_names(self.data.targets_eval)),
            **measured,
            **attention_statistics(self.model, normalise(self.data.images_eval[:EVALUATION_BATCH])),
        }
        for name, value in row.items():
            self.history.setdefault(name, []).append(rounded(value))

    @property
    def all_steps(self):
        """How many steps the whole run takes."""
        return self.steps_per_epoch * self.config.epochs

    def logits(self, images, network=None):
        """Return the logits [B, K], float32, of images in [-1, 1]."""
        if self.config.channels_last:
            images = images.to(memory_format=torch.channels_last)
        with self.autocast():
            return (network or self.network)(images).float()

    def autocast(self):
        """Return the context in which products and convolutions have the chosen precision."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.precision))

    @torch.inference_mode()
    def predict(self, images):
        """Return the logits [N, K] of images uint8 [N, C, S, S], without training."""
        network = self.eval_model.eval()
        logits = []
        for part in map(normalise, images.split(EVALUATION_BATCH)):
            views = [part, part.flip(3)] if self.config.flip_tta else [part]
            logits.append(sum(self.logits(view, network) for view in views) / len(views))
        return torch.cat(logits)

    def evaluate(self):
        """Return what `helpers.training.losses.evaluate` finds on the evaluation data."""
        return evaluate(self.loss, self.predict(self.data.images_eval), self.data.targets_eval)

    def scores(self):
        """Return the logits [N, K] of the evaluation data, as a NumPy array."""
        return self.predict(self.data.images_eval).cpu().numpy()

    def saliency(self, places):
        """Return where the evaluated model looks on some images, as `probes.saliency`."""
        images = normalise(self.data.images_eval[torch.from_numpy(places)])
        found = saliency(self.eval_model.eval(), images)
        return None if found is None else found.float().cpu().numpy()

    def artifacts(self):
        """Return the curves over batches, as arrays `curve_loss` and `curve_accuracy`."""
        return {
            f"curve_{name}": np.array(values, np.float32) for name, values in self.curve.items()
        }

    def weights(self):
        """Return the evaluated model's parameters and buffers, float16, as `model/<name>`."""
        state = self.eval_model.state_dict()
        return {f"model/{name}": value.cpu().numpy().astype(np.float16)
                for name, value in state.items()}  # fmt: skip

    def hardware(self):
        """Name what the run was made on."""
        facts = {"device": self.device.type, "processes": processes(), "precision": self.precision}
        if self.device.type == "cuda":
            return facts | {"device": torch.cuda.get_device_name(self.device)}
        return facts | {"threads": torch.get_num_threads()}

    def state(self):
        """Return (arrays, facts): all that `restore` needs to go on bit for bit."""
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        if self.ema_model:
            state = self.ema_model.state_dict()
            tensors |= {f"average/{name}": value for name, value in state.items()}
        for i, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{i}/{slot}": value for slot, value in slots.items()}
        tensors |= {
            "order_rng": self.order_rng.get_state(),
            "augment_rng": self.augment_rng.get_state(),
            "dropout_rng": torch.get_rng_state(),
        }
        facts = {name: getattr(self, name) for name in FACTS}
        return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}, facts

    def restore(self, arrays, facts):
        """Continue from what `state` returned."""
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.model.load_state_dict(
            {name: tensors[f"model/{name}"] for name in self.model.state_dict()}
        )
        if self.ema_model:
            names = self.ema_model.state_dict()
            self.ema_model.load_state_dict({name: tensors[f"average/{name}"] for name in names})
        slots = {}
        for name, tensor in tensors.items():
            if name.startswith("optimiser/"):
                _, i, slot = name.split("/")
                slots.setdefault(int(i), {})[slot] = tensor
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": slots})
        self.order_rng.set_state(tensors["order_rng"])
        self.augment_rng.set_state(tensors["augment_rng"])
        torch.set_rng_state(tensors["dropout_rng"])
        for name in FACTS:
            setattr(self, name, facts[name])


FACTS = ("epoch", "step_count", "diverged", "history", "curve")  # what is not a tensor


def tensors(data):
    """Turn the `Data` of a run, images [N, S, S] or [N, S, S, 3], into `ImageTensors`."""
    images, images_eval = map(_channels_first, (data.x, data.x_eval))
    targets, targets_eval = torch.tensor(data.labels), torch.tensor(data.labels_eval)
    return ImageTensors(images, targets, images_eval, targets_eval, data.classes)


def _channels_first(images):
    images = torch.from_numpy(np.array(images))  # a copy: the data set's own may be read-only
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()


def build(config, data, seed):
    """Return the config's model for such data, with the initial weights of that seed.

    This is the one place that seeds torch's global generator, which draws the weights and
    afterwards the dropout.
    """
    torch.manual_seed(seed)
    channels, size = data.images.shape[1:3]
    return MODELS[config.model](
        channels=channels, size=size, classes=data.classes, **config.model_kwargs
    )


def ema_copy(model, decay):
    """Return a copy of the model whose weights follow the model's as an exponential average.

    Parameters
    ----------
    model : torch.nn.Module
    decay : float
        Share of the average that is kept at each step.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def make_optimiser(config, model):
    """Return the config's optimiser; weight decay spares biases and normalisations."""
    options = dict(config.optimiser)
    kind, decay = OPTIMISERS[options.pop("name")], options.pop("weight_decay", 0.0)
    weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return kind(groups, lr=0.0, fused=True, **options)


# ---------------------------------------------------------------- several processes


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


def wrap_ddp(model):
    """Let the processes average their gradients."""
    return DistributedDataParallel(model) if processes() > 1 else model


def all_reduce_sum(values):
    """Sum a tensor over all processes."""
    if processes() > 1:
        distributed.all_reduce(values)
    return values


def rounded(value):
    """Seven significant digits, all that float32 holds; None for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.7g}")
