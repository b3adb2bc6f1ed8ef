# SPDX-License-Identifier: Apache-2.0
"""``openstack golden recipe``: kept in Glance, shared, and built from."""

import pytest

from tests.acceptance import onebox

NAME = 'newos-test-recipe'
COMMAND = ('golden', 'recipe')
# What the probe says on its console when it was booted from its disk.
BOOTED = 'booted-from=disk'

RECIPE = """\
format: 1
group: tests
iso: {iso}
answers:
  ks.cfg: |
    lang de
    autopart
    rootpw --iscrypted ${{{{ secrets.hash }}}}
    %post
    sh /mnt/provision.sh
    %end
script: |
  #!/bin/sh
  true
secrets:
  hash: Of a password
settings: {{ram: 64, disk: 1, family: {name}}}
boot_test: {booted}
"""


@pytest.fixture
def recipes(cloud):
    """Runs the client; what recipes and builds leave is deleted."""

    def run(*arguments, **options):
        return onebox.openstack(*COMMAND, *arguments, **options)

    yield run
    for server in cloud.compute.servers(tags='golden-build'):
        cloud.delete_server(server.id, wait=True)
    for tag in ('golden-build', 'golden-recipe'):
        for is_hidden in (False, True):
            for image in cloud.image.images(
                tag=tag, is_hidden=is_hidden, owner=cloud.current_project_id
            ):
                cloud.image.update_image(image.id, is_protected=False)
                cloud.image.delete_image(image)


@pytest.fixture
def recipe_file(install_iso, tmp_path):
    path = tmp_path / 'recipe.yaml'
    path.write_text(RECIPE.format(iso=install_iso, name=NAME, booted=BOOTED))
    (tmp_path / 'hash').write_text('$6$salt$digest\n')
    return path


def build(path, *more):
    """Arguments of the client."""
    return (
        *('golden', 'build', 'create', '--network=none'),
        f'--secret=hash={path.parent / "hash"}',
        *more,
    )


def test_recipe_in_glance(recipes, recipe_file, cloud, tmp_path):
    """One image at a time, which others see when they may."""
    recipes('create', NAME, f'--file={recipe_file}', '--protected')
    denied = recipes('set', NAME, '--group=g', check=False)
    assert '--unprotected' in denied.stderr
    recipes('set', NAME, '--group=g', '--unprotected', '--community')
    [row] = recipes('list', '--format=json', cloud='onebox-alt')
    assert (row['name'], row['group'], row['visibility']) == (
        *(NAME, 'g', 'community'),
    )
    exported = tmp_path / 'exported.yaml'
    recipes('export', NAME, f'--file={exported}', cloud='onebox-alt')
    onebox.openstack(*build(recipe_file, f'--recipe-file={exported}'))
    [server] = cloud.compute.servers(tags='golden-build')
    assert server.metadata['golden_recipe_digest'].startswith('sha256:')
    listed = [row['name'] for row in recipes('list', '--format=json')]
    assert listed == [NAME]
    recipes('delete', NAME)
    assert recipes('list', '--format=json') == []


@pytest.mark.slow
def test_build_if_changed(recipes, recipe_file):
    """Built once; told again, and built when there is something new."""
    recipes('create', NAME, f'--file={recipe_file}')
    command = build(
        recipe_file, f'--recipe={NAME}', '--if-changed', '--format=json'
    )
    first = onebox.openstack(*command, '--wait')
    assert first['phase'] == 'done'
    again = onebox.openstack(*command, '--wait')
    assert again['image'] == first['image']
    assert onebox.openstack('golden', 'build', 'list', '--format=json') == []
    changed = onebox.openstack(*command, '--property=newos_seal=false')
    assert changed['phase'] == 'install'
