# SPDX-License-Identifier: Apache-2.0
"""What a benchmark tells its user instead of a traceback."""


class BenchmarkError(Exception):
    """Nothing can be measured; the message says what to change."""
