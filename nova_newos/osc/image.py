# SPDX-License-Identifier: Apache-2.0
"""``openstack golden image lineage`` and ``revoke``."""

from osc_lib.command import command

from nova_newos.osc import base
from nova_newos.registry import glance
from nova_newos.registry import lineage
from nova_newos.registry import revoking
from nova_newos.registry import servers


def _add_image(parser):
    parser.add_argument('image', metavar='<image>', help='Name or ID')


class LineageImage(base.Command, command.Lister):
    """Show what an image came from, and what came from it."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_image(parser)
        parser.add_argument(
            '--servers',
            action='store_true',
            help='And the servers made from it and from what came from it',
        )
        return parser

    def take_action(self, args):
        """One row an image or server."""
        image = glance.find(self.cloud, args.image)
        found = lineage.trace(self.cloud, image)
        if lineage.is_cut(found):
            base.say(
                f'there is more: only {lineage.LIMIT} images are shown in '
                'each direction'
            )
        rows = []
        known = servers.Servers(self.cloud)
        for relative in found:
            rows.append(_row(relative))
            if args.servers and relative.distance >= 0:
                rows += [
                    (
                        relative.distance + 1,
                        'server',
                        server.id,
                        base.Text(server.name),
                        server.status,
                    )
                    for server in known.of(relative.id)
                ]
        return ('distance', 'relation', 'id', 'name', 'about'), rows


def _row(relative):
    name = relative.image['name'] if relative.image else ''
    return (
        relative.distance,
        relative.relation or 'itself',
        relative.id,
        base.Text(name or ''),
        base.Text(lineage.describe(relative.image)),
    )


class RevokeImage(base.Command):
    """Have nobody boot an image any more, and say why on it."""

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_image(parser)
        parser.add_argument(
            '--reason', metavar='<text>', required=True, help='Why'
        )
        parser.add_argument(
            '--hide',
            action='store_true',
            help='Hide it too, also where you may not deactivate it',
        )
        return parser

    def take_action(self, args):
        """Deactivate and mark it."""
        image_id = glance.find(self.cloud, args.image)['id']
        if not revoking.revoke(self.cloud, image_id, args.reason, args.hide):
            base.say(
                f'{image_id} is marked and hidden, but you may not deactivate '
                'it here: whoever knows its ID can still boot it until an '
                'administrator runs "openstack image set --deactivate '
                f'{image_id}"'
            )
