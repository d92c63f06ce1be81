"""The regions of fractional pooling: what TensorFlow draws from the same seed, and what every draw must be."""

import pytest

from engine.errors import GraphError
from engine.ir.fractional import fractional_regions
from engine.ir.ops import Regions

TENSORFLOW = {
    (True, 1): ([0, 2, 4, 5, 7, 9, 10, 12, 13, 15, 16, 18, 19, 20], [0, 2, 4, 6, 8, 10, 12, 13, 15, 17]),
    (False, 1): ([0, 1, 2, 4, 6, 7, 8, 10, 12, 14, 16, 18, 19, 20], [0, 2, 4, 5, 7, 9, 11, 13, 15, 17]),
    (True, 123456): ([0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 17, 18, 20], [0, 2, 4, 6, 8, 10, 12, 13, 15, 17]),
    (False, 123456): ([0, 1, 3, 4, 6, 7, 9, 11, 13, 14, 15, 17, 19, 20], [0, 2, 4, 6, 8, 9, 11, 13, 15, 17]),
}
"""Ends of rows and columns by (pseudo_random, seed), for 20 × 17 and ratios 1.44 and 1.73."""


def ends(regions: Regions) -> list[int]:
    return [*(begin for begin, _ in regions), regions[-1][1]]


@pytest.mark.parametrize(("pseudo_random", "seed"), TENSORFLOW)
def test_regions_are_tensorflows(pseudo_random: bool, seed: int) -> None:
    found = fractional_regions((20, 17), (1.44, 1.73), pseudo_random=pseudo_random, overlapping=False, seed=seed)
    assert tuple(map(ends, found)) == TENSORFLOW[pseudo_random, seed]


@pytest.mark.parametrize("pseudo_random", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_regions_cover_the_axis_in_steps_that_differ_by_one(pseudo_random: bool, seed: int) -> None:
    for regions in fractional_regions((31, 12), (1.5, 2.3), pseudo_random=pseudo_random, overlapping=False, seed=seed):
        steps = [end - begin for begin, end in regions]
        assert regions[0][0] == 0
        assert [end for _, end in regions[:-1]] == [begin for begin, _ in regions[1:]]
        assert max(steps) - min(steps) <= 1
    assert regions[-1][1] == 12


def test_overlapping_regions_share_one_element() -> None:
    options = {"pseudo_random": True, "seed": 3}
    (apart, _), (shared, _) = (
        fractional_regions((10, 10), (1.5, 1.5), overlapping=overlapping, **options)  # type: ignore[arg-type]
        for overlapping in (False, True)
    )
    assert shared == tuple((begin, min(end + 1, 10)) for begin, end in apart)


@pytest.mark.parametrize("ratio", [0.5, 11.0, -1.0])
def test_impossible_ratios(ratio: float) -> None:
    with pytest.raises(GraphError, match="times smaller"):
        fractional_regions((10, 10), (1.5, ratio), pseudo_random=True, overlapping=False, seed=1)
