"""One run over many images: from sources through the classifier to the output, in order, until it is interrupted."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.batches import in_batches
from engine.classify import Classifier, Result
from engine.commands.inputs import Inputs
from engine.commands.options import is_verbose, say
from engine.commands.outputs import Output
from engine.commands.progress import Clock, Progress, on_terminal, progress
from engine.commands.signals import Interrupts
from engine.errors import ImageError, InputError
from engine.images.sources import Source
from engine.report import Layout, Record

if TYPE_CHECKING:
    from engine.sorting import Sorter

MOST_WORKERS = 8

Outcome = TypeVar("Outcome")


class Run:
    """`clock` counts images answered and errors."""

    def __init__(self, inputs: Inputs, classifier: Classifier, batch_size: int, threads: int | None) -> None:
        from engine import num_threads

        self._inputs, self._classifier, self._batch_size = inputs, classifier, batch_size
        self._workers = min(threads or num_threads(), MOST_WORKERS)
        self.clock = Clock()
        self._interrupts = Interrupts(holds=True)
        self._interrupt: KeyboardInterrupt | None = None

    def write_records(self, output: Output, threshold: float | None, probs: bool, sorter: "Sorter | None") -> None:
        """Classify the images, and write a record for each. Raises KeyboardInterrupt once the output is whole."""
        classifier = self._classifier
        bars = output.path is None and sys.stdout is not None and sys.stdout.isatty()
        decided = {name: decision["value"] for name, decision in classifier.decisions.to_dict().items()}
        layout = Layout(classifier.top_k, classifier.classes, probs, decided, bars)

        def records() -> Iterator[Record]:
            for source, outcome in self._outcomes(todo, self._classify, bar, stack):
                result, scores = (outcome, None) if isinstance(outcome, ImageError) else outcome
                all_scores = scores.tolist() if probs and scores is not None else None
                record = Record.of(source.name, result, all_scores, threshold)
                record = self._sorted(record, source, sorter) if sorter and record.best else record
                self.clock.count(record.error is not None)
                yield record

        with self._guarded() as stack:
            writer = stack.enter_context(output.open(layout))
            self.clock.resume(writer.found, writer.failed)
            bar = stack.enter_context(progress(self.clock, self._inputs.count()))
            todo = filterfalse(lambda source: writer.is_done(source.name), self._inputs.sources(stack))
            for text in output.texts(records(), writer.layout):
                bar.clear()
                writer.write(text)
            self._raise_if_interrupted()

    def write_features(self, layer: str, path: Path) -> None:
        """Write what `layer` answers for each image to a `.npy` or `.npz`."""
        from engine.report.features import feature_file

        model = self._classifier.model.submodel(layer)
        if not isinstance(model.output_shape, tuple):
            raise InputError(f"layer {layer!r} has several results; --features writes one")

        def compute(batch: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
            with self.clock.stage("inference"):
                return list(model.predict(batch, batch_size=len(batch)))

        with self._guarded() as stack:
            add = stack.enter_context(feature_file(path))
            bar = stack.enter_context(progress(self.clock, self._inputs.count()))
            for source, outcome in self._outcomes(self._inputs.sources(stack), compute, bar, stack):
                if isinstance(outcome, ImageError):
                    add(source.name, None, str(outcome).removeprefix(f"{source.name}: "))
                else:
                    add(source.name, outcome, "")
                self.clock.count(isinstance(outcome, ImageError))
            self._raise_if_interrupted()

    @contextmanager
    def _guarded(self) -> Iterator[ExitStack]:
        """Within it, signals wait for the end of a record. At its end, how long it all took is said."""
        with self._interrupts, ExitStack() as stack:
            yield stack
        if on_terminal() or is_verbose():
            say(str(self.clock))

    def _outcomes(
        self,
        sources: Iterable[Source],
        compute: Callable[[NDArray[np.float32]], Sequence[Outcome]],
        bar: Progress,
        stack: ExitStack,
    ) -> Iterator[tuple[Source, Outcome | ImageError]]:
        """Each image with what became of it; ends early at an interrupt, and then `interrupted` is set."""
        pairs = in_batches(sources, self._prepare, compute, self._batch_size, self._workers, size=lambda s: s.size)
        stack.enter_context(closing(pairs))
        try:
            for source, outcome in self._interrupts.until_interrupted(pairs):
                yield source, outcome
                bar.advance()
        except KeyboardInterrupt as interrupt:
            self._interrupt = interrupt

    def _prepare(self, source: Source) -> NDArray[np.float32]:
        if isinstance(source.picture, ImageError):
            raise source.picture
        try:
            with self.clock.stage("decoding"):
                pixels = self._classifier.decode(source.picture)
            with self.clock.stage("preprocessing"):
                return self._classifier.prepare(pixels, source.name)
        except InputError as error:
            raise ImageError(f"{source.name}: {error}") from error

    def _classify(self, batch: NDArray[np.float32]) -> Sequence[tuple[Result | ImageError, NDArray[np.float64]]]:
        with self.clock.stage("inference"):
            scores = self._classifier.scores(batch)
            return list(zip(self._classifier.results(scores), scores, strict=True))

    def _sorted(self, record: Record, source: Source, sorter: "Sorter") -> Record:
        assert record.best
        try:
            sorter.place(source, record.best.index)
            return record
        except ImageError as error:
            return Record.of(source.name, error)

    def _raise_if_interrupted(self) -> None:
        if self._interrupt:
            raise self._interrupt
