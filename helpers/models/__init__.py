"""The networks of practices 3 and 4, written by hand: images [B, C, S, S] in, logits out."""

from helpers.models.lenet import LeNet
from helpers.models.resnet import ResNet18
from helpers.models.vgg import VGG11, CourseVGG
from helpers.models.vit import ViT

MODELS = {
    "lenet": LeNet,
    "vgg11": VGG11,
    "course-vgg": CourseVGG,
    "resnet18": ResNet18,
    "vit": ViT,
}
