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
# The subset that is run again under each instruction set.
settings.register_profile("partsum-isa", settings.get_profile("partsum"), max_examples=25)
settings.load_profile(os.environ.get("PARTSUM_HYPOTHESIS_PROFILE", "partsum"))
