"""What an opened model tells about its layers."""

import pytest

from engine.frontend import open_model
from engine.ir.text import format_graph
from engine.ir.verify import verify
from tests.golden import GOLDEN, models, name_of


def test_the_seed_network_layer_by_layer() -> None:
    with open_model(GOLDEN / "k3" / "sequential_seed_cnn.h5") as network:
        rows = [(x.name, x.class_name, x.output_shape, x.parameters, x.inbound) for x in network.layers]
        assert rows == [
            ("conv1", "Conv2D", (12, 12, 4), 40, (network.input_names[0],)),
            ("pool1", "MaxPooling2D", (6, 6, 4), 0, ("conv1",)),
            ("dropout1", "Dropout", (6, 6, 4), 0, ("pool1",)),
            ("conv2", "Conv2D", (6, 6, 6), 222, ("dropout1",)),
            ("pool2", "MaxPooling2D", (3, 3, 6), 0, ("conv2",)),
            ("flatten", "Flatten", (54,), 0, ("pool2",)),
            ("fc1", "Dense", (8,), 440, ("flatten",)),
            ("logits", "Dense", (5,), 45, ("fc1",)),
        ]
        assert [network.graph.shapes[x.value] for x in network.layers] == [x.output_shape for x in network.layers]
        assert network.layers[-1].value == network.graph.outputs[0]
        assert network.output_names == ("logits",)
        assert network.format == "HDF5 full model"
        assert network.keras_version.startswith("3.")
        assert not network.from_logits


def test_the_graph_of_the_seed_network_as_text() -> None:
    with open_model(GOLDEN / "k2" / "sequential_seed_cnn.h5") as network:
        assert format_graph(network.graph).splitlines() == [
            "%0 = input : [12,12,1]",
            "%1 = conv %0 kernel[3,3,1,4] bias[4] pads=((1, 1), (1, 1)) : [12,12,4]  # conv1",
            "%2 = activate %1 relu : [12,12,4]  # conv1",
            "%3 = pool %2 kind=max window=(2, 2) strides=(2, 2) : [6,6,4]  # pool1",
            "%4 = identity %3 : [6,6,4]  # dropout1",
            "%5 = conv %4 kernel[3,3,4,6] bias[6] pads=((1, 1), (1, 1)) : [6,6,6]  # conv2",
            "%6 = activate %5 relu : [6,6,6]  # conv2",
            "%7 = pool %6 kind=max window=(2, 2) strides=(2, 2) : [3,3,6]  # pool2",
            "%8 = reshape %7 shape=(54,) : [54]  # flatten",
            "%9 = dense %8 kernel[54,8] bias[8] : [8]  # fc1",
            "%10 = activate %9 relu : [8]  # fc1",
            "%11 = dense %10 kernel[8,5] bias[5] : [5]  # logits",
            "return %11",
        ]


def test_functional_models_list_their_inputs() -> None:
    with open_model(GOLDEN / "k3" / "functional_shared_layer.h5") as network:
        assert network.input_names == ("a", "b")
        assert [x.name for x in network.layers if x.class_name == "InputLayer"] == ["a", "b"]
        shared = next(x for x in network.layers if x.name == "shared")
        assert (shared.parameters, shared.inbound) == (25, ("a",))
        assert len(list(network.graph.weights())) == 6


@pytest.mark.parametrize(
    ("case", "trainable"),
    [
        ("nested_functional_frozen", 4 * 2 + 15 + 8),
        ("nested_functional_all_frozen", 8),
        ("nested_twice_deep", 8 + 15 + 8),
    ],
)
def test_frozen_layers_count_as_such(case: str, trainable: int) -> None:
    with open_model(GOLDEN / "k3" / f"{case}.h5") as network:
        assert sum(x.trainable_parameters for x in network.layers) == trainable
        assert sum(x.parameters for x in network.layers) == sum(w.size for x in network.layers for w in x.weights)


@pytest.mark.parametrize("generation", ["k2", "k3"])
def test_from_logits_as_keras_writes_it(generation: str) -> None:
    with open_model(GOLDEN / generation / "training_from_logits.h5") as network:
        assert network.from_logits
    with open_model(GOLDEN / generation / "training_by_name.h5") as network:
        assert not network.from_logits


@pytest.mark.parametrize("model", models(), ids=name_of)
def test_graphs_are_verified_and_opening_reads_no_weight(model, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.frontend.h5 import Stored

    monkeypatch.setattr(Stored, "load", lambda self: pytest.fail(f"{self.name} was read"))
    with open_model(model) as network:
        verify(network.graph)
        assert all(x.value >= 0 for x in network.layers if not x.class_name.endswith("OpLambda"))
