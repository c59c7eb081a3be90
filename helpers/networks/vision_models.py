"""The networks of practices 3 and 4, written by hand: images [B, C, S, S] in, logits out."""

from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11, CourseVGG
from helpers.networks.vit import ViT

MODELS = {
    "lenet": LeNet,
    "vgg11": VGG11,
    "course-vgg": CourseVGG,
    "resnet18": ResNet18,
    "vit": ViT,
}
