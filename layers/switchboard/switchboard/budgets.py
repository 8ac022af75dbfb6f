"""Budgets: how many turns a customer and a day may cost, and what the customer reads at the limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """How many turns were answered today, for this customer and for all customers.

    `limit_notice_sent`: this customer has read the limit sentence today.
    """

    by_customer: int = 0
    by_all: int = 0
    limit_notice_sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many turns a day may have. Turns that run at the same time may exceed it by their number."""

    turns_by_customer: int
    turns_by_all: int
    sentence: str

    def is_used_up(self, spent: Spent) -> bool:
        """Tell whether no further turn may be answered today."""
        return spent.by_customer >= self.turns_by_customer or spent.by_all >= self.turns_by_all
