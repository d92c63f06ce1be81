"""Descriptions that attack: code in place of layers, sizes beyond any machine, graphs that never end."""

from pathlib import Path
from typing import Any

from engine.errors import GraphError, LimitExceededError, ModelFileError, UnsupportedLayerError
from tests.frontend.handmade import dense_model, dense_weights, functional, layer, sequential, write
from tests.fuzz.hostile import attack

CODE = ["4wEAAAAAAAAAAAAAAAADAAAAAwAAAPMAAAAA", None, None]


def one_layer(path: Path, class_name: str, shape: Any = (None, 4), *, version: str = "3.9.0", **config: Any) -> None:
    """A model of a single layer `evil` without weights, whose description names a module to import."""
    entry = layer(class_name, "evil", **config)
    entry |= {"module": "canary", "registered_name": "canary>run", "build_config": {"input_shape": [None, 4]}}
    write(path, sequential(entry, shape=list(shape)), version=version)


def kernel_of(path: Path, class_name: str, shape: Any, **config: Any) -> None:
    """A model of one layer whose weights are only a small vector."""
    weights = {"d": dense_weights()["d"]}
    write(path, sequential(layer(class_name, "d", **config), shape=list(shape)), weights)


@attack(UnsupportedLayerError, r"'evil' \(Lambda\)")
def lambda_with_bytecode(path: Path) -> None:
    one_layer(path, "Lambda", version="2.15.0", function=CODE, function_type="lambda")


@attack(UnsupportedLayerError, r"'evil' \(Lambda\)")
def lambda_of_keras_3(path: Path) -> None:
    code = {"class_name": "__lambda__", "config": {"code": CODE[0], "defaults": None, "closure": None}}
    one_layer(path, "Lambda", function=code)


@attack(UnsupportedLayerError, r"'evil' \(Lambda\)")
def lambda_that_names_a_function(path: Path) -> None:
    one_layer(path, "Lambda", function={"class_name": "function", "config": "system", "module": "os"})


@attack(UnsupportedLayerError, r"'evil' \(__lambda__\)")
def layer_of_class_lambda(path: Path) -> None:
    one_layer(path, "__lambda__", code=CODE[0])


@attack((UnsupportedLayerError), r"'evil' \(Activation\)")
def activation_that_is_bytecode(path: Path) -> None:
    one_layer(path, "Activation", activation={"class_name": "__lambda__", "config": {"code": CODE[0]}})


@attack(UnsupportedLayerError, r"'evil' \(TFSMLayer\)")
def saved_model_layer(path: Path) -> None:
    one_layer(path, "TFSMLayer", filepath="/etc", call_endpoint="serve")


@attack(UnsupportedLayerError, r"'evil' \(TorchModuleWrapper\)")
def torch_pickle(path: Path) -> None:
    one_layer(path, "TorchModuleWrapper", module="gASVHAAAAA==", output_shape=[4])


@attack(UnsupportedLayerError, r"'evil' \(JaxLayer\)")
def jax_layer(path: Path) -> None:
    one_layer(path, "JaxLayer", call_fn={"class_name": "function", "config": "system"})


@attack(UnsupportedLayerError, r"'evil' \(StringLookup\)")
def vocabulary_that_is_a_path(path: Path) -> None:
    one_layer(path, "StringLookup", vocabulary="/etc/passwd", num_oov_indices=1)


@attack(UnsupportedLayerError, r"'evil' \(TextVectorization\)")
def text_vocabulary_that_is_a_path(path: Path) -> None:
    one_layer(path, "TextVectorization", vocabulary="/etc/passwd")


@attack(UnsupportedLayerError, r"'evil' \(os>system\)")
def class_that_is_registered_elsewhere(path: Path) -> None:
    one_layer(path, "os>system", command="id")


@attack(UnsupportedLayerError, r"'evil' \(builtins.exec\)")
def class_that_is_a_dotted_name(path: Path) -> None:
    one_layer(path, "builtins.exec", source="1")


@attack(UnsupportedLayerError, "of class 'SubclassedNet'")
def model_of_a_custom_class(path: Path) -> None:
    write(path, {"class_name": "SubclassedNet", "module": "os", "registered_name": "os>system", "config": {}})


@attack(UnsupportedLayerError, r"'evil' \(TimeDistributed\)|'evil.*Lambda\)")
def lambda_inside_a_wrapper(path: Path) -> None:
    one_layer(path, "TimeDistributed", (None, 4, 4), layer=layer("Lambda", "inner", function=CODE))


@attack(UnsupportedLayerError, "'y'")
def bytecode_among_call_arguments(path: Path) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}
    node = {"args": [tensor, {"class_name": "__lambda__", "config": {"code": CODE[0]}}], "kwargs": {}}
    layers = [layer("InputLayer", "x", [], batch_shape=[None, 4]), layer("Identity", "y", [node])]
    write(path, functional(layers, [["x", 0, 0]], [["y", 0, 0]]), version="3.9.0")


@attack(LimitExceededError, "'d'")
def units_of_two_billions(path: Path) -> None:
    kernel_of(path, "Dense", (None, 4), units=2_000_000_000)


@attack(ModelFileError, "'units' must be an integer")
def units_beyond_32_bits(path: Path) -> None:
    kernel_of(path, "Dense", (None, 4), units=2**63)


@attack(ModelFileError, "more|digits")
def units_of_five_thousand_digits(path: Path) -> None:
    text = '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": %s}}]}}'
    write(path, text % ("9" * 5000))


@attack(LimitExceededError, "larger than|more than")
def input_of_billions(path: Path) -> None:
    write(path, sequential(layer("Flatten", "f"), shape=[None, 2_000_000_000, 3]))


