# SPDX-License-Identifier: Apache-2.0
"""What the box tells its user instead of a traceback."""


class BoxError(Exception):
    """Something the user can put right; the message says how."""
