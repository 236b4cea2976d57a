#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compare the pages with the programs: verbs, options, configuration keys and D-Bus methods; the rules of the
# life cycle with those in DESIGN.md. Check examples: the options of commands exist, and XML is valid.
# Usage: check-docs.sh; check-docs.sh --life-cycle TREE checks the rules of that tree only.
set -eu
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
builddir=$(cd "${builddir:-.}" && pwd)
cd "${top_srcdir:-.}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain()
{
    echo "$*"
    failed=1
}

# same WHAT FILE1 FILE2: complain about what is in one list only.
same()
{
    LC_ALL=C sort -u "$2" > "$tmp/a"
    LC_ALL=C sort -u "$3" > "$tmp/b"
    diff "$tmp/a" "$tmp/b" > "$tmp/diff" || complain "$1:
$(grep '^[<>]' "$tmp/diff")"
}

# --- the life cycle ---------------------------------------------------------------------------
# A drawing may name only rules and these phases.
phases='none creating ready attaching releasing failed'
# Actions that change the phase of a record, or create or drop one.
moves='place|adopt|claim|make|params|take|confirm|release|fail|drop|define|undefine'

# life_cycle TREE: the table of rules in DESIGN.md has those of lifecycle.c, with their actions, in the same
# order; the drawing has exactly those that change a phase.
life_cycle()
{
    sed -nE 's/^ +\{ DO\("([^"]+)", ([A-Z_]+),.*/\1 \2/p' "$1/src/core/lifecycle.c" |
        tr 'A-Z_' 'a-z ' > "$tmp/rules"
    sed -n '/^## The life cycle of a vGPU$/,/^## Reservations$/p' "$1/docs/DESIGN.md" > "$tmp/section"
    # shellcheck disable=SC2016 # backquotes of Markdown
    sed -nE 's/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \| .*\|$/\1 \2/p' "$tmp/section" > "$tmp/table"
    diff "$tmp/rules" "$tmp/table" > "$tmp/diff" ||
        complain "rules of src/core/lifecycle.c (<) and of the table in docs/DESIGN.md (>) differ:
$(grep '^[<>]' "$tmp/diff")"
    [ -s "$tmp/rules" ] || complain "no rules found in src/core/lifecycle.c"

    grep '^    ' "$tmp/section" > "$tmp/drawing" || complain "docs/DESIGN.md: no drawing of the life cycle"
    if grep -nE '.{79}' "$tmp/drawing"; then
        complain "docs/DESIGN.md: the drawing of the life cycle is wider than 78 columns"
    fi
    sed -nE "s/^([^ ]+) ($moves)$/\\1/p" "$tmp/rules" > "$tmp/moving"
    grep -oE '[a-z]{2,}(-[a-z]+)*' "$tmp/drawing" | grep -vxF "$(echo "$phases" | tr ' ' '\n')" > "$tmp/drawn"
    same "rules that change a phase (<) and those in the drawing of docs/DESIGN.md (>) differ" \
        "$tmp/moving" "$tmp/drawn"
    for phase in $phases; do
        grep -qw "$phase" "$tmp/drawing" || complain "docs/DESIGN.md: $phase is not in the drawing"
    done
}

# reliability TREE: every test that docs/RELIABILITY.md names exists, and each promise names a test or says that
# there is none.
reliability()
{
    grep -oE 'tests/[A-Za-z0-9_./-]*[A-Za-z0-9]' "$1/docs/RELIABILITY.md" | LC_ALL=C sort -u > "$tmp/named"
    [ -s "$tmp/named" ] || complain "docs/RELIABILITY.md: no tests found"
    while read -r named; do
        [ -e "$named" ] || complain "docs/RELIABILITY.md: there is no $named"
    done < "$tmp/named"
    sed -n '/^## /q;/^| \*\*/p' "$1/docs/RELIABILITY.md" > "$tmp/promises"
    [ -s "$tmp/promises" ] || complain "docs/RELIABILITY.md: no promises found"
    while read -r promise; do
        echo "$promise" | grep -qE '^\| [^|]+ \| [^|]*(tests/|none yet)[^|]* \| [^| ][^|]* \|$' ||
            complain "docs/RELIABILITY.md: not a promise, its test and a figure: $promise"
    done < "$tmp/promises"
}

