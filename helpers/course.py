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
}

VERDICTS = ("holds", "holds with limits", "does not hold", "can't be told")
