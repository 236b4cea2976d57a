#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verbs about pools and about running domains, against a fake daemon that remembers its pools. Needs no
# GPU, no libvirtd and no system bus.
# shellcheck disable=SC2154 # tests and failures are counted in functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-pools.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml" TMPDIR="$tmp"
unset VIRT_VGPU_ROOT VISUAL EDITOR
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

domain() # NAME UUID RUNSTATE [XML]
{
    echo "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>$1</name><uuid>$2</uuid><memory>65536</memory><os><type>hvm</type></os>${4:-}
  <test:runstate>$3</test:runstate>
</domain>"
}
web1=aaaaaaaa-0000-4000-8000-000000000001
{
    echo "<node>"
    domain web1 $web1 1
    domain off1 bbbbbbbb-0000-4000-8000-000000000002 5
    domain tight cccccccc-0000-4000-8000-000000000004 1 "<memtune><hard_limit>1024</hard_limit></memtune>
<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device profile='A2-4Q'/></vgpu:devices></metadata>"
    domain denied dddddddd-0000-4000-8000-000000000003 1
    echo "</node>"
} > "$tmp/node.xml"
vgpu=11111111-2222-5333-8444-555555555555

# --- usage ------------------------------------------------------------------------------------
for verb in info dumpxml edit start destroy undefine autostart refresh; do
    cli 2 pool-$verb
    err "an argument is missing: POOL"
done
cli 2 pool-define
err "an argument is missing: FILE"
cli 2 pool-lst
err "did you mean 'pool-list'?"
cli 2 attach web1
err "--profile or --pool is missing"
cli 2 attach web1 --profile x --count 0
err "at least 1"
cli 2 attach web1 --profile x --gpu 41
err "'41' is not a PCI address"
cli 2 attach web1 --profile x --placement middle
err "--placement middle: pack, spread or numa"
cli 2 detach web1
err "an argument is missing: DOMAIN INDEX"
for index in -1 one 1x '' 70000; do
    cli 2 detach web1 -- "$index"
    err "'$index' is not the index of a vGPU"
done
cli 6 pool-list
err "virtvgpud is not running"

# --- pools ------------------------------------------------------------------------------------
start_manager
cli 0 pool-list
out "Name     State   Autostart  GPUs" "default  active  yes        0000:e1:00.0" \
    "design   active  no         0000:41:00.0, 0000:61:00.0"
narrow
cli 0 pool-list --json
json '[{"name":"default","uuid":null,"state":"active","autostart":true,"gpus":["0000:e1:00.0"],"profiles":[],"tenants":[]' \
    '"gpus":["0000:41:00.0","0000:61:00.0"],"profiles":[{"name":"NVIDIAA2-4Q","capacity":4,"allocated":2,"available":2}],"tenants":[{"name":"acme","max":4,"used":2,"max_mib":32768,"used_mib":8192}]' \
    '"description":"CADseats","users":["web1","web2"],"driver_iso":"/var/lib/grid.iso","driver_version":null,"params_allow":"listed","params_listed":["loglevel","debugging"],"params_set":["ecc=1"],"passed_through":null}]'
cli 0 pool-info design
out "Name:               design" "State:              active" "Used by:            web1, web2" \
    "Driver ISO:         /var/lib/grid.iso" "Parameters:         listed" \
    "Parameters listed:  loglevel, debugging" "Parameters set:     ecc=1" "NVIDIA A2-4Q  4         2          2" "acme    4    2"
narrow
cli 0 pool-info default --json
json '{"name":"default","uuid":null,' '"users":[]'
cli 3 pool-info desing
err "there is no pool 'desing'; did you mean 'design'?"
cli 3 pool-start elsewhere
err "there is no pool 'elsewhere'"
! grep -q "did you mean" "$tmp/err"
verdict $? "no suggestion for a name unlike that of any pool"
cli 0 pool-dumpxml design
out "<name>design</name>" "with its room"
cli 0 pool-dumpxml design --configured
! grep -q "with its room" "$tmp/out"
verdict $? "--configured is without the room"
cli 0 pool-dumpxml design --configured --json
json '{"name":"design","xml":"<vgpupool>'

