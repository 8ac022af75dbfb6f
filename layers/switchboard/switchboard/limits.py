"""Budgets: how much a customer and a day may cost, and what the customer reads when it is used up."""

from dataclasses import dataclass

OVER_BUDGET = "over_budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was spent today, by this customer and by all; `told`: he has read the limit sentence today."""

    by_customer: int = 0
    by_all: int = 0
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many turns a day; turns in flight may exceed it by as many as there are."""

    turns_by_customer: int
    turns_by_all: int
    sentence: str

    def is_used_up(self, spent: Spent) -> bool:
        """Tell whether nothing is left for one more turn."""
        return spent.by_customer >= self.turns_by_customer or spent.by_all >= self.turns_by_all
