"""A declared assistant as the `Agent` of a turn: history and messages in, a reply, a handoff or nothing out.

Every error of the model and of a tool becomes `Transient`, `ModelMisconfigured` or `Permanent`. Its text names the
turn, the type of the error and where it was raised, never the error's own text: providers quote the request there, and
with it what a customer wrote.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import override
from zoneinfo import ZoneInfo

from pydantic_ai import RunContext, UsageLimits
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import BinaryContent, ModelResponse, ToolCallPart
from pydantic_ai.models import Model, ModelRequestContext
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RunUsage

from switchboard.agent import Answer, Question
from switchboard.agents.answer_rules import AnswerRules
from switchboard.agents.assistant import HANDOFF, NO_REPLY, OPT_OUT, Assistant, Deps, Handoff, NoReply, OptOut, Run
from switchboard.agents.effects import Account, EffectsFirst, effect_tools
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.failures import Verdict, cause, judge
from switchboard.agents.files import ShowFiles, read_files, transcripts
from switchboard.agents.guard import Guard
from switchboard.agents.history import HOW_TO_READ_NOTES, has_notes, model_messages, prompt, with_short_results
from switchboard.agents.keys import Keys
from switchboard.agents.model_requests import ShowModelRequests
from switchboard.agents.model_run import ModelRun, ModelUse
from switchboard.agents.models import ASSISTANT_FALLBACK_MODEL, OFFLINE, knows_summaries, model_named
from switchboard.agents.places import describe
from switchboard.agents.summary import summarize, within
from switchboard.agents.tool_calls import ShowToolCalls, told_calls
from switchboard.agents.watching import show_traceback
from switchboard.errors import ModelMisconfigured, Permanent, SwitchboardError, Transient
from switchboard.tokens import MAX_MESSAGES_TOKENS, MAX_PROMPT_TOKENS, keep_newest

# Of one turn. The tokens are those of six requests with the longest prompt, and a quarter more for instructions.
LIMITS = UsageLimits(request_limit=6, tool_calls_limit=20, total_tokens_limit=MAX_PROMPT_TOKENS * 6 * 5 // 4)

_ANSWERS = frozenset(map(str, (HANDOFF.name, NO_REPLY.name, OPT_OUT.name)))  # tools by which a model answers


def _ignore(_use: ModelUse) -> None:
    """Be the report of an agent whose use of the model nobody counts."""


def from_assistant(
    assistant: Assistant,
    *,
    model: str,
    fallback_model: str = "",
    keys: Keys | None = None,
    report: Callable[[ModelUse], object] | None = None,
    allowed_link_hosts: Collection[str] = (),
) -> "PydanticAIAgent":
    """Return the agent of an assistant, one for the process; raise `Misconfigured` for a model that cannot be used.

    `report` is called with what each attempt used, from the attempt's thread: not of the offline model, which is free.
    """
    return PydanticAIAgent(
        assistant=assistant,
        model=model_named(model, keys=keys),
        fallback_model=(
            model_named(fallback_model, keys=keys, setting=ASSISTANT_FALLBACK_MODEL) if fallback_model else None
        ),
        loop=EventLoopThread(),
        report=_ignore if model == OFFLINE or report is None else report,
        allowed_link_hosts=frozenset(allowed_link_hosts),
        summarizes=knows_summaries(model),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PydanticAIAgent:
    """The `Agent` over pydantic-ai. Several turns may ask at the same time, each from its own thread."""

    assistant: Assistant
    model: Model
    loop: EventLoopThread
    fallback_model: Model | None = None
    report: Callable[[ModelUse], object] = _ignore
    allowed_link_hosts: frozenset[str] = frozenset()  # empty: links to every host are sent
    summarizes: bool = True  # by the model; else the turn makes summaries by rule

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`; after that, cancel the run and raise `Transient`."""
        failures, guard = _Failures(), self._guard(question)
        models = ModelRun(first=self.model, fallback=self.fallback_model, timeout_seconds=question.timeout_seconds)
        answering = self._run(question, failures, models, guard)
        if question.to_summarize and self.summarizes:
            answering = self._with_summary(answering, question, models)
        run = self.loop.run(answering, timeout=question.timeout_seconds)
        self.report(models.use(question.turn))
        if run.cancelled() and guard.too_long is not None:
            return _answer(guard.too_long, turn=question.turn)
        if run.cancelled():
            raise Transient(f"{question.turn}: no answer within {question.timeout_seconds:.0f} s")
        if (error := run.exception()) is not None:
            show_traceback(error, turn=question.turn)
            raise _failure(error, turn=question.turn, model_errors=failures.of_model)
        return run.result()

    async def _with_summary(
        self, answering: Coroutine[object, object, Answer], question: Question, models: ModelRun
    ) -> Answer:
        """Have the model summarise older history while it answers; where that fails, the answer has no summary."""
        clock = asyncio.get_running_loop().time
        ends = clock() + question.timeout_seconds
        summary = asyncio.create_task(summarize(question.to_summarize, model=self.model, usage=models.usage_beside))
        try:
            answer = await answering
            text, models.summary_failed = await within(summary, seconds=(ends - clock()) / 2)
            return replace(answer, summary=text)
        finally:
            summary.cancel()

    async def _run(self, question: Question, failures: "_Failures", models: ModelRun, guard: Guard) -> Answer:
        """Ask the model. Where an answer that was too long is all there is, return it.

        Where files may be why the model refuses the request, it is asked once more without them.
        """
        account = Account.read(question.effects.so_far) if question.effects and question.effects.so_far else None
        files = await read_files(question, [self.model, *([self.fallback_model] if self.fallback_model else ())])
        said = [] if account else await transcripts(question, self.assistant.transcribe)
        prompted = None if account else prompt(keep_newest([*question.messages, *said], MAX_MESSAGES_TOKENS))
        try:
            return await self._ask(question, prompted, account, files, models.usage, failures, models, guard)
        except Exception as error:
            if guard.too_long is not None:
                return _answer(guard.too_long, turn=question.turn)
            if not files or _has_begun(question) or not _is_of_the_request(error, failures.of_model):
                raise
        failures.of_model.clear()
        return await self._ask(question, prompted, account, [], models.usage_beside, failures, models, guard)

    async def _ask(
        self,
        question: Question,
        prompted: str | None,
        account: Account | None,
        files: Sequence[BinaryContent],
        usage: RunUsage,
        failures: "_Failures",
        models: ModelRun,
        guard: Guard,
    ) -> Answer:
        history = account.messages if account else model_messages(question.history)
        responses = account.responses_before if account else sum(isinstance(each, ModelResponse) for each in history)
        came_since = account.not_asked(question.messages) if account else ()
        effects = effect_tools(self.assistant.agent)
        run = await self.assistant.agent.run(
            prompted,
            message_history=history,
            instructions=HOW_TO_READ_NOTES if has_notes(history) else None,
            deps=self._deps(question, responses_before=responses),
            model=models.model(),
            usage=usage,
            usage_limits=LIMITS,
            capabilities=[
                failures,
                _ShortResults(after=responses),
                EffectsFirst(tools=effects, came_since=came_since),
                ShowFiles(files=files, after=responses),
                guard,
                ShowToolCalls(),
                ShowModelRequests(),
            ],
        )
        calls = told_calls(run.all_messages(), after=responses, besides={*effects, *_ANSWERS})
        return replace(_answer(run.output, turn=question.turn), calls=tuple(calls))

    def _guard(self, question: Question) -> Guard:
        rules = AnswerRules(secret_phrases=self.assistant.secret_phrases, allowed_link_hosts=self.allowed_link_hosts)
        return Guard(rules=rules, max_characters=question.max_characters)

    def _deps(self, question: Question, *, responses_before: int) -> Deps:
        return Deps(
            turn=question.turn,
            knowledge=self.assistant.knowledge,
            conversation=question.conversation,
            customer=question.customer,
            now=question.now.astimezone(ZoneInfo(self.assistant.time_zone)),
            media=question.media,
            address=question.address if self.assistant.tools_see_address else "",
            run=Run(effects=question.effects, asked=question.messages, responses_before=responses_before),
        )


