"""A model's reasoning in the text of its answer, in the spellings of the models."""

import pytest

from switchboard.agents.reasoning import without_reasoning

HARMONY = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hello!<|return|>"


@pytest.mark.parametrize(
    "text",
    [
        "<thinking>hm</thinking>\nHello!",
        "<think>hm</think>Hello!",
        "<THINKING lang='es' >hm</THINKING>\n\nHello!",
        "< thinking >hm</ thinking >Hello!",
        "<thought>hm</thought>Hello!",
        "<reasoning>hm</reasoning>Hello!",
        "<reflection>hm</reflection>Hello!",
        "<scratchpad>hm</scratchpad>Hello!",
        "<inner_monologue>hm</inner_monologue>Hello!",
        "<chain_of_thought>hm</chain_of_thought>Hello!",
        "<thinking_process>hm</thinking_process>Hello!",
        "<antThinking>hm</antThinking>Hello!",
        "<seed:think>hm</seed:think>Hello!",
        "[THINK]hm[/THINK]Hello!",
        "◁think▷hm◁/think▷Hello!",
        "＜think＞hm＜/think＞Hello!",
        "&lt;thinking&gt;hm&lt;/thinking&gt;Hello!",
        r"\<thinking\>hm\</thinking\>Hello!",
        "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello!<|END_RESPONSE|>",
        HARMONY,
        "Hello!<|im_end|>",
        "Hello!<｜end▁of▁sentence｜>",
        "<thinking/>Hello!",
        "<thinking></thinking>Hello!",
        "<thinking>hm</think>Hello!",
        "<thinking>hm</thinking><response>Hello!</response>",
        "<thinking>hm</thinking>\n<final_answer>Hello!",
        "Hello!</answer>\n",
    ],
)
def test_only_the_answer_is_left(text: str) -> None:
    assert without_reasoning(text) == "Hello!"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>one</think>We open at nine. <think>two</think>See you!", "We open at nine. See you!"),
        ("<think>a<think>b</think>c</think>Hello!", "Hello!"),
        ("They ask for the hours.</think>\nHello!", "Hello!"),
        ("Hello!\n<thinking>They want", "Hello!"),
        ("Hello! We op<thinking>They want", "Hello!"),
        ("Hello!\n<thinking", "Hello!"),
        ("<thinking>They want to know. So", ""),
        ("<thinking>hm</thinking>", ""),
        ('<thinking>They ask what "<thinking>" is.</thinking>A tag.', "A tag."),
    ],
)
def test_several_unclosed_and_unopened_ones_are_taken_out(text: str, left: str) -> None:
    assert without_reasoning(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "`<thinking>` is a tag.",
        "Write `<think>` before and `</think>` after it.",
        'We use no “<thinking>” tags, and no "<thought>" either.',
        "I think 3 < 5 and 7 > 5.",
        "We love bikes <3",
        "<b>Open</b> from nine.",
        "A [thinking] person's bike.",
    ],
)
def test_what_an_answer_speaks_of_stays(text: str) -> None:
    assert without_reasoning(text) == text
