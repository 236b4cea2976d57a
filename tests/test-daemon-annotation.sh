#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon and a libvirt with events: SetAnnotation, ClearAnnotation, ExplainDevices and ListDomains, as another
# program than virt-vgpu(1) calls them.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs gdbus
begin session
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so

# call METHOD ARGUMENT...
call()
{
    method=$1
    shift
    gdbus call --session --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 \
        --method "org.virtvgpu.Manager1.$method" "$@"
}
called() { grep -qx "$1" "$root/calls"; }
is_planned() { cli list --all | grep "vm1.*$1.*planned"; }
is_not_listed() { ! cli list --all | grep vm1; }
uuid=$(domain_uuid 1)
none='@a{sv} {}'

domain_xml 1 > "$root/vm1.xml"
domain_xml 2 > "$root/vm2.xml"
annotated 3 A2-4Q
{
    echo '<node>'
    switched_off 1
    switched_off 3
    cat "$root/vm2.xml"
    echo '</node>'
} > "$root/host.xml"
: > "$root/calls"
check "the daemon starts" up
connected() { gdbus introspect --session -d org.virtvgpu.Manager1 -o /org/virtvgpu/Manager1 -p | grep "LibvirtConnected = true"; }
check "and finds libvirt" until_true connected

# --- domains --------------------------------------------------------------------------------------
row() { call ListDomains | tr '{' '\n' | grep "'$1'" | grep "$2"; }
check "a domain that is off" row vm1 "$uuid"
check "does not run" row vm1 "'running': <false>"
check "has a definition" row vm1 "'persistent': <true>"
check "and no vGPU" row vm1 "'annotated': <false>"
check "another one runs" row vm2 "'running': <true>"

# --- a plan ---------------------------------------------------------------------------------------
plan() { call ExplainDevices "$uuid" "$1" "$none"; }
check "a start with a vGPU would succeed" says "'possible':<true>" plan "[{'profile': <'NVIDIA A2-4Q'>}]"
check "there, says its plan" says "'vGPU0:NVIDIAA2-4Qon0000:41:00.4'" plan \
    "[{'profile': <'NVIDIA A2-4Q'>, 'gpu': <'0000:41:00.0'>}]"
check "of an unknown profile there is none" fails_with "no GPU has the profile 'A2-4X'" plan "[{'profile': <'A2-4X'>}]"
check "nor of a domain that does not exist" fails_with 99999999 call ExplainDevices \
    99999999-0000-4000-8000-000000000001 "[{'profile': <'A2-4Q'>}]" "$none"
check "nothing was changed" row vm1 "'annotated': <false>"

# --- an annotation --------------------------------------------------------------------------------
set_annotation() { call SetAnnotation "$uuid" "$@"; }
check "an annotation is set" set_annotation "[{'profile': <'NVIDIA A2-4Q'>}]" "{'tenant': <'acme'>}"
check "libvirt has attached its hostdev" called "attach vm1"
check "the vGPU is planned" until_true is_planned A2-4Q
check "the domain is annotated now" row vm1 "'annotated': <true>"
check "with its tenant" says '"tenant":"acme"' cli list --all --json
check "the plan of another is the other's" says "'profile':<'NVIDIAA2-8Q'>" plan "[{'profile': <'NVIDIA A2-8Q'>}]"
check "it is replaced" set_annotation "[{'profile': <'NVIDIA A2-8Q'>}, {'profile': <'NVIDIA A2-8Q'>}]" "$none"
check "by the other" until_true is_planned A2-8Q
check "without a tenant" says '"tenant":null' cli list --all --json
for refused in "unknown key 'path'|[{'profile': <'A2-4Q'>, 'path': <'/etc/passwd'>}]" \
    "there is no pool 'nosuch'|[{'pool': <'nosuch'>}]" "there is no GPU|[{'profile': <'A2-4Q'>, 'gpu': <'99:00.0'>}]" \
    "ClearAnnotation|@aa{sv} []"; do
    check "refused: ${refused%%|*}" fails_with "${refused%%|*}" set_annotation "${refused#*|}" "$none"
done
check "an unknown option is refused by name" fails_with "unknown key 'live'" set_annotation \
    "[{'profile': <'A2-4Q'>}]" "{'live': <true>}"
check "and all is as it was" is_planned A2-8Q
check "if the definition cannot follow, the call fails" fails_with "no GPU" set_annotation \
    "[{'profiles': <['A2-4X', 'A2-4Y']>}]" "$none"
check "and the annotation is put back" until_true is_planned A2-8Q
check "an option of ClearAnnotation is refused" fails_with "unknown key 'x'" call ClearAnnotation "$uuid" "{'x': <1>}"
check "it is removed" call ClearAnnotation "$uuid" "$none"
check "and its vGPU" until_true is_not_listed
check "that of another domain" call ClearAnnotation "$(domain_uuid 3)" "$none"
check "with its hostdev" called "detach vm3"
check "no domain of that UUID" fails_with 99999999 call ClearAnnotation 99999999-0000-4000-8000-000000000001 "$none"
check "the daemon ends as it should" down
finish
