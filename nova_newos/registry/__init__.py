# SPDX-License-Identifier: Apache-2.0
"""The registry: golden images in Glance, by families, and what they say.

A family is what Glance has of it: images with its name among their
properties. There is no other store, and no service.
"""
