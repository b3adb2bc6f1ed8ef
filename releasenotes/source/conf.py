# SPDX-License-Identifier: Apache-2.0

project = 'nova-newos release notes'
copyright = 'nova-newos developers'

extensions = ['openstackdocstheme', 'reno.sphinxext']

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
# Not published on docs.openstack.org.
openstackdocs_repo_name = ''
openstackdocs_bug_project = ''
