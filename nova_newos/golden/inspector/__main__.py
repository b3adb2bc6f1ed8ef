# SPDX-License-Identifier: Apache-2.0
"""Where the system's Python begins: it does not know our distribution."""

import importlib.util
import pathlib
import sys

_NAME = 'newos_inspector'
_HERE = pathlib.Path(__file__).parent


def _load():
    """Make a package of this directory, by a name that nothing else has."""
    spec = importlib.util.spec_from_file_location(
        _NAME, _HERE / '__init__.py', submodule_search_locations=[str(_HERE)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f'{_NAME}.program')


if __name__ == '__main__':
    # Python has put the directory here, whose modules have common names.
    del sys.path[0]
    sys.exit(_load().main(*sys.argv[1:]))
