# SPDX-License-Identifier: Apache-2.0

import importlib.metadata
import shutil
import sys

import pytest

from tests.functional.packaging import scratch


@pytest.fixture(scope='session')
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp('packaging')


@pytest.fixture(scope='session')
def pip(workspace):
    """A pip that installs into other environments; the path of its script."""
    directory = workspace / 'pip'
    scratch.run(sys.executable, '-m', 'venv', directory)
    return directory / 'bin' / 'pip'


@pytest.fixture(scope='session')
def dependencies(workspace):
    directory = workspace / 'dependencies'
    scratch.borrow_dependencies(directory)
    return directory


@pytest.fixture(scope='session')
def our_tree(workspace):
    """The state of this checkout in a repository of its own, without tags."""
    tree = workspace / 'nova-newos'
    names = scratch.run(
        'git',
        'ls-files',
        '-z',
        '--cached',
        '--others',
        '--exclude-standard',
        cwd=scratch.REPOSITORY,
    ).stdout
    for name in filter(None, names.split('\0')):
        source = scratch.REPOSITORY / name
        if source.is_file():  # and not deleted since it was committed
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tree / name)
    git = ('git', '-c', 'user.name=test', '-c', 'user.email=test@test')
    scratch.run(*git, 'init', '--quiet', cwd=tree)
    scratch.run(*git, 'add', '--all', cwd=tree)
    # pbr counts the commits that follow the first one.
    for message in ('first', 'second'):
        scratch.run(
            *git, 'commit', '--quiet', '--allow-empty', '-m', message, cwd=tree
        )
    return tree


@pytest.fixture(scope='session')
def our_wheel(workspace, pip, our_tree):
    """Our wheel, built as a user's pip builds it."""
    scratch.run(
        pip, 'wheel', '--no-deps', '--wheel-dir', workspace / 'ours', our_tree
    )
    [wheel] = (workspace / 'ours').glob('*.whl')
    return wheel


def _download_nova(pip, directory, *arguments):
    version = importlib.metadata.version('nova')
    scratch.run(
        pip,
        'download',
        '--no-deps',
        '--dest',
        directory,
        *arguments,
        f'nova=={version}',
    )
    [archive] = directory.iterdir()
    return archive


@pytest.fixture(scope='session')
def nova_wheel(workspace, pip):
    """The released wheel of the Nova that the tests run with."""
    return _download_nova(pip, workspace / 'nova-wheel')


@pytest.fixture(scope='session')
def nova_tree(workspace, pip):
    """The source tree of the Nova that the tests run with."""
    archive = _download_nova(
        pip, workspace / 'nova-sdist', '--no-binary', 'nova'
    )
    shutil.unpack_archive(archive, workspace)
    return workspace / archive.name.removesuffix('.tar.gz')


@pytest.fixture
def environment(tmp_path, pip, dependencies):
    """An empty environment with all that Nova and we depend on."""
    return scratch.Environment(tmp_path / 'env', pip, dependencies)


@pytest.fixture(scope='session')
def ours_alone(workspace, pip, dependencies, our_wheel):
    """An environment with our wheel and without Nova; to be left as it is."""
    environment = scratch.Environment(workspace / 'alone', pip, dependencies)
    environment.install(our_wheel)
    return environment
