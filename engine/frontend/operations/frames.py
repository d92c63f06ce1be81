"""Functions that take a part of an image, frame it, or turn it."""

from typing import Any

from engine.frontend.call import Tensor
from engine.frontend.layers.geometry import crop
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.slicing import flip
from engine.frontend.operations.table import operation
from engine.ir.ops import Pad, Pair, Transpose


@operation("image.resize_with_crop_or_pad image target_height target_width")
def crop_or_pad(scope: Scope, x: Any, height: Any, width: Any) -> int:
    """The middle of an image, or an image in the middle of zeros."""
    value = scope.image(x)
    pairs = []
    for have, want in zip(scope.shape(value)[:2], (scope.integer(height), scope.integer(width)), strict=True):
        before = (want - have) // 2 if want >= have else -((have - want) // 2)
        pairs.append((before, want - have - before))
    return framed(scope, value, *pairs)


def framed(scope: Scope, x: int, rows: Pair, columns: Pair) -> int:
    """An image with zeros around it; a negative number takes away."""
    lost = [(max(-a, 0), max(-b, 0)) for a, b in (rows, columns)]
    more = [(max(a, 0), max(b, 0)) for a, b in (rows, columns)]
    y = crop(scope.call, x, lost)
    return scope.emit(Pad((more[0], more[1])), y) if any(map(any, more)) else y


@operation("image.crop_to_bounding_box image offset_height offset_width target_height target_width")
def crop_box(scope: Scope, x: Any, top: Any, left: Any, height: Any, width: Any) -> int:
    """A part of an image."""
    value = scope.image(x)
    h, w, _ = scope.shape(value)
    t, le, hh, ww = (scope.integer(n) for n in (top, left, height, width))
    return framed(scope, value, (-t, t + hh - h), (-le, le + ww - w))


@operation("image.pad_to_bounding_box image offset_height offset_width target_height target_width")
def pad_box(scope: Scope, x: Any, top: Any, left: Any, height: Any, width: Any) -> int:
    """An image somewhere in zeros."""
    value = scope.image(x)
    h, w, _ = scope.shape(value)
    t, le, hh, ww = (scope.integer(n) for n in (top, left, height, width))
    return framed(scope, value, (t, hh - h - t), (le, ww - w - le))


_SIDES = "top_{0} left_{0} bottom_{0} right_{0} target_height target_width data_format"


@operation(f"CropImages images {_SIDES.format('cropping')}")
def crop_images(
    scope: Scope,
    x: Any,
    top: Any = None,
    left: Any = None,
    bottom: Any = None,
    right: Any = None,
    height: Any = None,
    width: Any = None,
    data_format: Any = None,
) -> int:
    """An image without its borders; of two borders and a size, one follows from the others."""
    return _bordered(scope, x, (top, bottom, height), (left, right, width), data_format, -1)


@operation(f"PadImages images {_SIDES.format('padding')}")
def pad_images(
    scope: Scope,
    x: Any,
    top: Any = None,
    left: Any = None,
    bottom: Any = None,
    right: Any = None,
    height: Any = None,
    width: Any = None,
    data_format: Any = None,
) -> int:
    """An image with zeros around it; of two borders and a size, one follows from the others."""
    return _bordered(scope, x, (top, bottom, height), (left, right, width), data_format, 1)


def _bordered(scope: Scope, x: Any, rows: Any, columns: Any, data_format: Any, sign: int) -> int:
    value = scope.image(x)
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    pairs = []
    for size, (before, after, target) in zip(scope.shape(value)[:2], (rows, columns), strict=True):
        known = [None if n is None else scope.integer(n) for n in (before, after)]
        total = None if target is None else sign * (scope.integer(target) - size)
        first = known[0] if known[0] is not None else (total or 0) - (known[1] or 0)
        last = known[1] if known[1] is not None else (total or 0) - first
        pairs.append((sign * first, sign * last))
    return framed(scope, value, *pairs)


@operation("image.central_crop image central_fraction")
def central_crop(scope: Scope, x: Any, fraction: Any) -> int:
    """A share of an image around its middle."""
    value, share = scope.image(x), scope.number(fraction)
    pairs = []
    for size in scope.shape(value)[:2]:
        start = int((size - size * share) / 2)
        pairs.append((-start, -start))
    return framed(scope, value, *pairs)


@operation("image.flip_left_right image")
def flip_sideways(scope: Scope, x: Any) -> int:
    """An image with left and right exchanged."""
    return flip(scope, x, -2)  # type: ignore[return-value]


@operation("image.flip_up_down image")
def flip_upright(scope: Scope, x: Any) -> int:
    """An image with top and bottom exchanged."""
    return flip(scope, x, -3)  # type: ignore[return-value]


@operation("image.transpose image")
def transposed(scope: Scope, x: Any) -> int:
    """An image with rows and columns exchanged."""
    return scope.emit(Transpose((1, 0, 2)), scope.image(x))


@operation("image.rot90 image k")
def turned(scope: Scope, x: Any, k: Any = 1) -> int:
    """An image turned to the left by so many right angles."""
    scope.image(x)
    for _ in range(scope.integer(k) % 4):
        x = Tensor(flip_upright(scope, Tensor(transposed(scope, x))))  # type: ignore[arg-type]
    return scope.value(x)
