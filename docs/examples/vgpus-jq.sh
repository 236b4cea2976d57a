#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What virt-vgpu tells, for shell scripts: an example with its JSON and jq(1).
#
#   vgpus-jq.sh list             the vGPUs that there are, a line each
#   vgpus-jq.sh free             how many more of each profile fit on each GPU
#   vgpus-jq.sh events           what happens, as it happens
#   vgpus-jq.sh explain DOMAIN   where its vGPUs would be if it started now, or what each GPU says; 1 if it cannot
#   vgpus-jq.sh start DOMAIN     the same, and start it if it can
#
# Keys are always there, and null where a value is unknown: `//` says what stands for that.
set -u

explain()
{
    answer=$(virt-vgpu explain "$1" --json)
    status=$?
    [ $status -le 1 ] || return $status # it could not be asked; 1 is no, or a failure that is said
    printf '%s\n' "$answer" | jq -r '
        if .possible
        then .plan[] | [.profile // "-", .parent // "-", .state]
        else .candidates[] | [.gpu, .verdict, .reason]
        end | @tsv'
    printf '%s\n' "$answer" | jq -e .possible > /dev/null
}

case ${1-} in
    list)
        virt-vgpu list --all --json |
            jq -r '.[] | [.domain // "-", .profile // .profile_id // "-", .parent // .gpu // "-", .state] | @tsv' ;;
    free)
        virt-vgpu profile-list --json |
            jq -r '.[] | select(.available != 0) | [.gpu, .name, .available // "some"] | @tsv' ;;
    events)
        virt-vgpu events --json |
            jq -r --unbuffered '[.event, .domain // .pool // .gpu // .uuid // "-", .reason // "-"] | @tsv' ;;
    explain) explain "${2:?a domain is missing}" ;;
    start) explain "${2:?a domain is missing}" && virt-vgpu start "$2" ;;
    *)
        sed -n 's/^# \{0,1\}//p' "$0" >&2
        exit 2 ;;
esac
