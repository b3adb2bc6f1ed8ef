# SPDX-License-Identifier: Apache-2.0
"""What a server is about to be installed as."""

from nova_newos.virt import install
from tests.unit.virt import fakes


def propose(instance, meta=None, media=(), volume_root=False):
    found = install.propose(
        fakes.Media(*media), instance, meta or instance.image_meta, volume_root
    )
    return found and found.layout
