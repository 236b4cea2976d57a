#!/bin/bash
# The completion of virt-vgpu in a bash, against a fake daemon and libvirt's test driver: first its
# function alone, then keys typed on a terminal.
# shellcheck disable=SC2154 # tests and failures are counted in cli-functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- bash "$srcdir/tests/test-completion.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml"
export PATH="$builddir:$PATH"
unset VIRT_VGPU_ROOT
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"
# shellcheck source=data/completion/virt-vgpu
. "$srcdir/data/completion/virt-vgpu"

{
    echo "<node>"
    for name in web1 web2 "a b"; do
        echo "<domain type='test'><name>$name</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    done
    echo "</node>"
} > "$tmp/node.xml"
cd "$tmp" || exit 1
touch "$tmp/pool.xml"
start_manager

# offers LINE WORD...: with the cursor behind LINE exactly these are offered
offers()
{
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    shift
    _virt_vgpu virt-vgpu 2> "$tmp/err"
    printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | LC_ALL=C sort > "$tmp/out"
    printf '%s\n' "$@" | LC_ALL=C sort > "$tmp/want"
    cmp -s "$tmp/want" "$tmp/out" && [ ! -s "$tmp/err" ]
    verdict $? "'$COMP_LINE' offers: $*"
}
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'

"$builddir/virt-vgpu" --help | sed -nE 's/^  ([a-z][a-z-]*)  +.*/\1/p' > "$tmp/verbs"
mapfile -t verbs < "$tmp/verbs"
[ "${#verbs[@]}" -gt 35 ]
verdict $? "there are verbs"
offers "virt-vgpu " "${verbs[@]}"
offers "virt-vgpu pool-d" pool-define pool-destroy pool-dumpxml
offers "virt-vgpu --json expl" explain
offers "virt-vgpu --bus session expl" explain
offers "virt-vgpu --bus s" system session
offers "virt-vgpu frobnicate "
for verb in "${verbs[@]}"; do
    mapfile -t options < <("$builddir/virt-vgpu" "$verb" --help |
        sed -nE 's/^ +(-[a-z], )?(--[a-z][a-z-]*).*/\2/p' | sort -u)
    offers "virt-vgpu $verb --" "${options[@]}"
    # and the values of those that have some are in their help
    while IFS=$'\t' read -r option _ values; do
        "$builddir/virt-vgpu" "$verb" --help | sed -n "/^ .*$option /,/^  *\(-., \)\{0,1\}--/p" > "$tmp/help"
        for value in $values; do
            offers "virt-vgpu $verb $option $value" "$value"
            grep -qw -- "$value" "$tmp/help"
            verdict $? "$verb: the help of $option has $value"
        done
    done < <("$builddir/virt-vgpu" help --words "$verb")
done

offers "virt-vgpu explain " web1 web2 'a\ b'
offers "virt-vgpu explain w" web1 web2
offers "virt-vgpu explain a\\ " 'a\ b'
offers "virt-vgpu explain 'a " 'a b'
offers "virt-vgpu start web1 "
offers "virt-vgpu attach web1 --profile NVIDIA\\ A" 'NVIDIA\ A2-4Q'
offers "virt-vgpu attach web1 --profile 'NVIDIA A" 'NVIDIA A2-4Q'
offers "virt-vgpu attach web1 --profile \"NVIDIA A" 'NVIDIA A2-4Q'
offers "virt-vgpu attach --profile 'NVIDIA A2-4Q' we" web1 web2
offers "virt-vgpu attach web1 --pool " default design
offers "virt-vgpu attach web1 --placement " pack spread numa
offers "virt-vgpu attach web1 --count "
offers "virt-vgpu annotate web1 --late-attach o" on off
offers "virt-vgpu pool-info d" default design
offers "virt-vgpu gpu-info " 0000:41:00.0 0000:e1:00.0
offers "virt-vgpu gpu-info 0000:4" 41:00.0
offers "virt-vgpu gpu-info 0000:41:" 00.0
offers "virt-vgpu gpu-info \"0000:4" 0000:41:00.0
offers "virt-vgpu create 0000:41:00.0 NV" 'NVIDIA\ A2-4Q' 'NVIDIA\ L40S-8Q'
offers "virt-vgpu create 0000:41:00.0 --persistent NVIDIA\\ L" 'NVIDIA\ L40S-8Q'
offers "virt-vgpu destroy " 11111111-2222-5333-8444-555555555555
offers "virt-vgpu help pool-li" pool-list
offers "virt-vgpu pool-define po" pool.xml
kill "$manager"
wait "$manager" 2> /dev/null
manager=''
offers "virt-vgpu gpu-info "
offers "virt-vgpu expl" explain
start_manager

# --- on a terminal ----------------------------------------------------------------------------
# What is typed arrives in the program as it was meant: the words are printed in brackets.
typed() # KEYS WANT
{
    rm -f "$tmp/words"
    {
        sleep 0.3
        # shellcheck disable=SC2059 # the keys are a format, for their tabulators
        printf "$1\\n"
        until_true test -s "$tmp/words"
        echo exit
    } | TERM=dumb script -qec "bash --noprofile --rcfile '$tmp/rc' -i" /dev/null > "$tmp/out" 2> "$tmp/err"
    tr -d '\r' < "$tmp/words" > "$tmp/got"
    [ "$(cat "$tmp/got")" = "$2" ]
    verdict $? "typed: $1"
}
cat > "$tmp/rc" << END
. '$srcdir/data/completion/virt-vgpu'
bind 'set bell-style none' 'set enable-bracketed-paste off'
virt-vgpu()
{
    if [ "\$1" = help ]; then command virt-vgpu "\$@"
    else printf '<%s>' "\$@" > '$tmp/words.new'; mv '$tmp/words.new' '$tmp/words'; fi
}
END
if command -v script > /dev/null; then
    typed 'virt-vgpu gpu-i\t0000:4\t' '<gpu-info><0000:41:00.0>'
    typed 'virt-vgpu crea\t0000:e\tNVIDIA\\ A\t' '<create><0000:e1:00.0><NVIDIA A2-4Q>'
    typed "virt-vgpu attach web1 --prof\t'NVIDIA L\t" '<attach><web1><--profile><NVIDIA L40S-8Q>'
    typed 'virt-vgpu attach web1 --prof\t"NVIDIA L\t--pool des\t' \
        '<attach><web1><--profile><NVIDIA L40S-8Q><--pool><design>'
    typed 'virt-vgpu start a\t' '<start><a b>'
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