# options PROGRAM...: the long options that its help lists.
options()
{
    "$@" --help | sed -nE 's/^ +(-[a-z], )?(--[a-z][a-z-]*).*/\2/p' | LC_ALL=C sort -u
}

# --- examples ---------------------------------------------------------------------------------
cli=$builddir/virt-vgpu
help=${CHECK_DOCS_HELP:-$tmp/help} # read once per verb, also by the self-tests
export CHECK_DOCS_HELP="$help"
mkdir -p "$help"

# help_of VERB: writes its options to $help/VERB, which is empty for an unknown verb.
help_of()
{
    # shellcheck disable=SC2086 # it may have two words
    [ -e "$help/$1" ] || options "$cli" $1 > "$help/$1" 2> /dev/null || true
}

# Whether it was built with the fleet, whose verbs have two words.
has_fleet()
{
    help_of "fleet list"
    grep -qx -e --profile "$help/fleet list"
}

# typed FILE: the calls of virt-vgpu in a page, one per line, up to the next pipe, bracket or the like: from code blocks
# and backquotes in Markdown, from examples in a man page.
typed()
{
    # shellcheck disable=SC2016 # backquotes of Markdown
    case $1 in
        *.md)
            awk '/^ *```/ { code = !code; next } code || /^    / { print; next } { text = text " " $0 }
                 END { while (match(text, /`[^`]+`/)) {
                           print substr(text, RSTART + 1, RLENGTH - 2); text = substr(text, RSTART + RLENGTH) } }' "$1" ;;
        *) grep '^ ' "$1" ;;
    esac | sed -E ':join; /[\\|]$/ { N; s/\\?\n/ /; b join; }' |
        sed -E 's/(^|[^/])\bvirt-vgpu +([a-z])/\1\n@\2/g' | sed -nE 's/^@([^|&;)>`]*).*/\1/p'
}

# commands TREE: each call of virt-vgpu in its pages has a verb and options that exist.
commands()
{
    : > "$tmp/seen"
    for page in "$1"/docs/*.md "$1"/docs/*.pod "$1"/README.md; do
        [ -e "$page" ] || continue
        typed "$page" | grep -vx 'capture 1' > "$tmp/typed" || continue # that is a format
        while read -r verb words; do
            if [ "$verb" = fleet ]; then
                has_fleet || continue
                verb="fleet ${words%% *}" words="${words#* }"
            fi
            echo "$verb" >> "$tmp/seen"
            help_of "$verb"
            [ -s "$help/$verb" ] || complain "${page#"$1"/}: virt-vgpu has no verb '$verb'"
            for option in $(echo "$words" | tr ' ' '\n' | sed -nE 's/^(--[a-z][a-z-]*).*/\1/p'); do
                grep -qxF -e "$option" "$help/$verb" || complain "${page#"$1"/}: 'virt-vgpu $verb' has no option $option"
            done
        done < "$tmp/typed"
    done
    [ -s "$tmp/seen" ] || complain "no calls of virt-vgpu found in the pages"
}

# valid FILE: whether xmllint and the schema of its element accept it, or, for an annotation, virt-vgpu validate.
valid()
{
    kind=$(sed -nE 's/^<(vgpu:)?([a-z]+).*/\2/p;T;q' "$1")
    case $kind in
        devices | domain) "$cli" validate "$1" ;;
        vgpupool) xmllint --nonet --noout --relaxng xml-schemas/virt-vgpu-pool.rng "$1" ;;
        vgpuhost) xmllint --nonet --noout --relaxng xml-schemas/virt-vgpu-host.rng "$1" ;;
        *) xmllint --nonet --noout "$1" ;;
    esac
}

