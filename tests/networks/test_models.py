"""The networks: shapes, sizes, torchvision's answers with its weights, and no known mistake."""

import numpy as np
import pytest
import torch
import torchvision
from torch.nn import functional

from helpers.networks.convolution import Conv3x3, patches
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import VGG11
from helpers.networks.vit import Attention, EncoderLayer, ViT, square_patches
from helpers.networks.vit_variants import VariantLayer, ViTVariant, flattened_patches
from helpers.training.torch_trainer import MODELS


def images(batch=4, channels=1, size=28, seed=0):
    return torch.randn(batch, channels, size, size, generator=torch.Generator().manual_seed(seed))


def built(name, **options):
    torch.manual_seed(0)
    return MODELS[name](**options)


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def with_weights_of(model, other):
    """Copy the parameters and buffers of a network of the same layers in the same order."""
    state = model.state_dict()
    assert [v.shape for v in state.values()] == [v.shape for v in other.state_dict().values()]
    model.load_state_dict(dict(zip(state, other.state_dict().values(), strict=True)))
    return model.eval()


# ------------------------------------------------------------------------ all of them

SMALLEST = {"course-vgg": 32}  # where it is not MNIST's 28


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("channels", "size", "classes"), [(1, 28, 10), (3, 56, 5)])
def test_logits_have_one_number_per_image_and_class(name, channels, size, classes):
    size = max(size, SMALLEST.get(name, size))
    model = built(name, channels=channels, size=size, classes=classes)
    logits = model(images(2, channels, size))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", MODELS)
def test_an_image_is_judged_by_itself(name):
    size = SMALLEST.get(name, 28)
    model = built(name, channels=1, size=size).eval()
    batch = images(4, size=size)
    other = torch.cat([batch[:1], images(3, size=size, seed=1)])
    with torch.inference_mode():
        torch.testing.assert_close(model(batch)[0], model(other)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_it_can_learn_one_batch_by_heart(name):
    quick = {"dropout": 0.0, "hidden": 64, "batch_norm": True}  # plain VGG-11 takes a minute
    options = {"vit": {"dropout": 0.0}, "vgg11": quick, "course-vgg": {"dropout": 0.0}}.get(
        name, {}
    )
    options |= {"channels": 1, "size": SMALLEST.get(name, 28), "classes": 10}
    model, batch = built(name, **options), images(16, size=options["size"])
    labels = torch.arange(16) % 10
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(80):
        loss = functional.cross_entropy(model(batch), labels)
        if loss < 0.05:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (model(batch).argmax(dim=1) == labels).float().mean() > 0.9


# ------------------------------------------------------------------------- one by one


def test_lenet_has_the_published_number_of_parameters():
    convolutions = (6 * 25 + 6) + (16 * 6 * 25 + 16)
    dense = (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10)
    assert count(LeNet()) == convolutions + dense == 61_706
    with pytest.raises(ValueError, match="at least 12×12"):
        LeNet(size=11)


def test_lenet_can_be_normalised_and_dropped_out():
    model = LeNet(batch_norm=True, dropout=0.5)
    assert [layer.num_features for layer in model.features if hasattr(layer, "num_features")] == [
        6, 16,
    ]  # fmt: skip
    assert sum(isinstance(layer, torch.nn.Dropout) for layer in model.classifier) == 2
    assert count(model) == count(LeNet()) + 2 * (6 + 16)
    plain = {type(layer) for layer in LeNet().modules()}
    assert not plain & {torch.nn.Dropout, torch.nn.BatchNorm2d}


def test_vgg11_is_torchvisions():
    ours = VGG11(channels=3, size=64, classes=7, pool=7)
    theirs = torchvision.models.vgg11(num_classes=7).eval()
    assert count(ours) == count(theirs)
    batch = images(2, 3, 64)
    with torch.inference_mode():
        torch.testing.assert_close(with_weights_of(ours, theirs)(batch), theirs(batch))


def test_vgg11_with_batch_normalisation_is_torchvisions():
    ours = VGG11(channels=3, size=64, classes=7, pool=7, batch_norm=True)
    theirs = torchvision.models.vgg11_bn(num_classes=7).eval()
    batch = images(2, 3, 64)
    with torch.inference_mode():
        torch.testing.assert_close(with_weights_of(ours, theirs)(batch), theirs(batch))


def test_the_courses_vgg_has_its_size():
    convolutions = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512)
    biases = 64 + 128 + 256 + 512 + 512
    dense = (512 * 49 + 1) * 4096 + 4097 * 1000 + 1001 * 5
    assert count(built("course-vgg")) == convolutions + biases + dense


