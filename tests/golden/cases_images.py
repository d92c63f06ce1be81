"""Cases of layers that resize, frame, crop, normalize and encode."""

from typing import Any

from tests.golden.case import case, graph_case, rows

FIRST = {"data_format": "channels_first"}

case("up_sampling1d", (4, 3), lambda nn: nn.UpSampling1D(3))
case("up_sampling2d_default", (3, 4, 2), lambda nn: nn.UpSampling2D())
case("up_sampling2d_rectangular", (3, 4, 2), lambda nn: nn.UpSampling2D((1, 3)), only=3)
case("up_sampling2d_bilinear", (3, 4, 2), lambda nn: nn.UpSampling2D((2, 3), interpolation="bilinear"))
case("up_sampling2d_channels_first", (2, 3, 4), lambda nn: nn.UpSampling2D(2, interpolation="bilinear", **FIRST))
case("up_sampling2d_nearest_channels_first", (2, 3, 4), lambda nn: nn.UpSampling2D(2, **FIRST), only=3)
case("up_sampling3d", (2, 3, 2, 2), lambda nn: nn.UpSampling3D((2, 1, 3)))
for _method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area", "gaussian", "mitchellcubic"):
    _only = 2 if _method in ("gaussian", "mitchellcubic", "area") else None
    case(f"up_sampling2d_{_method}_3", (5, 4, 2), lambda nn, m=_method: nn.UpSampling2D(3, interpolation=m), only=_only)
    case(f"resizing_{_method}_down", (9, 11, 2), lambda nn, m=_method: nn.Resizing(4, 5, m), only=_only)
    case(f"resizing_{_method}_up", (5, 4, 2), lambda nn, m=_method: nn.Resizing(7, 13, m), only=_only)
for _method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    case(
        f"resizing_{_method}_antialias",
        (9, 11, 2),
        lambda nn, m=_method: nn.Resizing(4, 16, m, antialias=True),
        only=3,
    )
case("resizing_same_size", (5, 4, 2), lambda nn: nn.Resizing(5, 4, "bicubic"))
case("resizing_one_axis", (5, 4, 2), lambda nn: nn.Resizing(5, 7, "bicubic"), only=3)
case("resizing_crop", (9, 11, 2), lambda nn: nn.Resizing(4, 6, crop_to_aspect_ratio=True))
case("resizing_crop_tall", (12, 5, 2), lambda nn: nn.Resizing(4, 6, crop_to_aspect_ratio=True), only=3)
case("resizing_pad", (9, 11, 2), lambda nn: nn.Resizing(6, 4, pad_to_aspect_ratio=True), only=3)
case("resizing_pad_fill", (9, 4, 2), lambda nn: nn.Resizing(6, 8, pad_to_aspect_ratio=True, fill_value=7.5), only=3)
case("resizing_channels_first", (2, 9, 11), lambda nn: nn.Resizing(4, 5, **FIRST), only=3)
case("center_crop_smaller", (9, 8, 2), lambda nn: nn.CenterCrop(4, 5))
case("center_crop_larger", (9, 8, 2), lambda nn: nn.CenterCrop(12, 5))
case("random_crop_at_inference", (9, 8, 2), lambda nn: nn.RandomCrop(4, 5))

case("cropping1d", (7, 3), lambda nn: nn.Cropping1D((1, 2)))
case("cropping1d_one", (7, 3), lambda nn: nn.Cropping1D(2), only=3)
case("cropping2d", (6, 7, 2), lambda nn: nn.Cropping2D(((1, 2), (3, 0))))
case("cropping2d_each_axis", (6, 7, 2), lambda nn: nn.Cropping2D((1, 2)), only=3)
case("cropping2d_channels_first", (2, 6, 7), lambda nn: nn.Cropping2D(((1, 2), (3, 0)), **FIRST), only=3)
case("cropping3d", (4, 5, 6, 2), lambda nn: nn.Cropping3D(((1, 0), (0, 2), (2, 1))))
case("zero_padding1d", (5, 3), lambda nn: nn.ZeroPadding1D((1, 2)))
case("zero_padding1d_one", (5, 3), lambda nn: nn.ZeroPadding1D(2), only=3)
case("zero_padding3d", (2, 3, 4, 2), lambda nn: nn.ZeroPadding3D(((1, 0), (0, 2), (2, 1))))
case("zero_padding3d_channels_first", (2, 2, 3, 4), lambda nn: nn.ZeroPadding3D((1, 2, 0), **FIRST), only=3)
case("repeat_vector", (5,), lambda nn: nn.RepeatVector(4))