@attack(LimitExceededError, "larger than|more than")
def many_large_axes(path: Path) -> None:
    write(path, sequential(layer("Flatten", "f"), shape=[None, *[2**31 - 1] * 200]))


@attack(LimitExceededError, "larger than|more than")
def padding_of_billions(path: Path) -> None:
    write(path, sequential(layer("ZeroPadding2D", "p", padding=2_000_000_000), shape=[None, 8, 8, 3]))


@attack(LimitExceededError, "larger than|more than")
def upsampling_of_billions(path: Path) -> None:
    write(path, sequential(layer("UpSampling1D", "u", size=2_000_000_000), shape=[None, 8, 3]))


@attack(LimitExceededError, "larger than|more than")
def upsampling_of_a_pixel(path: Path) -> None:
    config = {"size": [50_000, 50_000], "interpolation": "bilinear"}
    write(path, sequential(layer("UpSampling2D", "u", **config), shape=[None, 1, 1, 1]))


@attack(LimitExceededError, r"'r' \(Resizing\): a table")
def resizing_to_a_long_row(path: Path) -> None:
    config = {"height": 1, "width": 2_000_000_000, "interpolation": "bilinear"}
    write(path, sequential(layer("Resizing", "r", **config), shape=[None, 1, 1, 1]), version="3.9.0")


@attack(LimitExceededError, "larger than|more than")
def repeated_two_billion_times(path: Path) -> None:
    write(path, sequential(layer("RepeatVector", "r", n=2_000_000_000), shape=[None, 4]))


@attack(LimitExceededError, "'d'")
def embedding_of_billions(path: Path) -> None:
    kernel_of(path, "Embedding", (None, 4), input_dim=2_000_000_000, output_dim=1000)


@attack(LimitExceededError, "'d'")
def filters_of_billions(path: Path) -> None:
    kernel_of(path, "Conv2D", (None, 1, 1, 1), filters=2_000_000_000, kernel_size=1)


@attack(LimitExceededError, "'d'")
def a_kernel_of_8192_by_8192_that_is_not_there(path: Path) -> None:
    kernel_of(path, "Dense", (None, 8192), units=8192)


@attack(ModelFileError, "repeated")
def a_key_twice(path: Path) -> None:
    write(path, '{"class_name": "Sequential", "class_name": "Functional", "config": {"layers": []}}')


@attack(ModelFileError, "NaN is not")
def not_a_number(path: Path) -> None:
    write(path, '{"class_name": "Sequential", "config": {"layers": [NaN]}}')


@attack(ModelFileError, "too large")
def a_number_beyond_every_float(path: Path) -> None:
    write(path, '{"class_name": "Sequential", "config": {"layers": [1e999]}}')


@attack(ModelFileError, "nested too deeply|nested more")
def a_hundred_thousand_brackets(path: Path) -> None:
    write(path, '{"class_name": "Sequential", "config": {"layers": ' + "[" * 100_000 + "]" * 100_000 + "}}")


@attack(ModelFileError, "nested too deeply|nested more")
def objects_nested_deep(path: Path) -> None:
    text = '{"class_name": "Sequential", "config": {"layers": [' * 20_000
    write(path, text + "]}}" * 20_000)


@attack(ModelFileError, "nested too deeply")
def arguments_nested_deep(path: Path) -> None:
    node: Any = ["x", 0, 0]
    for _ in range(700):
        node = [node]
    layers = [layer("InputLayer", "x", [], batch_shape=[None, 4]), layer("Identity", "y", [node])]
    write(path, functional(layers, [["x", 0, 0]], [["y", 0, 0]]))


@attack(ModelFileError, "codec|valid JSON")
def text_that_is_no_utf8(path: Path) -> None:
    write(path, b'{"class_name": "\xff\xfe"}')


@attack(ModelFileError, "valid JSON")
def text_that_ends_early(path: Path) -> None:
    write(path, '{"class_name": "Sequential", "config": {"layers": [')


def _graph(path: Path, *feeding: tuple[str, str]) -> None:
    layers = [layer("InputLayer", "x", [], batch_shape=[None, 4])]
    layers += [layer("Activation", name, [[[of, 0, 0, {}]]], activation="relu") for name, of in feeding]
    write(path, functional(layers, [["x", 0, 0]], [["y", 0, 0]]))


@attack(ModelFileError, "cycle")
def a_node_that_feeds_itself(path: Path) -> None:
    _graph(path, ("y", "y"))


@attack(ModelFileError, "cycle")
def a_cycle(path: Path) -> None:
    _graph(path, ("a", "b"), ("b", "a"), ("y", "x"))


@attack(ModelFileError, "does not exist")
def a_dangling_node(path: Path) -> None:
    _graph(path, ("y", "nobody"))


@attack(LimitExceededError, "at most 100000")
def too_many_layers(path: Path) -> None:
    write(path, {"class_name": "Sequential", "config": {"layers": [{}] * 100_001}})


@attack(LimitExceededError, "called more than")
def models_that_double_forty_times(path: Path) -> None:
    from tests.frontend.test_topology import nest

    write(path, nest(40, calls=2))


@attack(ModelFileError, "'model_config' must be text|must be one text")
def a_description_that_is_a_number(path: Path) -> None:
    import h5py

    write(path, dense_model(), dense_weights())
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = 7


@attack(GraphError, "'d'")
def a_window_larger_than_the_image(path: Path) -> None:
    kernel_of(path, "MaxPooling2D", (None, 4, 4, 1), pool_size=2_000_000_000)
