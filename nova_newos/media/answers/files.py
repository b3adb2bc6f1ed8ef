# SPDX-License-Identifier: Apache-2.0
"""What goes onto the answer CD."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class File:
    """One file of the CD.

    :ivar path: from the root of the CD, parts separated by slashes, no slash
        at the beginning
    :ivar data: its bytes
    :ivar executable: whether a Unix guest may run it off the CD
    """

    path: str
    data: bytes
    executable: bool = False
