"""A Keras file to other runtimes' formats. Runs where TensorFlow and tf2onnx are.

`python convert.py FILE FILE.onnx` keeps the batch free (dimension name "batch");
`python convert.py FILE FILE.tflite BATCH` fixes it: LiteRT's converter and delegate want static shapes.
"""

import sys
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers
from keras.src.applications.convnext import LayerScale
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

OPSET = 18
LARGE_CONSTANT = 1 << 22


def load(path: str) -> keras.Model:
    """Read a model file for inference."""
    return keras.models.load_model(path, compile=False, custom_objects={"LayerScale": LayerScale})


def gelu(x: tf.Tensor) -> tf.Tensor:
    """The exact GELU in the form that every converter recognises; Keras's own has Erfc, which ONNX lacks."""
    return 0.5 * x * (1.0 + tf.math.erf(x / 2**0.5))


def is_depthwise(layer: keras.Layer) -> bool:
    """Whether the layer is a Conv2D of one filter a channel: Keras compiles it with XLA, converters then stumble."""
    return isinstance(layer, layers.Conv2D) and 1 < layer.groups == layer.filters == layer.kernel.shape[-1]


def portable(model: keras.Model) -> keras.Model:
    """The same network without what the converters cannot take; the model itself if there is nothing of the kind."""

    def is_gelu(layer: keras.Layer) -> bool:
        return isinstance(layer, layers.Activation) and layer.activation is keras.activations.gelu

    def copied(layer: keras.Layer) -> keras.Layer:
        if is_gelu(layer):
            return layers.Activation(gelu, name=layer.name)
        if is_depthwise(layer):
            same = ("name", "kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
            return layers.DepthwiseConv2D(**{option: getattr(layer, option) for option in same})
        return type(layer).from_config(layer.get_config())

    if not any(is_gelu(layer) or is_depthwise(layer) for layer in model.layers):
        return model
    clone = keras.models.clone_model(model, clone_function=copied)
    for old, new in zip(model.layers, clone.layers, strict=True):
        weights = old.get_weights()
        if is_depthwise(old):
            weights[0] = weights[0].swapaxes(2, 3)
        new.set_weights(weights)
    return clone


def frozen(path: str, batch: int | None) -> Any:
    """The model as a concrete function without variables."""
    model = portable(load(path))
    spec = tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32)
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    return convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)


def take_large_constants(graph: Any) -> dict[str, np.ndarray]:
    """Make placeholders of a GraphDef's large constants and return their values by tensor name.

    tf2onnx copies every constant a dozen times, which for VGG16 is more memory than most machines have.
    """
    taken = {}
    for node in graph.node:
        tensor = node.attr["value"].tensor if node.op == "Const" else None
        if tensor is None or tf.TensorShape(tensor.tensor_shape).num_elements() <= LARGE_CONSTANT:
            continue
        taken[f"{node.name}:0"] = tf.make_ndarray(tensor)
        node.attr["shape"].shape.CopyFrom(tensor.tensor_shape)
        node.op = "Placeholder"
        del node.attr["value"]
    return taken


def divide_before_erf(graph: Any) -> None:
    """Undo TensorFlow's folding of x / sqrt(2) into a product: ONNX Runtime knows GELU by the quotient."""
    producers = {node.output[0]: node for node in graph.node}
    for node in [producers[node.input[0]] for node in graph.node if node.op_type == "Erf"]:
        node.op_type = "Div"
        node.input[1] = "sqrt2"
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(2**0.5), "sqrt2"))


def to_onnx(source: str, target: str) -> None:
    """Write the model as ONNX, float32, batch free."""
    function = frozen(source, None)
    names = [function.inputs[0].name], [function.outputs[0].name]
    graph = function.graph.as_graph_def(add_shapes=True)
    del function
    constants = take_large_constants(graph)
    proto, _ = tf2onnx.convert.from_graph_def(graph, "model", names[0] + list(constants), names[1], opset=OPSET)
    image = next(value for value in proto.graph.input if value.name not in constants)
    image.type.tensor_type.shape.dim[0].dim_param = "batch"
    del proto.graph.input[:]
    proto.graph.input.append(image)
    proto.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in constants.items())
    divide_before_erf(proto.graph)
    onnx.save(proto, target)


def to_tflite(source: str, target: str, batch: int) -> None:
    """Write the model as TFLite, float32, batch fixed."""
    with open(target, "wb") as file:
        file.write(tf.lite.TFLiteConverter.from_concrete_functions([frozen(source, batch)]).convert())


def main() -> None:
    """Command line: FILE FILE.onnx | FILE FILE.tflite BATCH."""
    source, target, *batch = sys.argv[1:]
    if batch:
        to_tflite(source, target, int(batch[0]))
    else:
        to_onnx(source, target)


if __name__ == "__main__":
    main()
