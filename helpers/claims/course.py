"""What the original course published: its results and its claims, with their numbers.

The course is the report "深度学习实战" (Deep Learning in Practice). Nothing else in the book
types these figures: tables and sentences take them from here.
"""

# Practice 2, after the last of 400 epochs.
PUBLISHED_MNIST = {
    "epoch": 399,
    "train_loss": 0.2081,
    "train_accuracy": 0.9603,
    "test_loss": 0.2226,
    "test_accuracy": 0.9568,
}

# Practice 3, on MNIST: what was trained for how many epochs, and what came of it.
PUBLISHED_VISION = {
    "LeNet": {"epochs": 10, "loss": 0.0011, "test_accuracy": 0.9917},
    "VGG-11": {"epochs": 10, "loss": 0.0261, "test_accuracy": 0.9857},
    "ResNet-18": {"epochs": 10, "loss": 0.0128, "test_accuracy": 0.9942},
    "ViT": {"epochs": 50, "loss": None, "test_accuracy": 0.9714},
    "ViT without 1/√d": {"epochs": 50, "loss": None, "test_accuracy": 0.9715},
}

PUBLISHED_SIDE = 224  # pixels, of practice 4's photographs

# Practice 4, on Tiny-VOC at that size; how the original computed its figures stands in
# `helpers.analysis.metrics.original_way`. It had ViTs of two sizes, and one row for both.
PUBLISHED_VOC = {
    "LeNet": {"accuracy": 0.8906, "precision": 0.7703, "recall": 0.7454, "f1": 0.7577},
    "VGG": {"accuracy": 0.8828, "precision": 0.7716, "recall": 0.7386, "f1": 0.7547},
    "ResNet-18": {"accuracy": 0.9153, "precision": 0.8512, "recall": 0.8114, "f1": 0.8308},
    "ViT": {"accuracy": 0.8525, "precision": 0.7141, "recall": 0.6878, "f1": 0.7007},
}

# The column "Parameters" of the same table, in millions; the ViTs of two sizes have two.
PUBLISHED_SIZES = {"LeNet": (21,), "VGG": (432,), "ResNet-18": (43,), "ViT": (83, 169)}

# A second public attempt at Tiny-VOC: one class an image, share of 624 test images that are right.
PUBLISHED_SINGLE_LABEL = {
    "LeNet": 0.659,
    "ResNet-18": 0.854,
    "VGG": 0.894,
    "ViT": 0.686,
    "Vim": 0.684,
    "ViG": 0.718,
}

CLAIMS = {
    "C1.1": "The network separates the two moons well; the boundary settles over the 5,000 epochs.",
    "C2.1": "After 400 epochs the network reaches a test accuracy of 0.9568.",
    "C2.2": "Of cross-entropy, MSE and SVM loss, SVM is best.",
    "C2.3": "ReLU converges far faster than sigmoid, trains faster and ends better.",
    "C2.4": (
        "Too large a learning rate does not converge; too small a one is slow and shows "
        "“emergence”: after some epochs the loss suddenly falls by a lot."
    ),
    "C2.5": "Learning-rate decay makes little difference.",
    "C2.6": "Too strong a regularisation keeps the model from its optimum.",
    "C2.7": ("More hidden units bring no clear gain and cost much time; too few end worse."),
    "C3.1": (
        "Test accuracy after 10 epochs: LeNet 99.17%, VGG-11 98.57%, ResNet-18 99.42%; after "
        "50 epochs: ViT 97.14%, and 97.15% without 1/√d."
    ),
    "C3.2": (
        "LeNet is small and fast but limited; VGG-11 has strong features and many costly "
        "parameters; ResNet-18 is deep yet stable, costs more, and can overfit small data."
    ),
    "C3.3": (
        "ViT needs a warm-up phase: its accuracy starts to climb fast after about half an epoch "
        "and flattens after about 10."
    ),
    "C3.4": (
        "Dividing the attention scores by √d makes almost no difference, neither to the speed of "
        "convergence nor to the best accuracy."
    ),
    "C3.5": "PyTorch's Transformer layers need batch_first=True to compute what is meant.",
    "C3.6": "ViT needs GELU rather than ReLU, which would leave too few active units.",
    "C4.1": "The images of Tiny-VOC show five classes, not VOC's twenty.",
    "C4.2": "The networks overfit easily; augmentation, BatchNorm and Dropout help.",
    "C4.3": (
        "F1 on the validation images: LeNet 0.7577, VGG 0.7547, ResNet-18 0.8308, ViT 0.7007."
    ),
    "C4.4": (
        "Only ResNet-18's precision-recall curves are acceptable; the other models are far from "
        "converged."
    ),
    "C4.5": "On Tiny-VOC a convolutional network (ResNet) beats ViT.",
    "C4.6": (
        "ViT could not be made to converge well; suspected are too little data, too few epochs, "
        "sensitive hyper-parameters and too small a model."
    ),
    "C4.7": (
        "Against overfitting, strengthen generalisation rather than shrink the model: a large "
        "model may overfit at first, and after long training its test loss suddenly falls."
    ),
    "C4.8": "The loss of ResNet and ViT oscillates; the learning rate is suspected.",
    "C5.1": "These fit: abs×abs, exp×exp, exp×cos, sin×sin, x², ReLU, sigmoid, sort, permute.",
    "C5.2": "These do not: 1/x × 1/x, tan×tan, sgn.",
    "C5.3": (
        "Surprisingly, sorting (and permuting by the previous layer's order) alone brings enough "
        "non-linearity."
    ),
    "C5.4": (
        "The activation mainly decides the direction of generalisation; the ability to fit the "
        "training data comes mostly from back-propagation (as long as the activation is not too "
        "badly behaved)."
    ),
}

VERDICTS = ("holds", "holds with limits", "does not hold", "can't be told")
