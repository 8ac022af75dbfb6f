"""How often what changes is looked at."""

import pytest

from local.page.changes import pause_after


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.1), (0.2, 0.3), (5.0, 1.0)])
def test_a_look_that_takes_long_is_not_taken_again_at_once(took: float, pause: float) -> None:
    assert pause_after(took) == pytest.approx(pause)
