# SPDX-License-Identifier: Apache-2.0
"""What glance-api loads of nova-newos: what an uploaded ISO is."""
