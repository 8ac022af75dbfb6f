"""No test speaks to a real model, and none is timed."""

import pydantic_ai.models
from hypothesis import HealthCheck, settings

pydantic_ai.models.ALLOW_MODEL_REQUESTS = False
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