def test_vgg11_pads_small_images_in_the_middle():
    model = built("vgg11", hidden=16).eval()
    batch = images(2)
    with torch.inference_mode():
        features = model.features[0](batch)
    assert features.shape == (2, 1, 32, 32)
    torch.testing.assert_close(features[:, :, 2:30, 2:30], batch)


def test_resnet18_is_torchvisions():
    ours, theirs = ResNet18(channels=3, size=64), torchvision.models.resnet18(num_classes=10).eval()
    assert count(ours) == count(theirs)
    batch = images(2, 3, 64)
    with torch.inference_mode():
        torch.testing.assert_close(
            with_weights_of(ours, theirs)(batch), theirs(batch), rtol=1e-4, atol=1e-4
        )


def test_resnet18_keeps_small_images_with_the_small_stem():
    assert ResNet18(stem="3x3").stem(images()).shape == (4, 64, 28, 28)
    assert ResNet18(stem="7x7").stem(images()).shape == (4, 64, 7, 7)
    with pytest.raises(ValueError, match="stem must be one of 7x7, 3x3; got '5x5'"):
        ResNet18(stem="5x5")
    with pytest.raises(ValueError, match="at least 8×8"):
        ResNet18(size=7)


@pytest.mark.parametrize("channels", [4, 256])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("side", "stride"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 1), (6, 2), (7, 1), (8, 2)]
)
def test_a_small_maps_convolution_is_pytorchs(side, stride, bias, channels):
    torch.manual_seed(0)
    ours, maps = Conv3x3(channels, 6, stride, bias), images(3, channels, side).requires_grad_()
    theirs = torch.nn.Conv2d(channels, 6, 3, stride, 1, bias=bias)
    same = images(3, channels, side).requires_grad_()
    theirs.load_state_dict(ours.state_dict())
    outputs = ours(maps), theirs(same)
    torch.testing.assert_close(*outputs)
    for output in outputs:
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
    for weight, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, other.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(maps.grad, same.grad, rtol=1e-4, atol=1e-4)


def test_the_patches_are_what_the_kernel_sees():
    rows = torch.arange(1.0, 10).view(1, 1, 3, 3)
    corner, last = patches(rows)[0, 0, 0], patches(rows, stride=2)[0, 1, 1]
    assert corner.tolist() == [0, 0, 0, 0, 1, 2, 0, 4, 5]
    assert last.tolist() == [5, 6, 0, 8, 9, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("side", "stride", "channels", "quick"),
    [(4, 1, 256, True), (8, 2, 256, True), (5, 1, 256, False), (4, 1, 255, False)],
)
def test_patches_are_laid_out_only_where_it_pays(monkeypatch, side, stride, channels, quick):
    calls = []
    monkeypatch.setattr(
        "helpers.networks.convolution.patches",
        lambda *given: calls.append(given) or patches(*given),
    )
    Conv3x3(channels, 2, stride)(images(1, channels, side))
    assert bool(calls) == quick


@pytest.mark.parametrize("name", ["vgg11", "resnet18"])
def test_a_narrower_network_has_every_channel_scaled(name):
    def channels(model):
        layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)]
        return np.array([[layer.in_channels, layer.out_channels] for layer in layers])

    narrow, wide = channels(MODELS[name](width=12)), channels(MODELS[name](width=48))
    assert narrow[0].tolist() == [1, 12]
    assert (wide.ravel()[1:] == 4 * narrow.ravel()[1:]).all()
    assert narrow[-1, 1] == 8 * 12


# ------------------------------------------------------------------------------- ViT


def test_patches_are_the_squares_they_claim_to_be():
    batch = images(2, channels=3)
    patches = square_patches(batch, 7).reshape(2, 4, 4, 3, 7, 7)
    for row in range(4):
        for column in range(4):
            square = batch[:, :, 7 * row : 7 * row + 7, 7 * column : 7 * column + 7]
            torch.testing.assert_close(patches[:, row, column], square)


def test_strips_are_runs_of_pixels():
    batch = images(2)
    strips = flattened_patches(batch, 7)
    assert strips.shape == square_patches(batch, 7).shape == (2, 16, 49)
    torch.testing.assert_close(strips[0, 1], batch[0, 0].flatten()[49:98])
    assert not torch.equal(strips, square_patches(batch, 7))


