# SPDX-License-Identifier: Apache-2.0
#
# For box and demo: run_python NAME MODULE ARGUMENTS, as root or not.

run_python() {
    name=$1 module=$2
    shift 2
    if ! [ -x /usr/bin/python3 ]; then
        if [ "$(id -u)" -ne 0 ]; then
            echo "$name: /usr/bin/python3 is missing: run it as root" >&2
            exit 1
        fi
        echo "$name: installing python3" >&2
        apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends python3 >&2
    fi
    # -P keeps the caller's directory off the module path, which matters to
    # root; no byte code, because root's would lie in the user's checkout.
    PYTHONPATH=$top
    PYTHONDONTWRITEBYTECODE=1
    export PYTHONPATH PYTHONDONTWRITEBYTECODE
    exec /usr/bin/python3 -P -m "devstack.onebox.$module" "$@"
}
