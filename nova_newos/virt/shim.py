# SPDX-License-Identifier: Apache-2.0
"""What nova-newos-link-driver links into Nova as ``nova.virt.newos``.

Nova loads a driver by its name below ``nova.virt``; this makes
``compute_driver = newos.NewosLibvirtDriver`` work without a file of ours in
Nova's package.
"""

from nova_newos.virt.driver import NewosLibvirtDriver

__all__ = ('NewosLibvirtDriver',)
