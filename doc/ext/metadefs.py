# SPDX-License-Identifier: Apache-2.0
"""The directive ``metadefs``: a file of etc/glance/metadefs as a table.

::

    .. metadefs:: newos-server
"""

import json
import pathlib

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

_DIRECTORY = pathlib.Path(__file__).parents[2] / 'etc/glance/metadefs'
_HEADER = """
.. list-table::
   :header-rows: 1
   :widths: 32 18 50

   * - Property
     - Value
     - Meaning
"""


class MetadefsTable(Directive):
    """A table of name, values and meaning."""

    required_arguments = 1

    def run(self):
        """Called by docutils."""
        path = _DIRECTORY / f'{self.arguments[0]}.json'
        self.state.document.settings.env.note_dependency(str(path))
        lines = _HEADER.splitlines()
        properties = json.loads(path.read_text())['properties']
        for name, about in sorted(properties.items()):
            lines += [
                f'   * - ``{name}``',
                f'     - {_values(about)}',
                f'     - {about["description"]}',
            ]
        table = nodes.container()
        self.state.nested_parse(
            StringList(lines, source=str(path)), self.content_offset, table
        )
        return table.children


def setup(app):
    """Called by Sphinx."""
    app.add_directive('metadefs', MetadefsTable)
    return {'parallel_read_safe': True}


def _values(about):
    if 'enum' in about:
        return ', '.join(f'``{each}``' for each in about['enum'])
    if about['type'] == 'boolean':
        return '``true``, ``false``'
    if about['type'] == 'integer':
        return f'{about["minimum"]} to {about["maximum"]}'
    return 'text'
