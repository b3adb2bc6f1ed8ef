# SPDX-License-Identifier: Apache-2.0
"""Tests of a cloud with nova-newos, for Tempest.

They use the cloud as one of its users does, with that user's rights alone.
Of Tempest they use what its documentation calls stable for plug-ins.
"""
