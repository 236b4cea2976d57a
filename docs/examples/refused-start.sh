#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What to do when a domain was refused its vGPU: an example of automation on top of virt-vgpu events.
#
#   virt-vgpu events --json | refused-start.sh                    says who, why, and what would fit
#   virt-vgpu events --json | refused-start.sh COMMAND [ARG...]   runs COMMAND for each refusal
#
# COMMAND finds the event in its environment: VGPU_TIME, VGPU_DOMAIN, VGPU_DOMAIN_UUID and VGPU_REASON.
# To have it run for good, let a unit of systemd do it, as a user who may query (everyone may):
#
#   [Service]
#   ExecStart=/bin/sh -c 'virt-vgpu events --json | exec /usr/local/bin/refused-start.sh CMD'
#   Restart=always
set -u

# field NAME: that string of the event in $line, empty when it has none. A quote within a string is
# written \" in JSON, so that nothing in a string can be taken for a name.
field()
{
    printf '%s\n' "$line" |
        sed -nE 's/.*"'"$1"'" *: *"(([^"\\]|\\.)*)".*/\1/p' |
        sed -E 's/\\[nrt]/ /g; s/\\(["\\/])/\1/g'
}

# COMMAND must not read the events that are still to come
react()
{
    if [ $# -gt 0 ]; then
        "$@" < /dev/null
    else
        printf '%s: domain %s was refused: %s\n' "$VGPU_TIME" "$VGPU_DOMAIN" "$VGPU_REASON"
        virt-vgpu explain "$VGPU_DOMAIN" < /dev/null 2>&1 | sed 's/^/    /'
    fi
}

while IFS= read -r line; do
    [ "$(field event)" = start-refused ] || continue
    VGPU_TIME=$(field time) VGPU_REASON=$(field reason)
    VGPU_DOMAIN=$(field domain) VGPU_DOMAIN_UUID=$(field domain_uuid)
    export VGPU_TIME VGPU_REASON VGPU_DOMAIN VGPU_DOMAIN_UUID
    react "$@" || echo "refused-start.sh: ${1:-explain} failed for domain $VGPU_DOMAIN" >&2
done
