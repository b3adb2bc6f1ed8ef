# SPDX-License-Identifier: Apache-2.0
"""What the openstack client asks of a plug-in.

It imports this at every command, whatever the command is: nothing else is
imported here.
"""

API_NAME = 'golden'
API_VERSION_OPTION = 'os_golden_api_version'
API_VERSIONS = {'1': 'nova_newos.osc.plugin'}
DEFAULT_API_VERSION = '1'


def make_client(instance):
    """The connection that builds are made through."""
    return instance.sdk_connection


def build_option_parser(parser):
    """Add the version of these commands, of which there is one."""
    parser.add_argument(
        '--os-golden-api-version',
        metavar='<golden-api-version>',
        default=DEFAULT_API_VERSION,
        choices=list(API_VERSIONS),
        help='Version of the golden image commands (default: 1)',
    )
    return parser
