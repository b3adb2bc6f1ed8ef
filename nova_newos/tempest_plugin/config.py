# SPDX-License-Identifier: Apache-2.0
"""The options of the tests in ``tempest.conf``."""

from oslo_config import cfg

newos_group = cfg.OptGroup(
    'newos',
    title='Servers that are installed from installer ISOs',
)

newos_opts = [
    cfg.StrOpt(
        'install_iso',
        help="""
The installer ISO: id of an image that the tests' users can read, or absolute
path of a file that the tests upload.

It must install without being asked anything, given ``answers``, and must power
off at the end. What is installed must stay up. All tests are skipped without.
""",
    ),
    cfg.DictOpt(
        'install_iso_properties',
        default={},
        help="""
Properties of the image that the tests upload, as ``name:value``. An image that
is given by its id has its own.
""",
    ),
    cfg.StrOpt(
        'answers',
        help="""
Absolute path of a file with the answers for the installer, which install
servers get as their user data. Without, they have no user data.
""",
    ),
    cfg.StrOpt(
        'flavor_ref',
        help="""
Id of the flavor of install servers and of those made from their images.
Without, ``[compute] flavor_ref``.
""",
    ),
    cfg.StrOpt(
        'flavor_ref_alt',
        help="""
Id of the flavor that an install server is resized to; its root disk may not be
smaller. Without, ``[compute] flavor_ref_alt``.
""",
    ),
    cfg.IntOpt(
        'build_timeout',
        default=3600,
        min=1,
        help="""
Seconds in which an installation ends, from the start of the installer until
the server is ``SHUTOFF``. The same is given to the making of an image.
""",
    ),
    cfg.StrOpt(
        'installed_pattern',
        help="""
Regular expression for what the installed system, and not the installer, says
on its console, like ``login:``. Without, ``ACTIVE`` is all that is waited for.

Related: ``[compute-feature-enabled] console_output``
""",
    ),
    cfg.StrOpt(
        'identity_pattern',
        help=r"""
Regular expression for what the installed system says on its console that no
other host may have, like ``machine-id: (\w+)``. If it has groups, they are
compared. It should be said before what ``installed_pattern`` finds. Needed to
test sealed images.

Related: ``[newos-feature-enabled] seal``
""",
    ),
]

newos_feature_group = cfg.OptGroup(
    'newos-feature-enabled',
    title='What the cloud does beyond installing servers',
)

newos_feature_opts = [
    cfg.BoolOpt(
        'seal',
        default=False,
        help="""
Whether images are sealed for those who ask for it, and whether the ISO
installs a system that can be sealed.
""",
    ),
    cfg.BoolOpt(
        'iso_properties_on_import',
        default=False,
        help='Whether Glance says what an imported ISO is (glance-direct).',
    ),
    cfg.BoolOpt(
        'iso_properties_on_upload',
        default=False,
        help='Whether Glance says what a directly uploaded ISO is (PUT).',
    ),
]

#: Of register_opts() and get_opt_lists().
GROUPS = [
    (newos_group, newos_opts),
    (newos_feature_group, newos_feature_opts),
]
