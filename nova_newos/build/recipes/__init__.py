# SPDX-License-Identifier: Apache-2.0
"""Recipes: what a build needs, as a file, and shared in Glance.

A recipe is a YAML document, see ``recipe.schema.json``. In Glance it is the
data of a small hidden image. Whoever can see that can build from it, so each
recipe is read as hostile: bounded, checked, and printed without control
characters.
"""
