"""The ViT and its variants: patches, attention and layers as PyTorch computes them."""

import pytest
import torch

from helpers.networks.vit import EncoderLayer, ViT, square_patches
from helpers.networks.vit_variants import VariantLayer, ViTVariant, flattened_patches

IMAGES = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
TOKENS = torch.randn(5, 7, 12, generator=torch.Generator().manual_seed(0))


def variant(**options):
    torch.manual_seed(0)
    return ViTVariant(dropout=0.0, **options)


def test_patches_are_squares_and_flattened_ones_are_runs_of_pixels():
    batch = torch.randn(2, 3, 28, 14)
    for i, patch in enumerate(square_patches(batch, 7).reshape(2, 8, 3, 7, 7).unbind(1)):
        row, column = 7 * (i // 2), 7 * (i % 2)
        assert torch.equal(patch, batch[:, :, row : row + 7, column : column + 7])
    runs = flattened_patches(IMAGES, 7)
    assert runs.shape == (4, 16, 49) and torch.equal(runs[0, 1], IMAGES[0, 0].flatten()[49:98])


def test_it_matters_where_a_patch_stands():
    model, swapped = ViT().eval(), IMAGES.clone()
    swapped[..., :7, :7], swapped[..., 7:14, :7] = IMAGES[..., 7:14, :7], IMAGES[..., :7, :7]
    assert (model(IMAGES) - model(swapped)).abs().max() > 1e-4


@pytest.mark.parametrize("kind", [EncoderLayer, VariantLayer])
def test_the_layer_is_pytorchs(kind):
    ours = kind(12, heads=3, hidden=20)
    theirs = torch.nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    names = {"self_attn.in_proj_": "attention.qkv.", "self_attn.out_proj.": "attention.output."}
    names |= {f"linear{i}.": f"fc{i}." for i in (1, 2)} | {f"norm{i}.": f"norm{i}." for i in (1, 2)}
    state = ours.state_dict()
    theirs.load_state_dict(
        {a + kind: state[b + kind] for a, b in names.items() for kind in ("weight", "bias")}
    )
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS), rtol=1e-4, atol=1e-5)


def test_a_variant_without_any_change_is_the_vit_and_each_change_makes_a_difference():
    torch.manual_seed(0)
    plain, same = ViT(dropout=0.0), variant()
    assert plain.state_dict().keys() == same.state_dict().keys()
    assert torch.equal(plain(IMAGES), same(IMAGES))
    for options in {"activation": "relu"}, {"patching": "flattened"}, {"scaled": False}:
        assert (plain(IMAGES) - variant(**options)(IMAGES)).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("options", "factor"), [({"scaled": False}, 4), ({"score_scale": 0.25}, 0.25)]
)
def test_scores_begin_larger_by_their_factor(options, factor):  # d is 16 here
    (plain,), (changed,) = variant().layers, variant(**options).layers
    tokens = torch.randn(5, 7, 128)
    (scores, values), (enlarged, same) = (x.attention.scores(tokens) for x in (plain, changed))
    torch.testing.assert_close(enlarged, factor * scores, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(same, values)


def test_the_originals_shortcut_starts_after_the_normalisation_and_its_last_token_answers():
    (changed,), (plain,) = variant(normalised_shortcut=True).layers, variant().layers
    tokens = torch.randn(5, 7, 128)
    torch.testing.assert_close(changed(tokens), changed(10 * tokens + 3), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(plain(tokens), plain(10 * tokens + 3), atol=1e-2)
    for pool, place in ("class", 0), ("last", 16):
        model = variant(pool=pool)
        tokens = model.norm(model.layers(model.embed(IMAGES)))
        torch.testing.assert_close(model(IMAGES), model.classifier(tokens[:, place]))
