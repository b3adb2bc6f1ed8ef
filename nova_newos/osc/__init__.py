# SPDX-License-Identifier: Apache-2.0
"""``openstack golden ...``: thin commands over :mod:`nova_newos.build`."""
