"""English words that a search leaves out, because they say nothing about what is asked."""

_WORDS = """
a about actually after again all also always am an and any anybody anyone anything are as ask at away be because
been before being but by can cannot come could couldn currently day did didn do does doesn doing don else even ever
every for from further get gets getting give go goes going good got had has hasn have haven having he hello help her
here hers hey hi him his how however i if in information into is isn it its just kind kindly know let like little ll
long looking lot m made make many may maybe me mean might mine more morning most much must my need needs no nor not
now of off often ok okay on once one only or other our ours out over own people please possible question quick re really
right s same say see shall she should show so some somebody someone something soon still such sure t tell than
thank thanks that the their theirs them then there these they thing things think this those through time to today
together tomorrow tonight too u under until up us use usually ve very want wanted was wasn way we well went were
what whats when where whether which while who whom whose why will with won wonder wondering would yes yet you your
yours yourself
"""

STOP_WORDS = frozenset(_WORDS.split())
