# SPDX-License-Identifier: Apache-2.0
"""The registry: golden images in Glance, by families, and what they say."""
