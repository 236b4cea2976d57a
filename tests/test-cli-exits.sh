#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-vgpu's exit statuses, which tell scripts what they can do next, and errors as JSON, for every verb.
# shellcheck disable=SC2154 # tests and failures are counted in functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-exits.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
# shellcheck disable=SC2317 # by the trap
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml"
unset VIRT_VGPU_ROOT
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

# fails EXIT WORD TEXT ARGUMENT...: the text is on stderr with and without --json; stdout has the error as one object
# with it, and is empty without it
fails()
{
    status=$1 word=$2 text=$3
    shift 3
    cli "$status" "$@"
    err "$text"
    [ ! -s "$tmp/out" ]
    verdict $? "prints nothing"
    cli "$status" "$@" --json
    err "$text"
    sed -n 's/^virt-vgpu: //p' "$tmp/err" | head -n 1 > "$tmp/detail"
    sed -i 's|\\/|/|g' "$tmp/out"
    printf '{\n  "error" : "%s",\n  "code" : %u,\n  "detail" : "%s"\n}\n' "$word" "$status" "$(cat "$tmp/detail")" |
        cmp -s - "$tmp/out"
    verdict $? "is one object: $word"
}

# --- wrong usage ------------------------------------------------------------------------------
fails 2 usage "unknown verb 'frobnicate'" frobnicate
cli 2 --json
json '{"error":"usage","code":2,"detail":"--jsonneedsaverb"}'
cli 2 help list --json
json '{"error":"usage","code":2,"detail":"helpisnotavailableasJSON"}'
fails 2 usage "Unknown option --frob" list --frob
fails 2 usage "an argument is missing: GPU" gpu-info
"$builddir/virt-vgpu" help --words VERB | grep -v '^-' > "$tmp/verbs"
while read -r verb; do
    [ "$verb" != fleet ] || "$builddir/virt-vgpu" --help | grep -q 'fleet list' || continue # --disable-fleet
    fails 2 usage "Unknown option --frob" "$verb" --frob
done < "$tmp/verbs"
cli 2 list --frob -- --json # an argument
[ ! -s "$tmp/out" ]
verdict $? "prints nothing"

# --- no daemon, no libvirt --------------------------------------------------------------------
for verb in gpu-list list pool-list inventory events "mig-list 41:00.0" "create 41:00.0 x"; do
    # shellcheck disable=SC2086 # words
    fails 6 unreachable "virtvgpud is not running" $verb
done
fails 6 unreachable "cannot connect to libvirt" explain web1
fails 6 unreachable "cannot connect to libvirt" annotate web1 --profile x
fails 3 not-found "No such file or directory" validate "$tmp/none.xml"
fails 3 not-found "No such file or directory" annotate --xml "$tmp/none.xml" --profile x --output "$tmp/y"
printf '<domain type="test"><name>web1</name>\n' > "$tmp/bad.xml"
fails 1 failed "line 2: " explain --xml "$tmp/bad.xml"

printf '<domain type="test"><name>web1</name><\302\2332J/></domain>\n' > "$tmp/bad.xml"
cli 1 explain --xml "$tmp/bad.xml"
! grep -qF "$(printf '\302\233')" "$tmp/err"
verdict $? "quoted text contains no terminal escapes"

# --- errors of the daemon ---------------------------------------------------------------------
start_manager
fails 1 failed "MIG mode: reset required" mig-apply 41:00.0 99
fails 2 usage "16 virtual functions at most" gpu-enable 41:00.0 --vfs 33
fails 3 not-found "no such GPU" gpu-info 41:00.1
fails 3 not-found "no such vGPU" destroy 99999999-2222-5333-8444-555555555555
fails 4 no-room "no room for full" create 41:00.0 full
fails 5 busy "is in use: domain 'web1'" gpu-enable 41:00.0 --vfs 13
fails 5 busy "the pool is active; stop it first" pool-undefine design
fails 7 not-allowed "access denied" pool-start forbidden
cli 8 create 41:00.0 crash --json
err "virtvgpud did not answer"
json '{"error":"unknown","code":8,"detail":"virtvgpuddidnotanswer'

echo "1..$tests"
exit $((failures > 0))