case("layer_normalization_default", (4, 7), lambda nn: nn.LayerNormalization())
case("layer_normalization_wide", (3, 70), lambda nn: nn.LayerNormalization(epsilon=1e-6), only=3)
case("layer_normalization_two_axes", (4, 3, 5), lambda nn: nn.LayerNormalization(axis=(-2, -1)))
case("layer_normalization_first_axis", (4, 5), lambda nn: nn.LayerNormalization(axis=1, center=False))
case("layer_normalization_split_axes", (4, 3, 5), lambda nn: nn.LayerNormalization(axis=[1, 3], scale=False), only=3)
case("layer_normalization_rms_scaling", (4, 7), lambda nn: nn.LayerNormalization(rms_scaling=True), only=3)
case("rms_normalization_default", (4, 7), lambda nn: nn.RMSNormalization(), only=3)
case("rms_normalization_axes", (4, 3, 5), lambda nn: nn.RMSNormalization(axis=[2, 3], epsilon=1e-3), only=3)
case("unit_normalization_default", (4, 7), lambda nn: nn.UnitNormalization())
case("unit_normalization_axes", (4, 3, 5), lambda nn: nn.UnitNormalization(axis=[1, 2]))
case("group_normalization_default", (4, 3, 6), lambda nn: nn.GroupNormalization(3))
case("group_normalization_instances", (4, 3, 6), lambda nn: nn.GroupNormalization(-1, center=False), only=3)
case("group_normalization_channels_first", (6, 4, 3), lambda nn: nn.GroupNormalization(2, axis=1))
case("group_normalization_bare", (4, 6), lambda nn: nn.GroupNormalization(2, center=False, scale=False), only=3)
case("spectral_normalization_dense", (5,), lambda nn: nn.SpectralNormalization(nn.Dense(4)), only=3)
case("spectral_normalization_conv2d", (5, 6, 2), lambda nn: nn.SpectralNormalization(nn.Conv2D(4, 3)), only=3)

case("p_re_lu_default", (4, 3), lambda nn: nn.PReLU())
case("p_re_lu_shared", (4, 3, 5), lambda nn: nn.PReLU(shared_axes=[1, 2]))
case("p_re_lu_shared_last", (4, 3, 5), lambda nn: nn.PReLU(shared_axes=[3]), only=3)
case("activation_log_softmax", (4, 8), lambda nn: nn.Activation("log_softmax"), only=3)
case("activation_sparsemax", (4, 8), lambda nn: nn.Activation("sparsemax"), only=3)
case("activation_glu", (4, 8), lambda nn: nn.Activation("glu"), only=3)


@graph_case("random_layers_at_inference", only=3)
def _(keras: Any) -> Any:
    nn = keras.layers
    layers = [
        nn.RandomFlip(), nn.RandomRotation(0.2), nn.RandomZoom(0.2), nn.RandomTranslation(0.1, 0.1),
        nn.RandomContrast(0.2), nn.RandomShear(0.1), nn.RandomHue(0.2), nn.RandomInvert(), nn.RandomErasing(),
        nn.RandomGrayscale(), nn.RandomGaussianBlur(), nn.RandomPerspective(), nn.RandomElasticTransform(),
        nn.AugMix(), nn.RandAugment(), nn.RandomColorJitter(), nn.MixUp(), nn.CutMix(),
    ]  # fmt: skip
    return keras.Sequential([nn.InputLayer((6, 5, 3)), *layers, nn.Conv2D(2, 3)])


@graph_case("random_layers_of_keras_2", only=2)
def _(keras: Any) -> Any:
    nn = keras.layers
    layers = [
        nn.RandomFlip(), nn.RandomRotation(0.2), nn.RandomZoom(0.2), nn.RandomTranslation(0.1, 0.1),
        nn.RandomContrast(0.2), nn.RandomBrightness(0.2), nn.RandomHeight(0.2), nn.RandomWidth(0.2),
    ]  # fmt: skip
    return keras.Sequential([nn.InputLayer((6, 5, 3)), *layers, nn.GlobalMaxPooling2D()])


for _grid in ((2, 2), (3, 2)):
    case(
        f"clahe_{_grid[0]}x{_grid[1]}",
        (10, 9, 2),
        lambda nn, g=_grid: nn.ContrastLimitedAdaptiveHistogramEqualization((-3, 3), 2.0, g),
        only=3,
    )
case("auto_contrast", (6, 5, 3), lambda nn: nn.AutoContrast(value_range=(-3, 3)), only=3)
case("discretization_int", (6,), lambda nn: nn.Discretization(bin_boundaries=[-1.0, 0.0, 0.5]))
for _mode in ("one_hot", "multi_hot", "count"):
    _one = _mode == "one_hot"
    case(
        f"discretization_{_mode}",
        (1,) if _one else (6,),
        lambda nn, m=_mode: nn.Discretization(bin_boundaries=[-1.0, 0.0, 0.5], output_mode=m),
    )
    case(
        f"category_encoding_{_mode}",
        (1,) if _one else (6,),
        lambda nn, m=_mode: nn.CategoryEncoding(num_tokens=7, output_mode=m),
        draw=rows(7),
    )
    case(
        f"integer_lookup_{_mode}",
        (1,) if _one else (6,),
        lambda nn, m=_mode: nn.IntegerLookup(vocabulary=[3, 5, 8], output_mode=m),
        draw=rows(9),
    )
case("integer_lookup_int", (6,), lambda nn: nn.IntegerLookup(vocabulary=[3, 5, 8]), draw=rows(9))
case(
    "integer_lookup_tf_idf",
    (6,),
    lambda nn: nn.IntegerLookup(vocabulary=[3, 5, 8], output_mode="tf_idf", idf_weights=[0.5, 1.5, 0.7]),
    draw=rows(9),
)
for _mask in (None, 9):
    case(
        f"integer_lookup_invert_{_mask or 'plain'}",
        (6,),
        lambda nn, m=_mask: nn.IntegerLookup(vocabulary=[3, 5, 8], invert=True, mask_token=m, num_oov_indices=1),
        draw=rows(7),
    )
case("pipeline", (6, 5, 3), lambda nn: nn.Pipeline([nn.RandomFlip(), nn.Rescaling(2.0), nn.CenterCrop(4, 3)]), only=3)
case("integer_lookup_mask", (6,), lambda nn: nn.IntegerLookup(vocabulary=[3, 5, 8], mask_token=0), draw=rows(9))
