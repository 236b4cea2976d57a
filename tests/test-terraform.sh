#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Terraform examples: domains as the provider generates them get a valid annotation from vgpu.xsl and keep all else,
# applying it twice is the same as once, and the texts in the .tf files fit the stylesheet and the schema.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)
for need in xsltproc:xsltproc xmllint:libxml2-utils; do
    command -v "${need%:*}" > /dev/null || { echo "${need%:*} is missing (package ${need#*:})"; exit 77; }
done
examples=$srcdir/docs/examples/terraform
data=$srcdir/tests/data/terraform
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tests=0 failures=0
check() # WHAT COMMAND...
{
    what=$1
    shift
    tests=$((tests + 1))
    if "$@" > "$tmp/said" 2>&1; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        sed 's/^/# /' "$tmp/said"
        failures=$((failures + 1))
    fi
}
not() { ! "$@"; }

sheet=$examples/vgpu.xsl
# transform FILE OUTPUT [--stringparam NAME VALUE]...
transform()
{
    from=$1 to=$2
    shift 2
    xsltproc --nonet --nowrite "$@" "$sheet" "$from" > "$to"
}
# one XPATH FILE: what it selects, as a string
one() { xmllint --nonet --xpath "string($1)" "$2"; }
is() { [ "$(one "$1" "$3")" = "$2" ] || { one "$1" "$3"; return 1; }; }
annotations="/domain/metadata/*[namespace-uri()='urn:virt-vgpu:domain:1']"
# valid FILE: its annotation, by the schema and by virt-vgpu
valid()
{
    xmllint --nonet --xpath "$annotations" "$1" > "$tmp/annotation.xml" &&
        xmllint --nonet --noout --relaxng "$srcdir/xml-schemas/virt-vgpu-domain.rng" "$tmp/annotation.xml" &&
        "$builddir/virt-vgpu" validate "$1" && grep -q ', 1 vGPU\|, 2 vGPUs' "$tmp/said"
}
# others FILE: the domain in canonical form, without annotations, a <metadata> that is empty then, and blank text
others()
{
    cat > "$tmp/others.xsl" << 'XSL'
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:vgpu="urn:virt-vgpu:domain:1">
  <xsl:strip-space elements="*"/>
  <xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>
  <xsl:template match="vgpu:devices|metadata[not(*[not(self::vgpu:devices)])]"/>
</xsl:stylesheet>
XSL
    xsltproc --nonet "$tmp/others.xsl" "$1" | xmllint --nonet --c14n -
}
same_others()
{
    others "$1" > "$tmp/a" && others "$2" > "$tmp/b" && grep -q '<name>cad1</name>' "$tmp/a" && diff "$tmp/a" "$tmp/b"
}

for name in plain metadata annotated; do
    in=$data/$name.xml out=$tmp/$name.xml
    check "$name: is transformed" transform "$in" "$out" --stringparam profile "NVIDIA A2-1Q"
    check "$name: there is one annotation" is "count($annotations)" 1 "$out"
    check "$name: there is one <metadata>" is "count(/domain/metadata)" 1 "$out"
    check "$name: it is valid" valid "$out"
    check "$name: it has the profile" is "$annotations/*/@profile" "NVIDIA A2-1Q" "$out"
    check "$name: it has no attribute that was not set" is "count($annotations//@*)" 1 "$out"
    check "$name: all else is kept" same_others "$in" "$out"
    transform "$out" "$tmp/twice.xml" --stringparam profile "NVIDIA A2-1Q"
    check "$name: twice is the same as once" cmp "$out" "$tmp/twice.xml"
done
check "other metadata is there" is "count(/domain/metadata/*)" 3 "$tmp/metadata.xml"
check "blanks in it, too" is "/domain/metadata/*[local-name()='owner']" "render  farm" "$tmp/metadata.xml"

check "all parameters" transform "$data/plain.xml" "$tmp/all.xml" --stringparam profile A2-4Q --stringparam pool design \
    --stringparam count 2 --stringparam display on --stringparam placement spread --stringparam driverISO yes \
    --stringparam tenant acme
check "are valid" valid "$tmp/all.xml"
for pair in profile=A2-4Q pool=design count=2 display=on placement=spread driverISO=yes; do
    check "$pair" is "$annotations/*/@${pair%=*}" "${pair#*=}" "$tmp/all.xml"
done
check "tenant=acme" is "$annotations/@tenant" acme "$tmp/all.xml"
check "a pool without a profile" transform "$data/plain.xml" "$tmp/pool.xml" --stringparam profile '' --stringparam pool design
check "is valid" valid "$tmp/pool.xml"
check "neither is refused" not transform "$data/plain.xml" "$tmp/none.xml" --stringparam profile ''

# What xslt.tf replaces is in the stylesheet, once.
sed -nE 's/^ *"(name=[^,]*)", ".*/\1/p' "$examples/xslt.tf" | sed 's/\\"/"/g' > "$tmp/replaced"
check "xslt.tf replaces parameters" grep -q 'name="profile"' "$tmp/replaced"
while IFS= read -r text; do
    check "$text is in vgpu.xsl" [ "$(grep -cF -- "$text" "$sheet")" -eq 1 ]
done < "$tmp/replaced"

# The metadata attribute of metadata.tf, and of the page, as libvirt gets it
page=$srcdir/docs/terraform.md
for file in "$examples/metadata.tf" "$page"; do
    {
        echo "<domain type='kvm'><name>cad1</name><metadata>"
        sed -n '/xml = <<-XML$/,/^ *XML$/p' "$file" | sed '1d;$d'
        echo "</metadata></domain>"
    } > "$tmp/new.xml"
    check "${file##*/}: the metadata is valid" valid "$tmp/new.xml"
done

echo "1..$tests"
[ "$failures" -eq 0 ]