def test_it_matters_where_a_patch_stands():
    model = built("vit").eval()
    batch = images(1)
    swapped = batch.clone()
    swapped[..., :7, :7], swapped[..., 7:14, :7] = batch[..., 7:14, :7], batch[..., :7, :7]
    with torch.inference_mode():
        assert (model(batch) - model(swapped)).abs().max() > 1e-4


@pytest.mark.parametrize("scaled", [True, False])
def test_attention_is_pytorchs(scaled):
    torch.manual_seed(0)
    ours = Attention(embed_dim=12, heads=3)
    ours.scale = ours.scale if scaled else 1.0
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    theirs.in_proj_weight.data = ours.qkv.weight.data.clone()
    theirs.in_proj_bias.data = ours.qkv.bias.data.clone()
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    if not scaled:  # PyTorch always divides by sqrt(d): undo it in the queries
        theirs.in_proj_weight.data[:12] *= 2
        theirs.in_proj_bias.data[:12] *= 2
    tokens = torch.randn(5, 7, 12)
    expected, _ = theirs(tokens, tokens, tokens)
    torch.testing.assert_close(ours(tokens), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("factor", [0.25, 16.0])
def test_scores_begin_larger_by_their_factor(factor):
    plain, larger = (
        built("vit-variant", dropout=0.0, score_scale=scale) for scale in (1.0, factor)
    )
    tokens = plain.layers[0].norm1(plain.embed(images()))
    (scores, values), (enlarged, same) = (
        model.layers[0].attention.scores(tokens) for model in (plain, larger)
    )
    torch.testing.assert_close(enlarged, factor * scores, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(same, values)
    state = larger.state_dict()
    changed = [name for name, value in plain.state_dict().items() if (value != state[name]).any()]
    inside = "layers.0.attention.qkv"
    assert changed == [f"{inside}.weight", f"{inside}.bias"]


def test_the_layer_is_pytorchs():
    torch.manual_seed(0)
    ours = EncoderLayer(embed_dim=12, heads=3, hidden=20)
    theirs = torch.nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    pairs = {
        "self_attn.in_proj_": ours.attention.qkv,
        "self_attn.out_proj.": ours.attention.output,
        "linear1.": ours.fc1,
        "linear2.": ours.fc2,
        "norm1.": ours.norm1,
        "norm2.": ours.norm2,
    }
    theirs.load_state_dict(
        {
            prefix + kind: getattr(layer, kind)
            for prefix, layer in pairs.items()
            for kind in ("weight", "bias")
        }
    )
    tokens = torch.randn(5, 7, 12)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-4, atol=1e-5)


def test_the_originals_shortcut_starts_behind_the_normalisation():
    layer = VariantLayer(embed_dim=12, heads=3, hidden=20)
    layer.normalised_shortcut = True
    tokens = torch.randn(5, 7, 12)
    torch.testing.assert_close(layer(tokens), layer(10 * tokens + 3), rtol=1e-3, atol=1e-3)
    plain = EncoderLayer(embed_dim=12, heads=3, hidden=20)
    assert not torch.allclose(plain(tokens), plain(10 * tokens + 3), atol=1e-2)


def test_the_class_is_read_where_it_is_said():
    model = built("vit", dropout=0.0)
    for pool, place in ((0, 0), (-1, 16)):
        model.pool = pool
        tokens = model.norm(model.layers(model.embed(images())))
        assert tokens.shape == (4, 17, 128)
        torch.testing.assert_close(model(images()), model.classifier(tokens[:, place]))


def test_vit_has_the_number_of_parameters_worked_out_by_hand():
    tokens = (49 * 128 + 128) + 128 + 17 * 128
    attention = (128 * 384 + 384) + (128 * 128 + 128)
    network = (128 * 512 + 512) + (512 * 128 + 128)
    norms, classifier = 3 * 2 * 128, 128 * 10 + 10
    assert count(ViT()) == tokens + attention + network + norms + classifier


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 5}, "patches of 5 pixels do not divide a side of 28"),
        ({"heads": 3}, "3 heads do not divide an embedding of 128"),
        ({"patching": "circles"}, "patching must be one of squares, flattened; got 'circles'"),
        ({"pool": "first"}, "pool must be one of class, last"),
        ({"activation": "elu"}, "activation must be one of gelu, relu"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ViTVariant(**options)


def test_gelu_and_relu_differ():
    outputs = [
        built("vit-variant", dropout=0.0, activation=name)(images()).detach().numpy()
        for name in ("gelu", "relu")
    ]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4
