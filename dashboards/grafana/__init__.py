"""The Grafana board as code, with what Grafana needs to find it."""

import warnings

with warnings.catch_warnings():
    # the SDK would rather write schema v2; the classic JSON is the one that every Grafana reads
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import barchart, dashboard  # noqa: F401
