# SPDX-License-Identifier: Apache-2.0
"""Upgrade checks: what they answer, and the command that runs them."""

import sys

from oslo_upgradecheck import upgradecheck


def success(details=None):
    return upgradecheck.Result(upgradecheck.Code.SUCCESS, details)


def warning(details):
    return upgradecheck.Result(upgradecheck.Code.WARNING, details)


def failure(details):
    return upgradecheck.Result(upgradecheck.Code.FAILURE, details)


def run(project, checks, argv=None, **kwargs):
    """Run checks as a command of a project.

    :param project: whose configuration files are read
    :param checks: an ``oslo_upgradecheck.upgradecheck.UpgradeCommands`` with
        its configuration as ``conf``
    :param argv: without the name of the command, list of str
    :param kwargs: more of ``upgradecheck.main``
    :returns: 0 all is well, 1 there are warnings, 2 there are failures, 255
        the checks themselves failed
    """
    return upgradecheck.main(
        checks.conf,
        project=project,
        upgrade_command=checks,
        argv=sys.argv[1:] if argv is None else argv,
        **kwargs,
    )
