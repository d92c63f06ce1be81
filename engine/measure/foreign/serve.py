"""Serves one runtime: a JSON request a line on stdin, a JSON answer a line on stdout.

Run as `python serve.py NAME`, in whatever interpreter has that runtime. Request `{"do": NAME, ...arguments}`, NAME a
method of `Session`; answer `{"value": ...}` or `{"error": "one line"}`. Whatever the runtime prints itself goes to
stderr. This file imports little: its own start is part of what is measured.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BLOCK_SECONDS = 0.001
_PARENT_DEATH_SIGNAL = 1

Call = Callable[[np.ndarray], np.ndarray]
"""Takes a float32 batch, returns the model's output for it."""


def engine(path: str, batch: int, threads: int, arch: str | None = None) -> Call:
    """This engine: `model(x)`, for any batch size."""
    from engine import load_model

    model: Call = load_model(path, arch=arch, threads=threads)
    return model


def tensorflow(path: str, batch: int, threads: int) -> Call:
    """TensorFlow: the model as a `tf.function` of one concrete shape. The call copies to and from its tensors."""
    import tensorflow as tf

    model = _keras_model(path, threads)
    function = tf.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32))

    def call(x: np.ndarray) -> np.ndarray:
        answer: np.ndarray = concrete(tf.constant(x)).numpy()
        return answer

    return call


def keras(path: str, batch: int, threads: int) -> Call:
    """Keras: `model.predict`, as most users call it; the whole batch is one step."""
    model = _keras_model(path, threads)
    return lambda x: model.predict(x, batch_size=batch, verbose=0)


def _keras_model(path: str, threads: int) -> Any:
    """The model file read for inference. The threads must be set before TensorFlow's first operation."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from keras.models import load_model
    from keras.src.applications.convnext import LayerScale

    return load_model(path, compile=False, custom_objects={"LayerScale": LayerScale})


def onnxruntime(path: str, batch: int, threads: int) -> Call:
    """ONNX Runtime, CPU provider.

    The free dimension "batch" is fixed, so that shapes fold as they would in a model made for it.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_free_dimension_override_by_name("batch", batch)
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def openvino(path: str, batch: int, threads: int) -> Call:
    """OpenVINO, CPU device: static shape, one stream, no copies at the border.

    Without the precision hint some CPUs would use bfloat16.
    """
    import openvino as ov

    core = ov.Core()
    model = core.read_model(path)
    model.reshape([batch, *model.input().partial_shape[1:]])
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda x: request.infer([x], share_inputs=True, share_outputs=True)[0]


def litert(path: str, batch: int, threads: int) -> Call:
    """LiteRT with its XNNPACK delegate. The file has its batch fixed; another one is refused by LiteRT itself."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def call(x: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        answer: np.ndarray = interpreter.get_tensor(result)
        return answer

    return call


LOADERS: dict[str, Callable[..., Call]] = {
    loader.__name__: loader for loader in (engine, tensorflow, keras, onnxruntime, openvino, litert)
}


def burst(call: Call, x: np.ndarray, seconds: float) -> list[float]:
    """Seconds a call, one figure for each block of calls of about a millisecond; at least two blocks.

    A quarter of `seconds` goes first, at least one call, to warm caches and threads and to size the blocks. A call
    that takes longer than `seconds` warms itself, and is the only one.
    """
    start = time.perf_counter()
    call(x)
    first = time.perf_counter() - start
    if first > seconds:
        return [first]
    calls = 1
    while time.perf_counter() < start + seconds / 4:
        call(x)
        calls += 1
    block = max(1, round(BLOCK_SECONDS * calls / (time.perf_counter() - start)))
    figures: list[float] = []
    end = time.perf_counter() + seconds
    while len(figures) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(block):
            call(x)
        figures.append((time.perf_counter() - start) / block)
    return figures


class Session:
    """The requests, one method each."""

    def __init__(self, runtime: str) -> None:
        self.loader = LOADERS[runtime]

    def load(self, model: str, batch: int, threads: int, **options: str) -> float:
        """Import the runtime and read the model; seconds. `options` are this engine's."""
        start = time.perf_counter()
        self.call = self.loader(model, batch, threads, **options)
        return time.perf_counter() - start

    def run(self, input: str, output: str) -> float:
        """Run the batch in the `.npy` file `input`, keep it for `time`, write the answer to `output`; seconds."""
        self.x = np.load(input)
        start = time.perf_counter()
        answer = self.call(self.x)
        seconds = time.perf_counter() - start
        np.save(output, answer)
        return seconds

    def time(self, seconds: float) -> list[float]:
        """See `burst`."""
        return burst(self.call, self.x, seconds)

    def calls(self, seconds: float) -> list[float]:
        """Seconds of each call, for so long, at least three; one more goes first."""
        self.call(self.x)
        figures: list[float] = []
        end = time.perf_counter() + seconds
        while len(figures) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            self.call(self.x)
            figures.append(time.perf_counter() - start)
        return figures

    def version(self, package: str) -> str:
        """The version of the runtime's package; empty if it is not known."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(package)
        except PackageNotFoundError:
            return ""

    def memory(self) -> float | None:
        """Peak resident size of this process so far, MiB; None where the system does not tell.

        Not `getrusage`: its peak includes that of the process which started this one.
        """
        try:
            with open("/proc/self/status") as status:
                return int(status.read().split("VmHWM:")[1].split()[0]) / 1024
        except (OSError, IndexError, ValueError):
            return None


def end_with_parent() -> None:
    """Where the system can, die with the process that asks: a stopped process would not notice that stdin has ended."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def main() -> None:
    """Command line: NAME. Ends with its stdin."""
    end_with_parent()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    session = Session(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": getattr(session, request.pop("do"))(**request)}
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            answer = {"error": f"{type(error).__name__}: {reason}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
