<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->
<!-- Puts virt-vgpu's annotation into a domain's XML, for the xml { xslt = … } of terraform-provider-libvirt up to 0.8;
     see docs/terraform.md. Everything else in the domain is kept. An annotation that is there already is replaced, so
     applying it twice is the same as once.

     The provider passes no parameters. Edit the defaults below, or set them with templatefile() and replace(), as
     xslt.tf does. With xsltproc: -stringparam profile 'NVIDIA A2-4Q'. An empty parameter leaves its attribute out. -->
<xsl:stylesheet version="1.0"
                xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:vgpu="urn:virt-vgpu:domain:1"
                exclude-result-prefixes="vgpu">
  <xsl:output method="xml" indent="yes" omit-xml-declaration="yes"/>

  <!-- A device needs a profile or a pool. -->
  <xsl:param name="profile" select="'NVIDIA A2-4Q'"/>
  <xsl:param name="pool" select="''"/>
  <xsl:param name="count" select="''"/>
  <xsl:param name="display" select="''"/>
  <xsl:param name="placement" select="''"/>
  <xsl:param name="driverISO" select="''"/>
  <xsl:param name="tenant" select="''"/>

  <xsl:template match="@*|node()">
    <xsl:copy>
      <xsl:apply-templates select="@*|node()"/>
    </xsl:copy>
  </xsl:template>

  <!-- Without <metadata>: a new one behind the attributes of the domain. -->
  <xsl:template match="/domain[not(metadata)]">
    <xsl:copy>
      <xsl:apply-templates select="@*"/>
      <metadata>
        <xsl:call-template name="annotation"/>
      </metadata>
      <xsl:apply-templates select="node()"/>
    </xsl:copy>
  </xsl:template>

  <xsl:template match="/domain/metadata">
    <xsl:copy>
      <xsl:apply-templates select="@*|node()"/>
      <xsl:call-template name="annotation"/>
    </xsl:copy>
  </xsl:template>

  <!-- An earlier annotation -->
  <xsl:template match="/domain/metadata/vgpu:devices"/>

  <xsl:template name="annotation">
    <xsl:if test="$profile = '' and $pool = ''">
      <xsl:message terminate="yes">vgpu.xsl: set the parameter 'profile' or 'pool'</xsl:message>
    </xsl:if>
    <vgpu:devices>
      <xsl:if test="$tenant != ''"><xsl:attribute name="tenant"><xsl:value-of select="$tenant"/></xsl:attribute></xsl:if>
      <vgpu:device>
        <xsl:if test="$profile != ''"><xsl:attribute name="profile"><xsl:value-of select="$profile"/></xsl:attribute></xsl:if>
        <xsl:if test="$pool != ''"><xsl:attribute name="pool"><xsl:value-of select="$pool"/></xsl:attribute></xsl:if>
        <xsl:if test="$count != ''"><xsl:attribute name="count"><xsl:value-of select="$count"/></xsl:attribute></xsl:if>
        <xsl:if test="$display != ''"><xsl:attribute name="display"><xsl:value-of select="$display"/></xsl:attribute></xsl:if>
        <xsl:if test="$placement != ''"><xsl:attribute name="placement"><xsl:value-of select="$placement"/></xsl:attribute></xsl:if>
        <xsl:if test="$driverISO != ''"><xsl:attribute name="driverISO"><xsl:value-of select="$driverISO"/></xsl:attribute></xsl:if>
      </vgpu:device>
    </vgpu:devices>
  </xsl:template>
</xsl:stylesheet>
