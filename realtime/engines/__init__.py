"""What runs the network: one small protocol, one engine per file, and the choice of the best that works here."""

from realtime.engines.choice import ENGINES, EngineChoice, EngineName, choose_engine
from realtime.engines.engine import Engine, EngineUnavailable

__all__ = ["ENGINES", "Engine", "EngineChoice", "EngineName", "EngineUnavailable", "choose_engine"]
