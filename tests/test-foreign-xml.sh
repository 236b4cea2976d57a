#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Foreign elements in a domain's XML, and XML that libxml2 parses slowly: the domain is refused with the limit if it
# is ours, and ignored if it is not. From the outside, with the real daemon and hook.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none

# with_metadata N: the XML of domain vmN, with stdin appended to its metadata
with_metadata()
{
    awk 'NR == FNR { more = more $0 "\n"; next }
         { if (i = index($0, "</metadata>")) $0 = substr($0, 1, i - 1) more substr($0, i); print }' \
        - "$root/vm$1.xml" > "$root/new.xml" && mv "$root/new.xml" "$root/vm$1.xml"
}
attributes() { awk 'BEGIN { printf "<o:x xmlns:o=\"urn:o\""; for (i = 0; i < 60000; i++) printf " a%d=\"1\"", i; print "/>" }'; }
namespaces() { awk 'BEGIN { print "<o>"; for (i = 0; i < 60000; i++) printf "<e xmlns:n%d=\"urn:some-name:%d\"/>", i, i; print "</o>" }'; }
levels() { awk 'BEGIN { for (i = 0; i < 256; i++) printf "<a>"; for (i = 0; i < 256; i++) printf "</a>"; print "" }'; }

echo '<node>' > "$root/host.xml"
for n in 1 2 3 4 5; do
    annotated "$n" A2-4Q
    cat "$root/vm$n.xml" >> "$root/host.xml"
done
echo '</node>' >> "$root/host.xml"
attributes | with_metadata 2
namespaces | with_metadata 3
levels | with_metadata 4
{
    echo '<!DOCTYPE domain [<!ATTLIST domain'
    awk 'BEGIN { for (i = 0; i < 100000; i++) printf " a%d CDATA #IMPLIED", i }'
    echo '>]>'
    cat "$root/vm5.xml"
} > "$root/new.xml" && mv "$root/new.xml" "$root/vm5.xml"

# asked N: a prepare of domain vmN that does not wait for its answer
waiting=''
asked() { prepare "$1" > "$root/asked$1" 2>&1 & waiting="$waiting $!"; }

check "the daemon starts" up
for n in 2 3 4 5 2 3 4 5 2 3 4 5; do
    asked "$n"
done
check "a domain starts beside twelve with such XML" prepare 1
check "it has its vGPU" has_devices 1
# shellcheck disable=SC2086 # a list
wait $waiting
check "60,000 attributes on a foreign element are refused" \
    fails_with "domain 'vm2': line " prepare 2
check "with the limit" grep "a tag with more than 256 attributes" "$root/said"
check "2.4 MB of namespaces are refused" \
    fails_with "more than 4096 namespace declarations" prepare 3
check "more levels than libxml2 reads are refused" fails_with "depth" prepare 4
check "an ATTLIST is refused" \
    fails_with "line 1: a document type declaration (DTD) is not allowed" prepare 5
check "the log says so" grep "start refused.*'vm2'.*256 attributes" "$root/log"
check "migrate is refused with it" fails_with "256 attributes" hook 2 migrate begin
check "none of them has a vGPU" has_devices 1

# as after an edit of the metadata of a running domain
attributes | with_metadata 1
check "a release needs only the UUID" release 1
check "and removes the existing vGPUs" until_true nothing_left

# because of the record, the hook calls the daemon for a domain without an annotation
annotated 1 A2-4Q
prepare 1
check "a domain has a record" has_record 1
{
    domain_xml 1 | sed 's/<os>.*//'
    echo "<metadata>"
    attributes
    echo "</metadata></domain>"
} > "$root/vm1.xml"
check "a domain without annotation starts, whatever its XML" prepare 1
check "its old vGPU is removed" until_true has_no_record 1
check "it can be migrated" hook 1 migrate begin
check "all is gone" until_true nothing_left

finish
