"""The ensembles of practice 5: many networks trained at once, for each pair of activations.

And what is measured on the weights that they leave.
"""

#: Keys of `helpers.networks.ensemble.ACTIVATION_PAIRS`, which a test compares.
PAIRS = (
    "abs", "exp", "exp-cos", "sin", "square", "relu", "sigmoid", "sort", "permute", "reciprocal",
    "tan", "sgn", "linear", "tanh",
)  # fmt: skip
MENDED_PAIRS = ("sgn-straight", "sgn-surrogate", "reciprocal-bounded", "tan-bounded")
HALF_MOONS_SEED = 42  # the course's points
NOISES = (0.1, 0.2, 0.4)
POINT_COUNTS = (10, 20, 50)
OWN_POINTS = {"data_seed": None, "seeds": 50}  # each network has its own

SETTINGS = {
    "plain": {"keep": True},
    "frozen": {"frozen": True},
    "frozen-wide": {"frozen": True, "width": 100},
    **{f"noise-{noise}": {"noise": noise, **OWN_POINTS} for noise in NOISES},
    **{f"points-{n}": {"n": n, **OWN_POINTS} for n in POINT_COUNTS},
}

#: (pair, setting) -> what differs from the defaults of `helpers.runs.experiments.Ensemble`.
ENSEMBLES = {
    **{(pair, name): changes for pair in PAIRS for name, changes in SETTINGS.items()},
    **{(pair, "plain"): {} for pair in MENDED_PAIRS},
    **{(pair, "clipped"): {"clip": 1.0} for pair in ("reciprocal", "tan")},
    **{(pair, "slow"): {"learning_rate": 0.001} for pair in ("reciprocal", "tan")},
}

#: What is measured on the weights of the ensembles: its record, the module whose `measure()` makes
#: it, and a label. The module is named, not imported: it builds on recorded runs.
MEASUREMENTS = [
    (
        "activation-extrapolation/extrapolation", "helpers.analysis.activations",
        "what the ensembles say far away",
    ),
]  # fmt: skip
