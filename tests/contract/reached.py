# SPDX-License-Identifier: Apache-2.0
"""Nova's names that our code reaches through objects it is handed.

``uses`` follows imports, ``self`` and ``super()``; what is called on an
argument has to be listed here.
"""

NAMES = (
)
