# SPDX-License-Identifier: Apache-2.0
"""Record the installed Nova: ``python -m tests.contract``."""

import sys

from tests.contract import record

sys.exit(record.write())
