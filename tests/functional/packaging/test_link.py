# SPDX-License-Identifier: Apache-2.0

"""The link into Nova, for every way that Nova and we may be installed."""

import pathlib

import pytest

LINK_DRIVER = 'nova-newos-link-driver'

# As nova.virt.driver.load_compute_driver does it.
LOAD = (
    'from oslo_utils import importutils; '
    'c = importutils.import_class("nova.virt.newos.NewosLibvirtDriver"); '
    'print(c.__module__, c.__name__)'
)
LOADED = 'nova_newos.virt.driver NewosLibvirtDriver'

FIND = 'import {0}; print({0}.__file__)'


def _installable(request, distribution, how):
    """What pip is to install, as its arguments."""
    if how == 'wheel':
        return [request.getfixturevalue(f'{distribution}_wheel')]
    return ['--editable', request.getfixturevalue(f'{distribution}_tree')]


def _python_files(directory):
    """What Python finds in a directory: everything but byte code."""
    return {
        path.relative_to(directory)
        for path in directory.rglob('*')
        if '__pycache__' not in path.parts
    }


@pytest.mark.parametrize('ours', ['wheel', 'editable'])
@pytest.mark.parametrize('nova', ['wheel', 'editable'])
def test_link_and_remove(request, environment, nova, ours):
    environment.install(*_installable(request, 'nova', nova))
    environment.install(*_installable(request, 'our', ours))
    virt = pathlib.Path(environment.python(FIND.format('nova.virt'))).parent
    assert virt.is_relative_to(environment.directory) == (nova == 'wheel')
    before = _python_files(virt)

    environment.script(LINK_DRIVER)
    assert environment.python(LOAD) == LOADED
    assert _python_files(virt) - before == {pathlib.Path('newos.py')}

    again = environment.script(LINK_DRIVER)
    assert 'already' in again.stdout

    environment.script(LINK_DRIVER, '--remove')
    assert _python_files(virt) == before
    assert environment.python(FIND.format('nova.virt')) == str(
        virt / '__init__.py'
    )
    with pytest.raises(AssertionError, match='nova.virt.newos'):
        environment.python(LOAD)


def test_link_follows_a_changed_installation(
    environment, nova_wheel, our_wheel, our_tree
):
    environment.install(nova_wheel)
    environment.install(our_wheel)
    environment.script(LINK_DRIVER)
    environment.pip('uninstall', '--yes', 'nova-newos')
    environment.install('--editable', our_tree)

    with pytest.raises(AssertionError, match='nova.virt.newos'):
        environment.python(LOAD)
    environment.script(LINK_DRIVER)
    assert environment.python(LOAD) == LOADED
    link = environment.site_packages / 'nova' / 'virt' / 'newos.py'
    assert link.readlink() == our_tree / 'nova_newos' / 'virt' / 'shim.py'


def test_what_a_removed_nova_leaves_does_not_hide_the_next_one(
    environment, nova_wheel, nova_tree, our_wheel
):
    environment.install(nova_wheel)
    environment.install(our_wheel)
    environment.script(LINK_DRIVER)
    environment.python(LOAD)
    environment.pip('uninstall', '--yes', 'nova')
    environment.install('--editable', nova_tree)

    # The link that pip left behind makes a namespace package of "nova".
    assert environment.python(FIND.format('nova')) == 'None'
    refused = environment.script(LINK_DRIVER, check=False)
    assert refused.returncode == 1
    assert '--remove' in refused.stderr

    environment.script(LINK_DRIVER, '--remove')
    assert environment.python(FIND.format('nova')) == str(
        nova_tree / 'nova' / '__init__.py'
    )


def test_without_nova(ours_alone):
    refused = ours_alone.script(LINK_DRIVER, check=False)
    assert refused.returncode == 1
    assert str(ours_alone.directory) in refused.stderr