printf '<vgpupool>\n  <name>office</name>\n</vgpupool>\n' > "$tmp/office.xml"
cli 0 pool-define "$tmp/office.xml"
out "Pool office defined from $tmp/office.xml"
stdin=$tmp/office.xml cli 0 pool-define - --json
json '{"name":"office","uuid":null,"state":"inactive","autostart":false,"gpus":[]'
cli 0 pool-list --inactive
out office
! grep -q design "$tmp/out"
verdict $? "--inactive leaves active pools out"
cli 0 pool-list --inactive --all
out office design
cli 5 pool-undefine design
err "the pool is active; stop it first"
cli 0 pool-start office
out "Pool office started"
cli 1 pool-start office
err "active already"
cli 0 pool-autostart office
out "Pool office marked as autostarted"
cli 0 pool-autostart office --disable --json
json '"name":"office"' '"autostart":false'
cli 0 pool-refresh office
out "Pool office refreshed" "the image was rebuilt"
cli 0 pool-refresh office --json
json '{"name":"office","changes":["2GPUs","theimagewasrebuilt"]}'
cli 0 pool-destroy office
out "Pool office destroyed"
! grep -q "used by" "$tmp/out"
verdict $? "it has no users"
cli 0 pool-undefine office --json
json '{"name":"office","done":true,"users":[]}'
cli 3 pool-info office
cli 0 pool-destroy design
out "Pool design destroyed" "still used by: web1, web2; running domains are not affected"
cli 0 pool-start design --json
json '"name":"design"' '"state":"active"'
cli 0 pool-destroy design --json
json '"state":"inactive"' '"users":["web1","web2"]'
cli 0 pool-undefine design
out "Pool design has been undefined" "still used by: web1, web2"

cli 3 pool-define "$tmp/none.xml"
err "$tmp/none.xml: No such file or directory"
printf 'no XML' > "$tmp/text.xml"
cli 1 pool-define "$tmp/text.xml"
err "$tmp/text.xml: line 1: "
printf '<vgpupool/>' > "$tmp/nameless.xml"
cli 1 pool-define "$tmp/nameless.xml"
err "$tmp/nameless.xml: line 1: a pool needs a <name>"
sed 's/office/forbidden/' "$tmp/office.xml" > "$tmp/forbidden.xml"
cli 7 pool-define "$tmp/forbidden.xml"
err "virt-vgpu: access denied: polkit does not authorize it"
cli 7 pool-destroy forbidden
err "virt-vgpu: access denied: polkit does not authorize it"

# --- pool-edit --------------------------------------------------------------------------------
left() # no edited file is left behind
{
    ! ls "$tmp"/virt-vgpu-*.xml > "$tmp/out" 2>&1
    verdict $? "no file is left behind"
}
pool() { echo "<vgpupool><name>far</name><source>$1</source><profiles><profile name='$2'/></profiles></vgpupool>" > "$tmp/far.xml"; }
pool "<gpu address='0000:99:00.0'/>" A2-4X
cli 0 pool-define "$tmp/far.xml"
out "Pool far defined"
err "warning: this host has no GPU 0000:99:00.0 (see 'virt-vgpu gpu-list')"
err "warning: no GPU of this host has the profile 'A2-4X'; did you mean 'NVIDIA A2-4Q'?"
! grep -q "will not start" "$tmp/err"
verdict $? "a pool does not start"
pool "<match vendor='0x10de'/>" A2-4Q
cli 0 pool-define "$tmp/far.xml" --json
err "warning: the pool has no GPU of this host"
pool "<gpu address='41:00.0'/>" A2-4Q
cli 0 pool-define "$tmp/far.xml"
silent
cli 0 pool-undefine far
sed 's/<name>/<!-- seats --><name>/; s/office/design/' "$tmp/office.xml" > "$tmp/design.xml"
cli 0 pool-define "$tmp/design.xml"
EDITOR=true cli 0 pool-edit design
out "Pool design XML configuration not changed"
left
EDITOR='sed -i s/seats/chairs/' cli 0 pool-edit design
out "Pool design XML configuration edited"
left
cli 0 pool-dumpxml design
out "chairs"
VISUAL='sed -i s/chairs/stools/' EDITOR=false cli 0 pool-edit design --json
json '"name":"design"'
sed 's/<name>/<!-- shown in part: the rest is for users who may manage pools --><name>/; s/office/part/' \
    "$tmp/office.xml" > "$tmp/part.xml"