@dataclass
class _Failures(AbstractCapability[Deps]):
    """What failed in one run. The model's errors are kept: its 401 is the operator's to mend, a tool's is not."""

    of_model: list[Exception] = field(default_factory=list)

    @override
    async def on_model_request_error(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        self.of_model.append(error)
        raise _with_its_context(error)

    @override
    async def on_tool_execute_error(
        self,
        ctx: RunContext[Deps],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, object],
        error: Exception,
    ) -> object:
        raise _with_its_context(error)


@dataclass
class _ShortResults(AbstractCapability[Deps]):
    """What the model is shown of the results of tools: it is limited, however much they return."""

    after: int  # responses of the model that are in the history

    @override
    async def before_model_request(
        self, ctx: RunContext[Deps], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        request_context.messages = with_short_results(request_context.messages, after=self.after)
        return request_context


def _with_its_context(error: Exception) -> Exception:
    """Make the context of an error its cause: on the way out pydantic-ai hides the one, and leaves the other alone."""
    error.__cause__ = cause(error)
    return error


def _answer(output: object, *, turn: str) -> Answer:
    if isinstance(output, Answer):
        return output
    if isinstance(output, NoReply):
        return Answer(no_reply=True)
    if isinstance(output, OptOut):
        return Answer(opt_out=True)
    if isinstance(output, Handoff):
        return Answer(text=output.reply, handoff=True)
    if isinstance(output, str):
        return Answer(text=output)
    raise Permanent(  # a bare agent's output type is any
        f"{turn}: the output of the agent is {type(output).__name__}: "
        "output_type takes str, Answer, HANDOFF, NO_REPLY, OPT_OUT"
    )


def _has_begun(question: Question) -> bool:
    """Tell whether the turn has changed something outside: then nothing is asked anew."""
    return question.effects is not None and bool(question.effects.so_far)


def _is_of_the_request(error: Exception, model_errors: Sequence[BaseException]) -> bool:
    """Tell whether the model refuses this request, or it went past the limits: not one that passes, nor an answer."""
    if isinstance(error, SwitchboardError):
        return False
    return judge(error, model_errors=model_errors)[0] is Verdict.PERMANENT


def _failure(error: BaseException, *, turn: str, model_errors: Sequence[BaseException]) -> SwitchboardError:
    """Return what the turn is told: an error of ours as it is, of another its type and place, and who mends it."""
    if isinstance(error, Transient | Permanent):
        return error
    verdict, decisive = judge(error, model_errors=model_errors)
    text = f"{turn}: the agent failed with {describe(error)}"
    if decisive is not error:
        text += f", because of {describe(decisive, with_place=False)}"
    match verdict:
        case Verdict.MISCONFIGURED:
            return ModelMisconfigured(
                f"{text}: the model refuses us; look at ASSISTANT_MODEL, and at the key or role, access and quota"
            )
        case Verdict.LATER:
            return Transient(text)
        case Verdict.PERMANENT:
            return Permanent(text)
