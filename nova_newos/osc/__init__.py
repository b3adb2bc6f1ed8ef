# SPDX-License-Identifier: Apache-2.0
"""``openstack golden ...``: thin commands.

They are over :mod:`nova_newos.build` and :mod:`nova_newos.registry`.
"""
