# SPDX-License-Identifier: Apache-2.0

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'ext'))

project = 'nova-newos'
copyright = 'nova-newos developers'

extensions = [
    'cliff.sphinxext',
    'metadefs',
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'sphinx.ext.autodoc',
]

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
# Not published on docs.openstack.org.
openstackdocs_repo_name = ''
openstackdocs_bug_project = ''
html_static_path = []
autodoc_member_order = 'bysource'

man_pages = [
    (f'cli/{name}', name, title, [], 1)
    for name, title in (
        ('openstack-golden', 'golden images from installer ISOs'),
        ('nova-newos-link-driver', 'put the driver where Nova finds it'),
        ('nova-newos-status', 'whether a compute node is ready'),
        ('glance-newos-status', 'whether Glance inspects ISOs'),
    )
]
