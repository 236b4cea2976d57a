#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The examples of docs/examples for programs, against a fake daemon: in Python, Go, and with jq. An example whose
# interpreter, compiler or library is missing is skipped.
# shellcheck disable=SC2154 # tests and failures are counted in cli-functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-examples.sh" --on-bus
fi

tmp=$(mktemp -d)
manager='' events=''
cleanup()
{
    # shellcheck disable=SC2086 # a list
    kill $manager $events 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml" TMPDIR="$tmp"
unset VIRT_VGPU_ROOT
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"
examples=$srcdir/docs/examples

# programs that the examples call: a virsh with web1 and big, and the built virt-vgpu
mkdir "$tmp/bin"
cat > "$tmp/bin/virsh" << 'SH'
#!/bin/sh
case "$*" in
    "dumpxml --inactive web1") echo "<domain><name>web1</name></domain>" ;;
    "dumpxml --inactive big") echo "<domain><name>big</name><!-- A2-16Q --></domain>" ;;
    "start web1") echo "Domain 'web1' started" ;;
    *) echo "error: $*" >&2; exit 1 ;;
esac
SH
cat > "$tmp/bin/virt-vgpu" << SH
#!/bin/sh
[ "\$1" != start ] || { echo "Domain '\$2' started"; exit; }
exec "$builddir/virt-vgpu" "\$@"
SH
chmod +x "$tmp/bin/virsh" "$tmp/bin/virt-vgpu"
PATH=$tmp/bin:$PATH
{
    echo "<node>"
    for name in web1 big; do
        profile=A2-4Q
        [ $name = web1 ] || profile=A2-16Q
        echo "<domain type='test'><name>$name</name><memory>65536</memory><os><type>hvm</type></os><metadata>
<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device profile='$profile'/></vgpu:devices></metadata></domain>"
    done
    echo "</node>"
} > "$tmp/node.xml"

# run EXIT ARGUMENT...: the example, and its exit status
run()
{
    want=$1
    shift
    $example "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
    got=$?
    [ "$got" -eq "$want" ]
    verdict $? "$example $*: exit status $want, got $got"
}

tab=$(printf '\t')
# tells LINE: one with blanks for tabs is on stdout
tells()
{
    grep -qxF -- "$(echo "$1" | sed "s/ | /$tab/g")" "$tmp/out"
    verdict $? "prints: $1"
}

is_heard() { "$builddir/virt-vgpu" reconcile > /dev/null && grep -q . "$tmp/out"; }

# All that the examples have in common; $example is how it is called, $* what its events need.
try()
{
    run 0 list
    tells "web1 | NVIDIA A2-4Q | 0000:41:00.4 | active"
    tells "- | nvidia-1155 | 0000:61:00.4 | foreign"
    run 0 explain web1
    tells "NVIDIA A2-4Q | 0000:41:00.0 | planned"
    run 1 explain big
    grep -q "^0000:41:00.0${tab}no-room${tab}all of the 16 GiB" "$tmp/out"
    verdict $? "prints each GPU's reason"
    run 0 start web1
    tells "Domain 'web1' started"
    run 1 start big
    ! grep -q started "$tmp/out"
    verdict $? "a domain that cannot start is not started"
    rm -f "$tmp/out" # a previous example may still write to it
    $example events "$@" > "$tmp/out" 2> "$tmp/err" &
    events=$!
    until_true is_heard
    tells "vgpu-removed | 11111111-2222-5333-8444-555555555555 | its domain is off"
    kill $events 2> /dev/null
    wait $events 2> /dev/null
}

# left_out LANGUAGE WHY
left_out()
{
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

start_manager

if command -v jq > /dev/null; then
    example="sh $examples/vgpus-jq.sh"
    try
    run 0 free
    tells "0000:41:00.0 | NVIDIA A2-4Q | 3"
    run 2 nonsense
else
    left_out jq "jq is missing"
fi

# Debian's python3 has PyGObject; another one earlier in PATH may not
python=''
for one in python3 /usr/bin/python3; do
    [ -n "$python" ] || ! "$one" -c 'from gi.repository import Gio' 2> /dev/null || python=$one
done
if [ -n "$python" ]; then
    example="$python $examples/vgpus.py"
    try 1
    run 2 nonsense
else
    left_out Python "python3 with PyGObject is missing"
fi

# the place of the module in distributions: Debian's golang-dbus-dev (golang-github-godbus-dbus-dev)
godbus=${GODBUS:-/usr/share/gocode/src/github.com/godbus/dbus}
[ ! -d "$godbus/v5" ] || godbus=$godbus/v5
if ! command -v go > /dev/null; then
    left_out Go "go is missing"
elif [ ! -f "$godbus/go.mod" ]; then
    left_out Go "the module github.com/godbus/dbus/v5 is missing"
else
    mkdir "$tmp/src"
    cp "$examples/vgpus.go" "$tmp/src/main.go"
    cat > "$tmp/src/go.mod" << MOD
module vgpus
go 1.16
require github.com/godbus/dbus/v5 v5.0.0
replace github.com/godbus/dbus/v5 => $godbus
MOD
    (cd "$tmp/src" && HOME=$tmp GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local go build -o "$tmp/vgpus") \
        > "$tmp/out" 2> "$tmp/err"
    verdict $? "the example in Go is built"
    example=$tmp/vgpus
    try 1
    run 1 nonsense
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
