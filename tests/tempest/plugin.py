# SPDX-License-Identifier: Apache-2.0
"""Our plug-in for Tempest on the one box: python -m tests.tempest.plugin."""

import argparse
import os
import pathlib
import subprocess
import sys

from devstack.onebox import client
from tests.tempest import setting
from tests.upstream import outcomes

COMMANDS = pathlib.Path(sys.executable).parent
TESTS = r'^nova_newos\.tempest_plugin\.'
SHORT = TESTS + r'.*\[.*\bsmoke\b'
# Two tests at a time: most of what they do is wait.
WORKERS = '2'
#: What the template of tempest.conf says of the ISOs that the box makes.
ISOS = {
    'probe': r"""
[newos]
install_iso = %s
installed_pattern = probe: booted-from=disk

[newos-feature-enabled]
iso_properties_on_import = true
iso_properties_on_upload = true
""",
    'debian': r"""
[newos]
install_iso = %s
flavor_ref = $flavor_large
installed_pattern = login:
identity_pattern = (?:machine-id|host key): +(\S.*?) *$$

[newos-feature-enabled]
seal = true
""",
}


def run(directory, tests=SHORT, output=subprocess.PIPE):
    """Run tests of the plug-in.

    :param directory: of setting.prepared()
    :param tests: regular expression
    :param output: where Tempest says what it does
    :returns: outcomes by id, and what Tempest said if it was not elsewhere
    """
    process = subprocess.run(
        [
            COMMANDS / 'tempest',
            'run',
            *('--config-file', directory / 'tempest.conf'),
            *('--concurrency', WORKERS, '--regex', tests),
        ],
        cwd=directory,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        # Each request with each failure: tempest.log has them.
        env={**os.environ, 'OS_LOG_CAPTURE': '0'},
        # Its exit status says no more than the outcomes do.
        check=False,
    )
    return outcomes.read(COMMANDS, directory), process.stdout


def settings(iso):
    """What tempest.conf says of an ISO, which is made if need be."""
    return ISOS[iso] % client.medium(iso)


def main():
    parser = argparse.ArgumentParser(prog='python -m tests.tempest.plugin')
    parser.add_argument('--iso', choices=ISOS, default='probe')
    parser.add_argument('--junitxml', type=pathlib.Path)
    parser.add_argument('tests', nargs='?', default=TESTS)
    options = parser.parse_args()
    box = client.Box.from_environment()
    # A server that leaves rescue has the port of its serial console again,
    # which another server may have got in the meantime.
    with (
        box.configured({'serial_console.enabled': 'false'}),
        setting.prepared('tempest-plugin', settings(options.iso)) as directory,
    ):
        found, _said = run(directory, options.tests, output=None)
    failed = {
        name: 'see the log'
        for name, outcome in found.items()
        if outcome == outcomes.FAILED
    }
    if options.junitxml:
        outcomes.write_junit(options.junitxml, 'tempest-plugin', found, failed)
    passed = outcomes.PASSED in found.values()
    return int(bool(failed) or not passed)


if __name__ == '__main__':
    sys.exit(main())
