# SPDX-License-Identifier: Apache-2.0

project = 'nova-newos'
copyright = 'nova-newos developers'

extensions = [
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