cli 0 pool-define "$tmp/part.xml"
EDITOR='sed -i s/seats/chairs/' cli 7 pool-edit part
err "you see only part of pool part"
cli 0 pool-undefine part
cli 3 pool-edit desing
err "did you mean 'design'?"
EDITOR=false cli 1 pool-edit design
err "the editor 'false' failed"
err "pool design is unchanged; the edited text is in $tmp/virt-vgpu-"
rm "$tmp"/virt-vgpu-*.xml
EDITOR='sed -i s/name/nome/g' cli 1 pool-edit design
err "a pool needs a <name>"
err "pool design is unchanged; the edited text is in $tmp/virt-vgpu-"
grep -q nome "$tmp"/virt-vgpu-*.xml
verdict $? "the edited text is kept"
rm "$tmp"/virt-vgpu-*.xml
cli 0 pool-dumpxml design
out "stools"
cat > "$tmp/slow-editor" <<END
sed -i s/stools/benches/ "\$1"
sed s/seats/meanwhile/ "$tmp/design.xml" > "$tmp/other.xml"
exec "$builddir/virt-vgpu" pool-define "$tmp/other.xml"
END
EDITOR="sh $tmp/slow-editor" cli 5 pool-edit design
err "pool design was changed meanwhile"
rm "$tmp"/virt-vgpu-*.xml
cli 0 pool-dumpxml design
out "meanwhile"
if command -v script > /dev/null; then
    # on a terminal, a wrong definition can be edited again
    cat > "$tmp/editor" <<END
if [ -e "$tmp/again" ]; then sed -i 's/nome/name/g; s/meanwhile/second/' "\$1"
else touch "$tmp/again"; sed -i s/name/nome/g "\$1"; fi
END
    printf 'y\n' | EDITOR="sh $tmp/editor" script -qec "'$builddir/virt-vgpu' pool-edit design" \
        /dev/null > "$tmp/out" 2> "$tmp/err"
    verdict $? "pool-edit on a terminal"
    out "a pool needs a <name>" "Edit it again? [y/n]" "Pool design XML configuration edited"
    left
fi

# --- running domains --------------------------------------------------------------------------
cli 0 pool-define "$tmp/design.xml"
cli 0 attach web1 --profile 'NVIDIA A2-4Q'
out "Domain 'web1': vGPU attached to the running domain" \
    "  vGPU 1: NVIDIA A2-4Q on 0000:41:00.0 ($vgpu)"
silent
cli 0 attach tight --profile 'NVIDIA A2-4Q'
err "warning: <hard_limit> is 1 MiB, and the domain has 64 MiB of memory"
cli 0 attach tight --profile 'NVIDIA A2-4Q' --config --json
err "warning: <hard_limit> is 1 MiB"
cli 0 attach off1 --profile 'NVIDIA A2-4Q'
out "Domain 'off1': vGPU attached to the definition, for the next start"
cli 0 attach $web1 --pool design --count 2 --gpu 41:00.0 --placement numa --driver-iso --live \
    --config
