"""`make bench`: ratios, each against a reference measured in the same run. Nothing passes or fails by them."""

from rich.console import Console
from rich.table import Table

from bench import batch, cold, list_latency, warm, webhook_latency

MEASURES = (
    ("cold start of the built webhook function / boto3.client('sqs')", cold.measure, "≤ 1.3"),
    ("warm webhook call / one RequestValidator.validate", warm.measure, "≤ 4.0"),
    ("batch of 10 conversations, agent waits 1 s / one such turn", batch.measure, "≤ 1.2"),
    ("emulator: list 20 messages among 1,000 conversations / among 10", list_latency.measure, "≤ 2"),
    ("emulator: a text's webhook at a local site / one bare POST there", webhook_latency.measure, "20 ms"),
)


def main() -> None:
    """Measure everything and print one table."""
    table = Table("what", "ours", "reference", "ratio", "aim", box=None)
    for what, measure, aim in MEASURES:
        expected, reference = measure()
        table.add_row(what, f"{expected * 1e3:.3f} ms", f"{reference * 1e3:.3f} ms", f"{expected / reference:.2f}", aim)
    Console(width=120).print(table)


main()
