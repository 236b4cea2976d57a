#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The completion of virt-vgpu, against a fake daemon and libvirt's test driver: in bash first its function alone, then
# keys typed on a terminal; in zsh and fish where they are installed.
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
    # an attacker has chosen the last one, to have it run
    for name in web1 web2 "a b" "q&quot;\$(touch ran)\`touch ran\`\\'!q"; do
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

"$builddir/virt-vgpu" --help | sed -nE 's/^  ([a-z][a-z-]*)( [a-z]+)?  +.*/\1/p' | uniq > "$tmp/verbs"
mapfile -t verbs < "$tmp/verbs"
[ "${#verbs[@]}" -gt 35 ]
verdict $? "there are verbs"
offers "virt-vgpu " "${verbs[@]}"
offers "virt-vgpu pool-d" pool-define pool-destroy pool-dumpxml
offers "virt-vgpu --json expl" explain
offers "virt-vgpu --bus session expl" explain
offers "virt-vgpu --bus s" system session
offers "virt-vgpu frobnicate "
declare -A seen
for verb in "${verbs[@]}"; do
    "$builddir/virt-vgpu" "$verb" --help > "$tmp/all"
    mapfile -t options < <(sed -nE 's/^ +(-[a-z], )?(--[a-z][a-z-]*).*/\2/p' "$tmp/all" | sort -u)
    offers "virt-vgpu $verb --" "${options[@]}"
    # and the values of those that have some are in their help; most options are the same in each verb
    while IFS=$'\t' read -r option _ values; do
        [ "$option" != --columns ] || continue # these are not in the help
        [ -z "${seen[$option=$values]:-}" ] || continue
        seen[$option=$values]=1
        sed -n "/^ .*$option /,/^  *\(-., \)\{0,1\}--/p" "$tmp/all" > "$tmp/help"
        for value in $values; do
            offers "virt-vgpu $verb $option $value" "$value"
            grep -qw -- "$value" "$tmp/help"
            verdict $? "$verb: the help of $option has $value"
        done
    done < <("$builddir/virt-vgpu" help --words "$verb")
done