out "Domain 'web1': vGPUs attached to the running domain and the definition"
cli 0 attach web1 --pool design --count 2 --gpu 41:00.0 --placement numa --driver-iso --json
json '{"domain":"web1","domain_uuid":"aaaaaaaa-0000-4000-8000-000000000001","live":true,"config":false,"changes":null,"vgpus":[{"domain":null' \
    "'pool':<'design'>" "'gpu':<'0000:41:00.0'>" "'placement':<'numa'>" "'count':<uint322>" \
    "'driver_iso':<true>"
! grep -q "'profile'" "$tmp/out"
verdict $? "options that were not given are not sent"
cli 0 attach web1 --profile A2-4Q --display on --ramfb off --live --json
json "'display':<'on'>" "'ramfb':<'off'>"
cli 0 attach web1 --profile A2-4Q --config --json
json '"live":false,"config":true,"changes":null,"vgpus":[]}'
id=$(virsh --connect "$LIBVIRT_DEFAULT_URI" domid web1 2> /dev/null || true)
if [ -n "$id" ]; then
    cli 0 attach "$id" --profile A2-4Q
    out "Domain 'web1'"
fi
cli 3 attach web1 --profile 'NVIDIA A2-4X'
err "no GPU has that profile; did you mean 'NVIDIA A2-4Q'?"
cli 3 attach web1 --profile L4S-8Q
err "did you mean 'NVIDIA L40S-8Q'?"
cli 3 attach web1 --pool desing
err "there is no such pool; did you mean 'design'?"
cli 3 attach web1 --profile A40-8Q
err "no GPU has that profile"
cli 7 attach denied --profile A2-4Q
err "virt-vgpu: access denied: polkit does not authorize Attach"
cli 3 attach nobody --profile A2-4Q
err "domain 'nobody'"
cli 0 detach web1 0
out "Domain 'web1': vGPU 0 detached from the running domain" "vGPU 0, flags 1"
cli 0 detach off1 3
out "Domain 'off1': vGPU 3 detached from the definition" "vGPU 3, flags 2"
cli 0 detach web1 1 --live --config --json
json '"live":true,"config":true,"changes":["vGPU1,flags3"],"vgpus":null}'
cli 0 detach web1 7
out "vGPU 7 unplugged"
grep -q "^Waiting for the guest of domain 'web1' to release vGPU 7 …$" "$tmp/err"
verdict $? "slow operations are reported"
cli 5 detach web1 9
err "the guest does not release vGPU 9"

# --- terminals --------------------------------------------------------------------------------
# on_terminal ENVIRONMENT COMMAND: what virt-vgpu prints on a terminal of 60 columns
on_terminal()
{
    script -qec "stty cols 60; env $1 '$builddir/virt-vgpu' $2" /dev/null < /dev/null |
        tr -d '\r' > "$tmp/out"
}
green=$(printf '\033[32m')
if command -v script > /dev/null; then
    on_terminal TERM=xterm "pool-list --wide"
    out "${green}active"
    on_terminal TERM=dumb pool-list
    ! grep -q "$green" "$tmp/out"
    verdict $? "no colour on a dumb terminal"
    on_terminal "TERM=xterm NO_COLOR=1" pool-list
    ! grep -q "$green" "$tmp/out"
    verdict $? "no colour with NO_COLOR"
    on_terminal TERM=xterm "pool-list --json"
    ! grep -q "$green" "$tmp/out"
    verdict $? "no colour in JSON"
    on_terminal TERM=dumb "pool-info --help"
    [ "$(wc -L < "$tmp/out")" -le 60 ]
    verdict $? "fits a terminal of 60 columns"
    on_terminal "TERM=dumb COLUMNS=46" pool-list
    [ "$(wc -L < "$tmp/out")" -le 46 ]
    verdict $? "so does a table"
    on_terminal "TERM=dumb COLUMNS=70" "pool-list --help"
    [ "$(wc -L < "$tmp/out")" -le 70 ] && [ "$(wc -L < "$tmp/out")" -gt 60 ]
    verdict $? "COLUMNS counts more"
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
