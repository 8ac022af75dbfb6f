"""What a mutant is, and which tests must notice it."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
LAYER = "layers/switchboard/switchboard"

# The tests that must notice a broken file are those of the longest path that it begins with. Each line is one run of
# pytest; the next one runs only if nobody noticed. The quick ones come first, the proofs where they must.
type Runs = tuple[tuple[str, ...], ...]

# Without those of agents and evals, which take as long as all others.
UNIT = tuple(
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / "tests" / "unit").iterdir())
    if path.name not in {"agents", "evals"} and (path.is_dir() or path.suffix == ".py") and path.name[0] != "_"
)
SCHEDULES = ("tests/simulation/test_schedules.py::test_five_hundred_schedules_keep_every_promise",)
PROOFS = tuple(f"tests/simulation/test_{name}.py" for name in ("plans", "schedules", "outage", "lost_webhooks"))
WEBHOOK = ("tests/functional/test_webhook_function.py",)
STORES = tuple(
    f"tests/functional/test_{name}.py"
    for name in (
        "turn_store",
        "lifecycle_store",
        "notice_store",
        "budget_store",
        "sweep_index",
        "owner_index",
        "dynamodb_client",
        "aws_answers",
        "aws_errors",
    )
)
WEB_PROCESS = (("tests/unit/test_worker.py",), ("tests/simulation/test_web_process.py",))
NOTICED_BY: dict[str, Runs] = {
    LAYER: (UNIT, PROOFS),
    f"{LAYER}/turn": (("tests/unit/turn",), PROOFS, UNIT),
    f"{LAYER}/agents/fetched_files.py": (("tests/functional/test_fetched_files.py",),),
    f"{LAYER}/agents/history.py": (("tests/unit/agents/test_history.py",),),
    f"{LAYER}/aws/dynamodb": (STORES,),
    f"{LAYER}/bootstrap/clients.py": (("tests/functional/test_dynamodb_client.py",),),
    f"{LAYER}/aws/sqs": (("tests/unit/aws",), WEBHOOK, ("tests/functional/test_aws_answers.py",)),
    f"{LAYER}/aws/eventbridge.py": (("tests/functional/test_event_bus.py",),),
    f"{LAYER}/bootstrap/sweeper.py": (("tests/functional/test_sweeper_function.py",),),
    f"{LAYER}/aws/sqs/batch_plan.py": (("tests/unit/aws",), PROOFS),
    f"{LAYER}/twilio/webhook": (("tests/unit/twilio",), WEBHOOK),
    f"{LAYER}/twilio/rest/conversations.py": (
        ("tests/functional/test_owner_attribute.py",),
        ("tests/functional/test_twilio_requests.py",),
        ("tests/functional/test_twilio_rest.py",),
    ),
    f"{LAYER}/twilio/rest/media.py": (("tests/functional/test_media.py",),),
    f"{LAYER}/twilio/rest/messages.py": (
        ("tests/functional/test_twilio_requests.py",),
        ("tests/functional/test_twilio_rest.py",),
        ("tests/functional/test_whatsapp_window.py",),
    ),
    f"{LAYER}/twilio/rest": (("tests/functional/test_twilio_requests.py",), ("tests/functional/test_twilio_rest.py",)),
    f"{LAYER}/twilio/fields.py": (("tests/unit/twilio",), WEBHOOK),
    f"{LAYER}/worker.py": WEB_PROCESS,
    f"{LAYER}/stores": (("tests/unit/stores",), *WEB_PROCESS),
    f"{LAYER}/provider.py": (("tests/functional/test_provider.py",), ("tests/functional/test_whatsapp_window.py",)),
    "functions": (WEBHOOK,),
    "functions/agent": (("tests/functional/test_lease.py",),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule taken out: `old` stands once in `file`, and becomes `new`.

    `breaks` names an invariant of the proofs, which must notice it itself; the schedules are tried first.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def runs(self) -> Runs:
        """The tests that must notice it; those named after its module are before all others."""
        if self.breaks:
            return (SCHEDULES, PROOFS)
        runs = NOTICED_BY[max((path for path in NOTICED_BY if self.file.startswith(path)), key=len)]
        return (*((path,) for path in _named_after(Path(self.file).stem, runs)), *runs)


def _named_after(module: str, runs: Runs) -> list[str]:
    """Return the test files of some runs that have a module's name."""
    given = [ROOT / path for paths in runs for path in paths]
    files = {file for path in given for file in ([path] if path.is_file() else path.rglob("test_*.py"))}
    return sorted(str(file.relative_to(ROOT)) for file in files if file.name == f"test_{module}.py")
