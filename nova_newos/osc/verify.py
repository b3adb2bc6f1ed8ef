# SPDX-License-Identifier: Apache-2.0
"""``openstack golden image verify`` and ``openstack golden image attest``."""

import json
import pathlib

from osc_lib.command import command

from nova_newos.golden import signing_keys
from nova_newos.osc import base
from nova_newos.registry import verification

# Characters of a fact that are shown: more than is in any that is right.
_SHOWN = 500


def _add_image(parser):
    parser.add_argument(
        'image', metavar='<image>', help='The golden image (name or ID)'
    )


def _image(cloud, name):
    found = cloud.image.find_image(name, ignore_missing=False)
    # What a list has of an image may leave properties out.
    return cloud.image.get_image(found.id)


def _shown(text):
    """Text of a stranger as printable ASCII."""
    escaped = text[:_SHOWN].encode('unicode_escape').decode()
    return escaped if len(text) <= _SHOWN else f'{escaped}...'


class VerifyImage(base.Command, command.Lister):
    """Tell whether a golden image is what a compute host has signed.

    The exit status is 1 if anything is not as it was signed.
    """

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_image(parser)
        trusted = parser.add_mutually_exclusive_group(required=True)
        trusted.add_argument(
            '--key',
            metavar='<file>',
            type=pathlib.Path,
            action='append',
            dest='keys',
            help='Ed25519 public key in PEM that is trusted (repeat for more)',
        )
        trusted.add_argument(
            '--trust',
            metavar='<directory>',
            type=pathlib.Path,
            help='Directory with keys that are trusted, *.pem, and those '
            'that are not any more, revoked/*.pem',
        )
        parser.add_argument(
            '--download',
            action='store_true',
            help="Download the image too, instead of relying on Glance's "
            'digest',
        )
        return parser

    def run(self, parsed_args):
        """Show what was found, and answer with the exit status."""
        self._is_as_signed = False
        return super().run(parsed_args) or int(not self._is_as_signed)

    def take_action(self, args):
        """Each fact, and whether it is as signed."""
        trust = (
            signing_keys.Trust.of_files(args.keys)
            if args.keys
            else signing_keys.Trust.of_directory(args.trust)
        )
        facts = verification.verify(
            self.cloud, _image(self.cloud, args.image), trust, args.download
        )
        self._is_as_signed = verification.is_as_signed(facts)
        return ('fact', 'state', 'detail'), [
            (_shown(fact.name), fact.state.value, _shown(fact.detail))
            for fact in facts
        ]


class AttestImage(base.Command):
    """Print what was signed of a golden image, for tools of others.

    It is an in-toto statement with SLSA provenance, in a DSSE envelope.
    """

    def get_parser(self, prog_name):
        """Arguments."""
        parser = super().get_parser(prog_name)
        _add_image(parser)
        return parser

    def take_action(self, args):
        """Print the envelope."""
        envelope = verification.attest(_image(self.cloud, args.image))
        self.app.stdout.write(json.dumps(envelope, indent=2) + '\n')
