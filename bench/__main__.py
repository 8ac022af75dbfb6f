"""`make bench`: ratios to references that are measured in the same run. No figure fails the command."""

from rich.console import Console
from rich.table import Table

from bench import agent_imports, batch, cold, first_paint, history, list_latency, warm, webhook_latency

MEASURES = (
    ("cold start of the built webhook function / boto3.client('sqs')", cold.measure, "≤ 1.3"),
    (
        "the built agent function's imports / pydantic_ai's and four boto3 clients'",
        agent_imports.measure,
        "≤ 1.1",
    ),
    ("warm webhook call / one RequestValidator.validate", warm.measure, "≤ 4.0"),
    ("batch of 10 conversations, agent waits 1 s / one such turn", batch.measure, "≤ 1.2"),
    ("our CPU time to read the history after 500 turns / after 5", history.measure, "≤ 1.2"),
    ("emulator: list 20 messages among 1,000 conversations / among 10", list_latency.measure, "≤ 2"),
    ("emulator: a message's webhook to a local site / one plain POST there", webhook_latency.measure, "20 ms"),
    ("first paint of the page of `make run`, in Chromium / 300 ms", first_paint.measure, "≤ 1"),
)


def main() -> None:
    """Measure everything and print one table."""
    table = Table("what", "ours", "reference", "ratio", "aim", box=None)
    for what, measure, aim in MEASURES:
        ours, reference = measure()
        table.add_row(what, f"{ours * 1e3:.3f} ms", f"{reference * 1e3:.3f} ms", f"{ours / reference:.2f}", aim)
    Console(width=120).print(table)


main()
