"""Every error that the engine raises on purpose. Each message is one line that a user can act on."""


class EngineError(Exception):
    """Base of all errors of this package."""


class ModelFileError(EngineError):
    """The model file is missing, damaged, of another kind, or not what its own description says."""


class UnsupportedLayerError(EngineError):
    """The model holds a layer, or an option of one, that this engine does not compute."""


class LimitExceededError(EngineError):
    """A file declares sizes beyond what it holds or beyond what the engine accepts."""


class GraphError(EngineError):
    """A network whose shapes or connections do not fit together."""


class InputError(EngineError, ValueError):
    """An array handed to a model has the wrong shape, kind or number."""


class CancelledError(EngineError):
    """A prediction was cancelled by its caller before it was complete."""


class ImageError(EngineError):
    """One image cannot be read. A batch goes on with the others."""


class KernelError(EngineError):
    """A kernel cannot be compiled or run on this machine."""
