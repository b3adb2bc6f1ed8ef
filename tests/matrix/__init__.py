# SPDX-License-Identifier: Apache-2.0
"""Which operation was seen where: from test results to the support matrix."""
