# SPDX-License-Identifier: Apache-2.0
"""Stock Nova beside this driver, in one run."""
