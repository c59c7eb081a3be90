"""Records made up to test rules on, and a run that takes no time."""

from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from helpers.runs.experiments import Experiment
from helpers.training.numpy_trainer import NumpyConfig, NumpyTrainer

TINY = Experiment(
    "tiny", "a quick run", NumpyConfig(sizes=(2, 6, 2), epochs=12, batch_size=16, momentum=0.9),
    {"name": "half-moons", "n": 64, "noise": 0.2, "held_out": 50, "data_seed": None},
)  # fmt: skip


@contextmanager
def stopped_at(epoch, trainer=NumpyTrainer):
    """Stop trainings inside, as Ctrl-C does, when so many epochs are done."""
    step = trainer.run_epoch

    def run_epoch(training):
        if training.epoch == epoch:
            raise KeyboardInterrupt
        step(training)

    with patch.object(trainer, "run_epoch", run_epoch):
        yield


def run(loss=(), accuracy=(), epoch=None, seed=0, diverged=False, **metrics):
    steps = range(len(loss) or len(accuracy))
    history = {
        "epoch": list(steps if epoch is None else epoch),
        "loss": list(loss),
        "accuracy": list(accuracy),
    }
    return SimpleNamespace(
        experiment="made-up",
        scale="full",
        seed=seed,
        data_checksum="the same",
        config={"data": {"noise": 0.2}},
        history=history,
        metrics=metrics,
        diverged=diverged,
    )


def runs(accuracies, **shared):
    """One run for each final accuracy, with seeds from 0."""
    return [run(seed=seed, eval_accuracy=end, **shared) for seed, end in enumerate(accuracies)]


def steady(accuracy, **shared):
    """Three runs that differ from any others of this kind by the same amount in every pair."""
    return runs([accuracy - 0.001, accuracy, accuracy + 0.001], **shared)


def shaky(accuracy, **shared):
    """Three runs that nobody can tell from `steady` ones close by."""
    return runs([accuracy + 0.03, accuracy, accuracy - 0.03], **shared)


def of_network(made, epochs=10, parameters=1000, **history):
    """Give runs what a PyTorch model's records have: their epochs, their size, more history."""
    for record in made:
        record.config = {"epochs": epochs}
        record.parameters = parameters
        record.history |= history
    return made
