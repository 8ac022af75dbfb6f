"""What an assistant knows: the chunks of a folder of Markdown files, and the search that finds them."""

from switchboard.agents.knowledge.chunks import Chunk
from switchboard.agents.knowledge.search import Knowledge

__all__ = ["Chunk", "Knowledge"]
