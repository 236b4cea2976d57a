#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The output of refusals: the hook's answer, the log, D-Bus and the command each name the domain, or the file, and
# the line once, however long the name is.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-refusals.sh" --on-bus
fi

# shellcheck source=tests/functions.sh
. "$srcdir/tests/functions.sh"
daemon='' root='' tests=0 failures=0
cleanup()
{
    [ -z "$daemon" ] || kill -9 "$daemon" 2> /dev/null
    rm -rf "$root"
}
trap cleanup EXIT
make_root
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$root/host.xml"

BAD="unknown attribute 'colour' on <vgpu:device>"
CLONE='its definition is being rewritten, start it again'
LATE='a display needs a device that is present when the guest starts'
profile="profile='NVIDIA A2-4Q'"

# domain LETTERS N DEVICE [ELSE]: one whose name has that many letters; the annotation's device is in line 4
domain()
{
    name=$(printf "%0$1d" 0 | tr 0 "$2")
    printf "<domain type='test'><name>%s</name><uuid>%s</uuid><memory>65536</memory><metadata>\n" "$name" \
        "$(domain_uuid "$1$(printf %d "'$2")")"
    printf "<vgpu:devices\nxmlns:vgpu='urn:virt-vgpu:domain:1'>\n<vgpu:device %s/></vgpu:devices></metadata>" "$3"
    printf "<os><type machine='pc'>hvm</type></os><devices>%s</devices></domain>\n" "${4:-}"
}

# run COMMAND...: its output is in $root/said
run() { "$@" > "$root/said" 2>&1; }
start() { run env VIRT_VGPU_ROOT="$root" "$builddir/virt-vgpu-hook" "$name" "$1" begin - < "$root/xml"; }
cli() { run "$builddir/virt-vgpu" "$@"; }

# says FILE TEXT: the last line about the domain has the text (a pattern), and names it once
says()
{
    grep -F "domain '$name'" "$1" | tail -n 1 > "$root/line"
    grep -q -- "$2" "$root/line" && [ "$(grep -oF "'$name'" "$root/line" | wc -l)" -eq 1 ]
}

logs() { until_true says "$root/log" "$1"; }

echo '<node>' > "$root/host.xml"
for letters in 1 63 64 70 200; do
    domain "$letters" b "$profile colour='red'" >> "$root/host.xml"
    domain "$letters" g "$profile" >> "$root/host.xml"
done
echo '</node>' >> "$root/host.xml"
is_up() { [ -S "$root/run/virt-vgpu/hook.sock" ] && "$builddir/virt-vgpu" list; }
start_daemon --bus session
check "the daemon starts" until_true is_up

for letters in 1 63 64 70 200; do
    domain "$letters" h "$profile colour='red'" > "$root/xml"
    start prepare
    check "$letters letters, a line, hook" says "$root/said" "virt-vgpu: domain '$name': line 4: $BAD"
    check "$letters letters, a line, log of a start" \
        logs "start refused: domain '$name': line 4: $BAD"
    start migrate
    check "$letters letters, a line, hook of a migration" \
        says "$root/said" "virt-vgpu: domain '$name': line 4: $BAD"
    check "$letters letters, a line, log" logs "domain '$name': migrate refused: line 4: $BAD"
    cli explain --xml "$root/xml"
    check "$letters letters, a line, command" grep -qF "virt-vgpu: $root/xml: line 4: $BAD" "$root/said"
    domain "$letters" b '' > /dev/null
    cli inject "$name"
    check "$letters letters, a line, D-Bus" \
        says "$root/said" "virt-vgpu: domain '$name': line [0-9]*: $BAD" # the line of libvirt's XML

    domain "$letters" p "$profile pool='none'" > "$root/xml"
    start prepare
    check "$letters letters, a line, hook, of a pool" \
        says "$root/said" "virt-vgpu: domain '$name': line 4: there is no pool 'none'"
    check "$letters letters, a line, log of a pool" logs \
        "domain '$name': start refused: line 4: there is no pool 'none'"

    domain "$letters" c "$profile" "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>
        <address uuid='$(domain_uuid 1)'/></source><alias name='ua-vgpu-0'/></hostdev>" > "$root/xml"
    start prepare
    check "$letters letters, no line, hook" says "$root/said" "virt-vgpu: domain '$name': $CLONE"
    check "$letters letters, no line, log" logs "of domain '$name': start refused: $CLONE"
    domain "$letters" g "$profile" > "$root/xml"
    cli attach "$name" --profile 'NVIDIA A2-4Q' --display on --live
    check "$letters letters, no line, D-Bus" says "$root/said" "virt-vgpu: domain '$name': $LATE"
    cli attach "$name" --profile 'NVIDIA A2-4Q ' --live
    check "$letters letters, a bad request, D-Bus" \
        says "$root/said" "virt-vgpu: domain '$name': the annotation: line 1: attribute 'profile'"
    cli attach "$name" --pool none --live
    check "$letters letters, an error without a line, D-Bus" \
        says "$root/said" "virt-vgpu: domain '$name': there is no pool 'none'"

    domain "$letters" f "$profile colour='red'" > "$root/file"
    file=$root/$name
    mv "$root/file" "$file"
    cli validate "$file"
    check "$letters letters, a line, validate" grep -q "^virt-vgpu: $file: line 4: $BAD" "$root/said"
    cli validate --json "$file"
    tr -d '\n' < "$root/said" > "$root/json"
    check "$letters letters, a line, validate --json" \
        grep -q "\"file\" *: *\"$file\", *\"valid\" *: *false, *\"line\" *: *4, *\"reason\" *: *\"$BAD" "$root/json"
done

echo "1..$tests"
[ "$failures" -eq 0 ]
