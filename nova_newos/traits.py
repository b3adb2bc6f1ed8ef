# SPDX-License-Identifier: Apache-2.0
"""Placement traits of this project."""

#: Reported by compute nodes whose driver can keep install servers. A stock
#: node would lose ``disk.newos`` of a server that moved there.
INSTALLS = 'CUSTOM_NOVA_NEWOS'
