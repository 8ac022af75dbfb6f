"""One turn: claim · gather · gate · think · freeze · send · record · settle, and resume. A module a step."""
