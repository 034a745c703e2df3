"""One hypothesis profile for the suite: no deadlines, moderate work, the same examples in CI."""

import os

from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

settings.register_profile(
    "partsum",
    deadline=None,
    max_examples=60,
    derandomize=IN_CI,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("partsum")
