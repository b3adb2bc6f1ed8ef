# SPDX-License-Identifier: Apache-2.0
"""Which operation was seen where: from test results to the support matrix.

Tests carry the mark ``operation``; tests/conftest.py writes it into their
results; ``python -m tests.matrix`` makes the table of the documentation from
those, or compares them with it.
"""
