#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The steps of docs/first-vgpu-vm.md work as written, and print the output that the page shows
# takes: 45
# once: bookworm
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

page=/lab/src/docs/first-vgpu-vm.md
steps=/run/lab-page

# Each ```sh block below a comment "lab" is written to NN.sh, the ```text block that follows it, if any, to NN.text;
# with NN.wait it is repeated until it prints that.
rm -rf $steps
mkdir $steps
awk -v dir=$steps '
    /^<!-- lab(: wait)? -->$/ { base = sprintf("%s/%02d", dir, ++n); if (/wait/) printf "" > (base ".wait"); next }
    /^```/ && file { close(file); file = ""; next }
    /^```sh$/ && base { file = base ".sh"; next }
    /^```text$/ && base { file = base ".text"; base = ""; next }
    file { print > file; next }
    NF && base && system("test -e " base ".sh") == 0 { base = "" }' $page
assert_eq "$(find $steps -name '*.sh' | wc -l)" "$(grep -c '^<!-- lab' $page)" "steps of $page"
[ -e $steps/11.sh ] || fail "the page has lost steps: $(ls $steps)"

# shows FILE: standard input contains the lines of FILE, in that order. Blanks and the length of rules are ignored;
# … matches any text, and on its own any number of lines.
shows() {
    /usr/bin/python3 -ISc 'import re, sys
def squeezed(lines): return [re.sub("-{4,}", "----", " ".join(line.split())) for line in lines if line.strip()]
wanted = [line for line in squeezed(open(sys.argv[1])) if line != "…"]
for line in squeezed(sys.stdin):
    pattern = re.escape(wanted[0]).replace(r"\ …\ ", "( .*)? ").replace("…", ".*") if wanted else "(?!)"
    if re.fullmatch(pattern, line):
        del wanted[0]
if wanted:
    sys.exit("the page shows, and it is not printed: " + wanted[0])' "$1"
}

# step FILE: its commands succeed and print the output shown for them.
step() {
    local out=${1%.sh}.out
    bash -euo pipefail "$1" > "$out" 2>&1 || return
    [ ! -e "${1%.sh}.text" ] || shows "${1%.sh}.text" < "$out"
}

# The host and the VM at the beginning of the page.
vfs_on "$A2" 0
define vm1 --graphics
begins() { [ "$(json 'v["vfs_enabled"], v["nodedev"] is not None' gpu-info "$A2")" = "(0, True)" ]; }
wait_for 30 begins

for script in "$steps"/*.sh; do
    say "$(cat "$script")"
    if [ -e "${script%.sh}.wait" ]; then
        for ((i = 0; i < 50; i++)); do
            ! step "$script" > /dev/null 2>&1 || break
            sleep 0.2
        done
    fi
    step "$script" || fail "$(basename "$script"): $(cat "${script%.sh}.out")"
done
assert_eq "$(vfs_of "$A2") $(state vm1)" "16 shut off" "the host and the VM at the end"
assert_grep "address=.$A2." "$(cat /etc/virt-vgpu/host.xml)" "host.xml"
wait_for 10 nothing_left
