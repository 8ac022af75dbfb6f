"""The stack that is ten times as fast must stay so when turn/timing.py changes; `.ci/run` runs it."""

from local.stack import ROOT
from tests.simulation.real_stage import TIMING, with_shorter_waits


def test_every_wait_that_the_faster_stack_shortens_is_in_the_layer() -> None:
    text = (ROOT / TIMING).read_text()

    assert with_shorter_waits(text) != text