# blocks TREE: each block of XML in its Markdown is valid.
blocks()
{
    rm -rf "$tmp/xml"
    mkdir "$tmp/xml"
    for page in "$1"/docs/*.md; do
        awk -v to="$tmp/xml/$(basename "$page" .md)" '
            /^ *```xml$/ { indent = index($0, "`"); file = sprintf("%s-%d.xml", to, NR); next }
            /^ *```$/ { file = "" }
            file { print substr($0, indent) > file }' "$page"
    done
    [ -n "$(ls "$tmp/xml")" ] || complain "no XML found in docs/*.md"
    for block in "$tmp"/xml/*; do
        valid "$block" > "$tmp/out" 2>&1 || complain "$(basename "$block"): $(cat "$tmp/out")"
    done
}

examples()
{
    commands "$1"
    if command -v xmllint > /dev/null; then
        blocks "$1"
    else
        echo "xmllint is not installed: XML in pages is not checked"
    fi
}

# main_job TREE: the lines of that transcript are on the first page, which the lab runs and compares.
main_job()
{
    sed 's/^# //; /^$/d' "$1/docs/images/main-job.txt" > "$tmp/cast"
    [ -s "$tmp/cast" ] || complain "docs/images/main-job.txt is empty"
    while IFS= read -r line; do
        grep -qxF -e "$line" "$1/docs/first-vgpu-vm.md" ||
            complain "docs/images/main-job.txt: docs/first-vgpu-vm.md does not have: $line"
    done < "$tmp/cast"
}

case ${1:-} in
    --life-cycle | --reliability | --examples | --main-job)
        case $1 in
            --life-cycle) life_cycle "$2" ;;
            --reliability) reliability "$2" ;;
            --examples) examples "$2" ;;
            --main-job) main_job "$2" ;;
        esac
        exit "$failed" ;;
esac

# spoil FILE SED [CHECK]: whether the check finds that change to a file in a copy of this tree.
spoil()
{
    rm -rf "$tmp/tree"
    mkdir -p "$tmp/tree/src/core" "$tmp/tree/docs/images"
    cp src/core/lifecycle.c "$tmp/tree/src/core/"
    cp docs/*.md "$tmp/tree/docs/"
    cp docs/images/main-job.txt "$tmp/tree/docs/images/"
    sed -i -E "$2" "$tmp/tree/$1"
    if cmp -s "$1" "$tmp/tree/$1"; then
        complain "self-test: nothing to change in $1: $2"
    elif sh "$self" "${3:---life-cycle}" "$tmp/tree" > "$tmp/out"; then
        complain "self-test: not found: $1: $2"
    fi
}

life_cycle .
# Every kind of difference must be found.
spoil src/core/lifecycle.c 's/DO\("orphan",/DO("leftover",/'
spoil src/core/lifecycle.c 's/DO\("nothing-to-use", DROP/DO("nothing-to-use", FAIL/'
spoil src/core/lifecycle.c '/DO\("is-told"/d'
spoil docs/DESIGN.md '/^\| `is-told` /d'
spoil docs/DESIGN.md 's/^(\| `)(is-told` .*)/\1was-told-of\2/'
spoil docs/DESIGN.md '/^    /s/replace-what-exists/replace-what-is/'
spoil docs/DESIGN.md '/^    /s/runs-with-it/            /'
spoil docs/DESIGN.md '/^    /s/failed$/broken/'

reliability .
spoil docs/RELIABILITY.md 's/test-kills\.c/test-kill.c/' --reliability
spoil docs/RELIABILITY.md 's/13-never-redefine/13-ever-redefine/' --reliability
spoil docs/RELIABILITY.md '/^\| \*\*Never redefine/s/tests.*`/by hand/' --reliability
spoil docs/RELIABILITY.md '/^\| \*\*Never redefine/s/\| [a-z -]* \|$/| |/' --reliability

examples .
spoil docs/first-vgpu-vm.md 's/virt-vgpu gpu-list/virt-vgpu gpu-lst/' --examples
spoil docs/first-vgpu-vm.md 's/^(virt-vgpu annotate vm1 --pro)file/\1fil/' --examples
spoil docs/coming-from.md 's/--param vgpu/--parameter vgpu/' --examples
spoil docs/coming-from.md "s/^( *<profile name='nvidia-746') default='yes'/\\1 standard='yes'/" --examples
spoil docs/coming-from.md 's/uuid="aa618089/uid="aa618089/' --examples
spoil docs/first-vgpu-vm.md "s/<sriov vfs='max'/<sriov vfs='most'/" --examples
spoil docs/virt-manager.md 's/vgpu:device profile=/vgpu:device profil=/' --examples

# --- pages ------------------------------------------------------------------------------------
for page in docs/*.md; do
    grep -qF "]($page)" README.md || complain "README.md: no link to $page"
    grep -qE "(^|[[:space:]])$page([[:space:]]|\$)" docs/Makefile.inc || complain "docs/Makefile.inc: $page is missing"
done

# --- virt-vgpu(1) -----------------------------------------------------------------------------
page=docs/virt-vgpu.1.pod
"$cli" --help | sed -nE 's/^  ([a-z][a-z-]*( [a-z]+)?)  +.*/\1/p' > "$tmp/verbs"
sed -n '/^=head1 VERBS/,/^=head1 JSON/p' "$page" |
    sed -nE 's/^=item B<([a-z][a-z-]*( [a-z]+)?)>.*/\1/p' > "$tmp/documented"
if ! has_fleet; then
    sed -i '/^fleet$/d' "$tmp/verbs"
    sed -i '/^fleet /d' "$tmp/documented"
fi
same "verbs of virt-vgpu --help (<) and of $page (>) differ" "$tmp/verbs" "$tmp/documented"
[ -s "$tmp/verbs" ] || complain "no verbs found in virt-vgpu --help"

while read -r verb; do
    help_of "$verb"
    while read -r option; do
        grep -q "B<$option>" "$page" || complain "$page: $option of '$verb' is missing"
    done < "$help/$verb"
done < "$tmp/verbs"

# --- virtvgpud(8) -----------------------------------------------------------------------------
page=docs/virtvgpud.8.pod
options "$builddir/virtvgpud" | sed '/^--help-all$/d' > "$tmp/options"
sed -nE 's/^=item (B<-[a-z]>, )?B<(--[a-z-]+)>.*/\2/p' "$page" > "$tmp/documented"
same "options of virtvgpud --help (<) and of $page (>) differ" "$tmp/options" "$tmp/documented"

# --- virt-vgpu-host(8) ------------------------------------------------------------------------
if [ -e "$builddir/virt-vgpu-host" ]; then # else --disable-host-setup
    page=docs/virt-vgpu-host.8.pod
    options "$builddir/virt-vgpu-host" > "$tmp/options"
    sed -nE 's/^=item (B<-[a-z]>, )?B<(--[a-z-]+)>.*/\2/p' "$page" > "$tmp/documented"
    same "options of virt-vgpu-host --help (<) and of $page (>) differ" "$tmp/options" "$tmp/documented"
    "$builddir/virt-vgpu-host" --help | sed -nE '/^Verbs:/,$s/^  ([a-z][a-z-]*) .*/\1/p' > "$tmp/verbs"
    sed -n '/^=head1 VERBS/,/^=head1 OPTIONS/p' "$page" | grep '^=item' |
        grep -oE 'B<[a-z][a-z-]+>' | grep -vxE 'B<max>' | sed -E 's/B<(.*)>/\1/' > "$tmp/documented"
    same "verbs of virt-vgpu-host --help (<) and of $page (>) differ" "$tmp/verbs" "$tmp/documented"
fi

# --- virt-vgpu-fleet(8) -----------------------------------------------------------------------
if [ -e "$builddir/virt-vgpu-fleet" ]; then # else --disable-fleet
    page=docs/virt-vgpu-fleet.8.pod
    options "$builddir/virt-vgpu-fleet" | sed '/^--help-all$/d' > "$tmp/options"
    sed -nE 's/^=item (B<-[a-z]>, )?B<(--[a-z-]+)>.*/\2/p' "$page" > "$tmp/documented"
    same "options of virt-vgpu-fleet --help (<) and of $page (>) differ" "$tmp/options" "$tmp/documented"
fi

# --- virt-vgpu.conf(5) ------------------------------------------------------------------------
sed -nE 's/^ +\{ "([a-z]+)", "([A-Za-z_]+)", .*/\1 \2/p' src/base/config.c > "$tmp/keys"
awk '/^=head1/ { group = $2 == "GROUP" ? substr($3, 2, length($3) - 2) : "" }
     group != "" && /^=item B</ { gsub(/^=item B<|>.*/, ""); print group, $0 }' \
    docs/virt-vgpu.conf.5.pod > "$tmp/documented"
awk '/^\[/ { group = substr($0, 2, length($0) - 2) }
     /^#[A-Za-z_]+=/ { gsub(/^#|=.*/, ""); print group, $0 }' data/virt-vgpu.conf > "$tmp/example"
[ -s "$tmp/keys" ] || complain "no keys found in src/base/config.c"
same "keys of src/base/config.c (<) and of virt-vgpu.conf(5) (>) differ" "$tmp/keys" \
    "$tmp/documented"
same "keys of src/base/config.c (<) and of data/virt-vgpu.conf (>) differ" "$tmp/keys" \
    "$tmp/example"

# --- org.virtvgpu.Manager1 --------------------------------------------------------------------
sed -nE 's/.*<method name="([A-Za-z]+)".*/\1/p' data/org.virtvgpu.Manager1.xml > "$tmp/methods"
while read -r method; do
    snake=$(echo "$method" | sed -E 's/([a-z])([A-Z])/\1_\2/g' | tr '[:upper:]' '[:lower:]')
    dashed=$(echo "$snake" | tr _ -)
    grep -qrE "handle-$dashed|manager1_complete_$snake\\b|\"$method\"" src/daemon ||
        complain "org.virtvgpu.Manager1: $method has no handler in src/daemon"
    # those for other programs are called by tests instead
    grep -qrE "manager1_call_$snake(_sync|_finish)?\\b|\"$method\"" src/cli ||
        grep -qE "\\b(call|state_[a-z]*) $method\\b" tests/test-daemon-*.sh ||
        complain "org.virtvgpu.Manager1: $method is used by no command and no test"
done < "$tmp/methods"

# --- pictures ---------------------------------------------------------------------------------
# Those of terminals are made from transcripts, and that of the main job shows what the lab runs.
sed -nE 's,.*\]\((images/[^)]+)\).*,docs/\1,p' docs/*.md > "$tmp/shown"
sed -nE 's,.*\]\((docs/images/[^)]+)\).*,\1,p' README.md >> "$tmp/shown"
find docs/images -name '*.png' -o -name '*.svg' > "$tmp/pictures"
[ -s "$tmp/shown" ] || complain "no pictures found in docs/*.md"
same "pictures that pages show (<) and those of docs/images (>) differ" "$tmp/shown" \
    "$tmp/pictures"
mkdir "$tmp/made"
sh docs/images/pictures.sh "$tmp/made"
for picture in docs/images/*.svg; do
    cmp -s "$picture" "$tmp/made/$(basename "$picture")" ||
        complain "$picture is not what docs/images/pictures.sh makes of its transcript"
done
main_job .
spoil docs/first-vgpu-vm.md 's/is being shutdown/is going down/' --main-job
while read -r picture; do
    grep -qF "$picture" docs/Makefile.inc || complain "docs/Makefile.inc: $picture is missing"
done < "$tmp/pictures"

exit "$failed"
