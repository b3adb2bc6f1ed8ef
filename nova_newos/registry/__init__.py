# SPDX-License-Identifier: Apache-2.0
"""Golden images as a user's cloud has them: whether they are what they say."""