# after the shell's parsing, the offered word is the name, whatever the quoting
evil="q\"\$(touch ran)\`touch ran\`\\'!q"
quoted=$(printf %q "$evil")
offers "virt-vgpu explain " web1 web2 'a\ b' "$quoted"
for quote in '' "'" '"'; do
    COMP_LINE="virt-vgpu explain ${quote}q" COMPREPLY=()
    COMP_POINT=${#COMP_LINE}
    _virt_vgpu virt-vgpu
    eval "read_again=$quote${COMPREPLY[0]}$quote"
    [ "$read_again" = "$evil" ] && [ ! -e ran ]
    verdict $? "a name stays one word and text behind ${quote:-no quote}, got $quote${COMPREPLY[0]}$quote"
done
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
offers "virt-vgpu annotate web1 --keep-room " no yes
offers "virt-vgpu pool-info d" default design
offers "virt-vgpu doctor --capture x --try 0000:4" 41:00.0
offers "virt-vgpu gpu-info " 0000:05:00.0 0000:41:00.0 0000:e1:00.0
offers "virt-vgpu gpu-info 0000:4" 41:00.0
offers "virt-vgpu gpu-info 0000:41:" 00.0
offers "virt-vgpu gpu-info \"0000:4" 0000:41:00.0
offers "virt-vgpu create 0000:41:00.0 NV" 'NVIDIA\ A2-4Q' 'NVIDIA\ L40S-8Q'
offers "virt-vgpu create 0000:41:00.0 --persistent NVIDIA\\ L" 'NVIDIA\ L40S-8Q'
offers "virt-vgpu destroy " 11111111-2222-5333-8444-555555555555
offers "virt-vgpu help pool-li" pool-list
if grep -qw 'fleet list' <("$builddir/virt-vgpu" help fleet); then
    offers "virt-vgpu fleet dra" drain
    offers "virt-vgpu --json fleet place --pa" --pack
    offers "virt-vgpu fleet place w" web1 web2
    offers "virt-vgpu fleet place --pool d" default design
    offers "virt-vgpu fleet --json drain --w" --wait --wide
    offers "virt-vgpu fleet list -o st" state
    offers "virt-vgpu fleet info "
    offers "virt-vgpu fleet frobnicate "
    fleet=1
fi
offers "virt-vgpu pool-define po" pool.xml
offers "virt-vgpu list -o dom" domain domain_uuid
offers "virt-vgpu list --columns pa" parent
offers "virt-vgpu host-export -o po" pool.xml
offers "virt-vgpu list --bus s" system session

# shells SHELL: the same words in another shell, if it is installed
shells()
{
    command -v "$1" > /dev/null || return 0
    same "$1" "virt-vgpu pool-d" "pool-define pool-destroy pool-dumpxml"
    same "$1" "virt-vgpu --json expl" explain
    same "$1" "virt-vgpu explain w" "web1 web2"
    same "$1" "virt-vgpu gpu-info 0000:4" 0000:41:00.0
    same "$1" "virt-vgpu create 0000:41:00.0 NVIDIA" "NVIDIA A2-4Q NVIDIA L40S-8Q"
    same "$1" "virt-vgpu attach web1 --pool " "default design"
    same "$1" "virt-vgpu attach web1 --placement " "numa pack spread"
    same "$1" "virt-vgpu attach web1 --pla" --placement
    same "$1" "virt-vgpu list -o dom" "domain domain_uuid"
    same "$1" "virt-vgpu help pool-li" pool-list
    same "$1" "virt-vgpu doctor --capture x --try 0000:4" 0000:41:00.0
    same "$1" "virt-vgpu pool-define po" pool.xml
    [ -z "${fleet:-}" ] || same "$1" "virt-vgpu fleet dra" drain
    [ -z "${fleet:-}" ] || same "$1" "virt-vgpu fleet place w" "web1 web2"
    [ -z "${fleet:-}" ] || same "$1" "virt-vgpu fleet --json drain --w" "--wait --wide"
    same "$1" "virt-vgpu start web1 " ""
}
same() # SHELL LINE WORDS
{
    "in_$1" "$2" 2> "$tmp/err" | LC_ALL=C sort | paste -sd ' ' > "$tmp/out"
    [ "$(cat "$tmp/out")" = "$3" ] && [ ! -s "$tmp/err" ]
    verdict $? "$1: '$2' offers: $3"
}
in_zsh() # LINE: what compadd, which exists only while zsh completes, is given
{
    zsh -f -c 'fpath=("$1"); autoload _virt-vgpu; words=(${(z)2}); [[ $2 != *" " ]] || words+=("")
        CURRENT=$#words PREFIX=$words[-1]
        compadd() { [[ $1 != -- ]] || shift; print -rl -- ${(M)@:#$PREFIX*} }
        _files() { print -rl -- $PREFIX*(N) }
        _virt-vgpu | grep .' - "$srcdir/data/completion" "$1" || true
}
# shellcheck disable=SC2016 # fish expands it
in_fish()
{
    HOME=$tmp fish --private --no-config -c 'source $argv[1]/virt-vgpu.fish; complete -C $argv[2]' \
        "$srcdir/data/completion" "$1" | cut -f 1
}
shells zsh
shells fish

# bash-completion completes redirections
if [ -r /usr/share/bash-completion/bash_completion ]; then
    redirected=$(bash -c '. /usr/share/bash-completion/bash_completion; . "$1/data/completion/virt-vgpu"
        COMP_LINE="virt-vgpu pool-list > po" COMP_POINT=24 COMP_WORDS=(virt-vgpu pool-list ">" po) COMP_CWORD=3
        _virt_vgpu virt-vgpu po ">"; echo "${COMPREPLY[*]}"' - "$srcdir" 2> /dev/null)
    [ "$redirected" = pool.xml ]
    verdict $? "a redirection completes files, got $redirected"
    verb=$(bash -c '. /usr/share/bash-completion/bash_completion; . "$1/data/completion/virt-vgpu"
        COMP_LINE="virt-vgpu expl" COMP_POINT=14 COMP_WORDS=(virt-vgpu expl) COMP_CWORD=1
        _virt_vgpu virt-vgpu expl virt-vgpu; echo "${COMPREPLY[*]}"' - "$srcdir" 2> /dev/null)
    [ "$verb" = explain ]
    verdict $? "and verbs are as without it, got $verb"
fi
kill "$manager"
wait "$manager" 2> /dev/null
manager=''
offers "virt-vgpu gpu-info "
offers "virt-vgpu expl" explain
start_manager

# --- on a terminal ----------------------------------------------------------------------------
# The completed line gives the intended arguments: the program prints them in brackets.
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
    for quote in '' "'" '"'; do
        typed "virt-vgpu start ${quote}q\\t" "<start><$evil>"
    done
    [ ! -e ran ]
    verdict $? "nothing of a name is run"
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
