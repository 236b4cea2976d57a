/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsing <vgpu:devices>, and the errors of invalid ones. Each case is also validated against the
 * schema, which users validate with, so both must agree. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/xml.h"
#include "domain/additions.h"
#include "domain/domain.h"
#include "relaxng.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define USERS_UUID "11111111-2222-4333-8444-555555555555"
#define UUID_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* UUIDv5(UUID, "virt-vgpu:0") */
#define NS "xmlns:vgpu='urn:virt-vgpu:domain:1'"

/* The annotation begins in line 5, what is in it in line 6. */
#define HEAD "<domain>\n<name>web1</name>\n<uuid>" UUID "</uuid>\n<metadata>\n"
#define TAIL "\n</metadata>\n</domain>\n"
#define DEVICES(inside) "<vgpu:devices " NS ">\n" inside "\n</vgpu:devices>"
#define DEVICE(attributes) DEVICES("<vgpu:device " attributes "/>")
#define A2 "profile='NVIDIA A2-4Q' "

#define PARAM(name, value)                                                                       \
    DEVICES("<vgpu:device " A2 "><vgpu:param name='" name "' value='" value "'/></vgpu:device>")

#define ADDS(attributes, elements)                                                               \
    DEVICES("<vgpu:device " A2 attributes "><vgpu:hostdev>\n" elements                           \
            "</vgpu:hostdev></vgpu:device>")
#define AT(attributes) "<address type='pci' " attributes "/>"

#define LONG_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_64 LONG_63 "a"
#define LONG_960                                                                                 \
    LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64 LONG_64      \
        LONG_64 LONG_64 LONG_64 LONG_64
#define LONG_1024 LONG_960 LONG_64

static VgpuDomain *
read_annotation(const char *annotation, GError **error)
{
    g_autofree char *xml = g_strconcat(HEAD, annotation, TAIL, NULL);

    return vgpu_domain_parse(xml, strlen(xml), NULL, error);
}

static bool
is_valid_by_schema(const char *annotation)
{
    g_autofree char *xml = g_strconcat(HEAD, annotation, TAIL, NULL);
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "test", NULL);
    xmlNode *devices = vgpu_xml_node(doc, NULL, "/domain/metadata/vgpu:devices");

    return devices && relaxng_takes_node("virt-vgpu-domain.rng", devices);
}

static const struct {
    const char *what;
    const char *annotation;
    long line;
    const char *text;
    bool beyond_schema; /* the grammar cannot say it */
} bad_cases[] = {
    { "an address without a slot", ADDS("", "<address type='pci' bus='0x01'/>"), 7,
      "<address> lacks the attribute 'slot'" },
    { "an address that is not of PCI", ADDS("", "<address type='drive' slot='1'/>"), 7,
      "attribute 'type' on <address> is 'drive', expected one of: pci" },
    { "a slot too high", ADDS("", AT("slot='0x20'")), 7,
      "attribute 'slot' on <address> is '0x20', expected a number from 0 to 0x1f" },
    { "a decimal slot too high", ADDS("", AT("slot='32'")), 7, "is '32', expected" },
    { "a bus too high", ADDS("", AT("slot='1' bus='0x100'")), 7, "is '0x100', expected" },
    { "a function too high", ADDS("", AT("slot='1' function='0x8'")), 7, "is '0x8', expected" },
    { "an octal slot", ADDS("", AT("slot='010'")), 7, "is '010', expected" },
    { "the host bridge", ADDS("", AT("slot='0x00' function='0x1'")), 7,
      "<address> is 0000:00:00, which is the host bridge's", true },
    { "an address for several", ADDS("count='2'", AT("slot='0x10'")), 7,
      "<address> is for one vGPU, but its <vgpu:device> has a count; write a <vgpu:device> for "
      "each",
      true },
    { "a boot order for several", ADDS("count='3'", "<rom bar='off'/><boot order='1'/>"), 7,
      "<boot> is for one vGPU", true },
    { "an address for the user's own", ADDS("uuid='" USERS_UUID "'", AT("slot='0x10'")), 6,
      "<vgpu:device> has uuid together with <vgpu:hostdev>; write its elements on the domain's "
      "own <hostdev>",
      true },
    { "the same address twice",
      DEVICES("<vgpu:device " A2 "><vgpu:hostdev>" AT(
          "slot='16'") "</vgpu:hostdev></vgpu:device>\n"
                       "<vgpu:device " A2 "><vgpu:hostdev>" AT(
                           "slot='0x10' bus='0'") "</vgpu:hostdev></vgpu:device>"),
      7, "vGPUs 0 and 1 ask for the same place in the guest, 0000:00:10.0", true },
    { "the same boot order twice",
      DEVICES("<vgpu:device " A2 "><vgpu:hostdev><boot order='2'/></vgpu:hostdev></vgpu:device>\n"
              "<vgpu:device " A2 "><vgpu:hostdev><boot order='2'/></vgpu:hostdev></vgpu:device>"),
      7, "vGPUs 0 and 1 have the same <boot order='2'/>", true },
    { "a second address, in either namespace",
      ADDS("", AT("slot='1'") "<vgpu:address type='pci' slot='2'/>"), 7,
      "a second <address> in <vgpu:hostdev>" },
    { "a second <vgpu:hostdev>",
      DEVICES("<vgpu:device " A2 "><vgpu:hostdev/><vgpu:hostdev/></vgpu:device>"), 6,
      "a second <vgpu:hostdev> in <vgpu:device>" },
    { "libvirt's own hostdev", DEVICES("<vgpu:device " A2 "><hostdev/></vgpu:device>"), 6,
      "unknown element <hostdev> in <vgpu:device>; known: <vgpu:profile> and <vgpu:param> and "
      "<vgpu:hostdev>" },
    { "a source", ADDS("", "<source/>"), 7,
      "unknown element <source> in <vgpu:hostdev>; known: <address> and <rom> and <boot> and "
      "<driver>" },
    { "a ROM that is not a path", ADDS("", "<rom file='v.rom'/>"), 7,
      "attribute 'file' on <rom> is 'v.rom', expected an absolute path" },
    { "a ROM of which nothing is said", ADDS("", "<rom/>"), 7, "<rom> is empty", true },
    { "a ROM that is off and yet there", ADDS("", "<rom enabled='no' bar='on'/>"), 7,
      "<rom> has enabled='no' beside bar or file", true },
    { "a driver of which nothing is said", ADDS("", "<driver/>"), 7, "<driver> is empty", true },
    { "a driver for Xen", ADDS("", "<driver name='xen'/>"), 7, "expected one of: vfio" },
    { "something in an address", ADDS("", "<address type='pci' slot='1'><zpci/></address>"), 7,
      "unknown element <zpci> in <address>, which is always empty" },
    { "an order of nothing", ADDS("", "<boot order='0'/>"), 7,
      "attribute 'order' on <boot> is '0', expected a number from 1 to 9999" },
    { "unknown attribute", DEVICE(A2 "colour='red'"), 6,
      "unknown attribute 'colour' on <vgpu:device>; known: profile, pool, count" },
    { "attributes are named with their case", DEVICE(A2 "lateattach='on'"), 6,
      "unknown attribute 'lateattach'" },
    { "unknown attribute of the whole", "<vgpu:devices " NS " owner='me'/>", 5,
      "unknown attribute 'owner' on <vgpu:devices>; known: tenant, keepRoom" },
    { "attribute in a namespace", DEVICE(A2 "vgpu:count='2'"), 6,
      "unknown attribute 'vgpu:count'" },
    { "unknown attribute of an alternative",
      DEVICES("<vgpu:device>\n<vgpu:profile name='a' weight='3'/></vgpu:device>"), 7,
      "unknown attribute 'weight' on <vgpu:profile>; known: name" },
    { "unknown element in the whole", DEVICES("<vgpu:gpu/>"), 6,
      "unknown element <vgpu:gpu> in <vgpu:devices>; known: <vgpu:device>" },
    { "unknown element in a device", DEVICES("<vgpu:device " A2 ">\n<vgpu:mdev/></vgpu:device>"),
      7, "unknown element <vgpu:mdev> in <vgpu:device>; known: <vgpu:profile> and <vgpu:param>" },
    { "element in an alternative",
      DEVICES(
          "<vgpu:device>\n<vgpu:profile name='a'>\n<vgpu:param/></vgpu:profile></vgpu:device>"),
      8, "unknown element <vgpu:param> in <vgpu:profile>, which is always empty" },
    { "element without our namespace", DEVICES("<device " A2 "/>"), 6,
      "unknown element <device> in <vgpu:devices>" },
    { "a foreign element", DEVICES("<x:device xmlns:x='urn:x' " A2 "/>"), 6,
      "unknown element <x:device> in <vgpu:devices>" },
    { "text in the whole", DEVICES("NVIDIA A2-4Q"), 5, "text in <vgpu:devices> is not allowed" },
    { "text in a device", DEVICES("<vgpu:device>A2-4Q</vgpu:device>"), 6,
      "text in <vgpu:device> is not allowed" },
    { "text in CDATA", DEVICES("<vgpu:device><![CDATA[A2-4Q]]></vgpu:device>"), 6,
      "text in <vgpu:device> is not allowed" },
    { "bad display", DEVICE(A2 "display='blue'"), 6,
      "attribute 'display' on <vgpu:device> is 'blue', expected one of: auto, on, off" },
    { "values are not trimmed", DEVICE(A2 "display=' on'"), 6, "is ' on', expected one of" },
    { "empty value", DEVICE(A2 "ramfb=''"), 6,
      "attribute 'ramfb' on <vgpu:device> is '', expected one of: auto, on, off" },
    { "boolean words differ", DEVICE(A2 "lateAttach='yes'"), 6,
      "attribute 'lateAttach' on <vgpu:device> is 'yes', expected one of: on, off" },
    { "bad placement", DEVICE(A2 "placement='random'"), 6,
      "'random', expected one of: pack, spread, numa" },
    { "bad create", DEVICE(A2 "create='boot'"), 6, "'boot', expected one of: start, define" },
    { "empty tenant", "<vgpu:devices " NS " tenant=''/>", 5,
      "attribute 'tenant' on <vgpu:devices> is '', expected a name" },
    { "bad keepRoom", "<vgpu:devices " NS " keepRoom='on'/>", 5,
      "attribute 'keepRoom' on <vgpu:devices> is 'on', expected one of: yes, no" },
    { "keepRoom on a device", DEVICE(A2 "keepRoom='yes'"), 6, "unknown attribute 'keepRoom'" },
    { "tenant on a device", DEVICE(A2 "tenant='acme'"), 6, "unknown attribute 'tenant'" },
    { "blank in front of a pool", DEVICE("pool=' design'"), 6,
      "attribute 'pool' on <vgpu:device> is ' design', expected a name" },
    { "empty pool beside a profile", DEVICE(A2 "pool=''"), 6, "attribute 'pool'" },
    { "a UUID, but neither profile nor pool", DEVICE("uuid='" USERS_UUID "'"), 6,
      "<vgpu:device> has no profile" },
    { "bad driverISO", DEVICE(A2 "driverISO='on'"), 6, "'on', expected one of: yes, no" },
    { "bad frameRateLimit", DEVICE(A2 "frameRateLimit='60'"), 6,
      "'60', expected one of: on, off" },
    { "bad consoleVNC", DEVICE(A2 "consoleVNC='yes'"), 6, "'yes', expected one of: on, off" },
    { "bad unifiedMemory", DEVICE(A2 "unifiedMemory='1'"), 6, "'1', expected one of: on, off" },
    { "bad debugging", DEVICE(A2 "debugging='auto'"), 6, "'auto', expected one of: on, off" },
    { "bad profiling", DEVICE(A2 "profiling=''"), 6, "'', expected one of: on, off" },
    { "no profile", DEVICE("count='2'"), 6,
      "<vgpu:device> has no profile: write profile='NAME', or <vgpu:profile name='NAME'/> "
      "elements "
      "in the order of preference, or pool='NAME'" },
    { "no profile, but a parameter",
      DEVICES("<vgpu:device><vgpu:param name='a' value='1'/></vgpu:device>"), 6,
      "<vgpu:device> has no profile" },
    { "empty profile", DEVICE("profile=''"), 6,
      "attribute 'profile' on <vgpu:device> is '', expected the name or id of a profile" },
    { "blank at the end of a profile", DEVICE("profile='A2-4Q '"), 6, "is 'A2-4Q '" },
    { "line break in a profile stays on one line of the log", DEVICE("profile='A2&#10;4Q'"), 6,
      "is 'A2 4Q', expected" },
    { "two ways to name a profile",
      DEVICES("<vgpu:device " A2 "><vgpu:profile name='NVIDIA A2-8Q'/></vgpu:device>"), 6,
      "has both a profile attribute and <vgpu:profile> elements" },
    { "alternative without a name", DEVICES("<vgpu:device>\n<vgpu:profile/></vgpu:device>"), 7,
      "<vgpu:profile> lacks the attribute 'name'" },
    { "parameter without a value",
      DEVICES("<vgpu:device " A2 "><vgpu:param name='loglevel'/></vgpu:device>"), 6,
      "<vgpu:param> lacks the attribute 'value'" },
    { "parameter that smuggles another one in",
      DEVICES("<vgpu:device " A2 "><vgpu:param name='a' value='1,disable_vnc=1'/></vgpu:device>"),
      6,
      "attribute 'value' on <vgpu:param> is '1,disable_vnc=1', expected ASCII characters without "
      "blanks, ',' and '='" },
    { "parameter with an assignment for a value", PARAM("loglevel", "a=b"), 6, "is 'a=b'" },
    { "parameter with a blank in its value", PARAM("loglevel", "1 2"), 6, "is '1 2'" },
    { "parameter with a blank around its value", PARAM("loglevel", " 2"), 6, "is ' 2'" },
    { "parameter with a line break in its value", PARAM("loglevel", "2&#10;"), 6, "is '2 '" },
    { "parameter with a control character in its value", PARAM("loglevel", "2&#x7f;"), 6,
      "'value' on <vgpu:param>" },
    { "parameter in another script", PARAM("loglevel", "\303\274"), 6,
      "'value' on <vgpu:param>" },
    { "parameter with an empty value", PARAM("loglevel", ""), 6,
      "attribute 'value' on <vgpu:param> is ''" },
    { "parameter with an assignment for a name", PARAM("a=b", "1"), 6,
      "attribute 'name' on <vgpu:param> is 'a=b', expected a letter, then letters, digits, '_' "
      "and '-'" },
    { "parameter with a dot in its name", PARAM("a.b", "1"), 6, "is 'a.b', expected" },
    { "parameter whose name begins with a digit", PARAM("1a", "1"), 6, "is '1a', expected" },
    { "parameter whose name begins with a dash", PARAM("-a", "1"), 6, "is '-a', expected" },
    { "parameter with an empty name", PARAM("", "1"), 6, "'name' on <vgpu:param> is ''" },
    { "parameter named twice",
      DEVICES("<vgpu:device " A2 "><vgpu:param name='loglevel' value='1'/>\n"
              "<vgpu:param name='loglevel' value='2'/></vgpu:device>"),
      7, "a second <vgpu:param name='loglevel'> in its <vgpu:device>", .beyond_schema = true },
    { "parameter that an attribute sets",
      DEVICES("<vgpu:device " A2 "frameRateLimit='off'>\n"
              "<vgpu:param name='frame_rate_limiter' value='1'/></vgpu:device>"),
      7,
      "<vgpu:param name='frame_rate_limiter'> sets the same as the attribute 'frameRateLimit' of "
      "its <vgpu:device>; leave one of them out",
      .beyond_schema = true },
    { "parameter that an attribute leaves alone",
      DEVICES("<vgpu:device " A2 "consoleVNC='on'>\n"
              "<vgpu:param name='disable_vnc' value='1'/></vgpu:device>"),
      7, "<vgpu:param name='disable_vnc'> sets the same as the attribute 'consoleVNC'",
      .beyond_schema = true },
    { "more parameters than the driver has room for",
      PARAM("a", LONG_960 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 6,
      "the plugin parameters have 1001 characters together, at most 1000 are allowed",
      .beyond_schema = true },
    { "count of zero", DEVICE(A2 "count='0'"), 6,
      "attribute 'count' on <vgpu:device> is '0', expected a number from 1 to 16" },
    { "count beyond the limit", DEVICE(A2 "count='17'"), 6, "'17', expected a number from 1 to" },
    { "negative count", DEVICE(A2 "count='-1'"), 6, "'-1', expected a number" },
    { "count with a leading zero", DEVICE(A2 "count='02'"), 6, "'02', expected a number" },
    { "count with a sign", DEVICE(A2 "count='+2'"), 6, "'+2', expected a number" },
    { "count in words", DEVICE(A2 "count='two'"), 6, "'two', expected a number" },
    { "count that overflows", DEVICE(A2 "count='18446744073709551617'"), 6, "expected a number" },
    { "more vGPUs than a domain can have",
      DEVICES("<vgpu:device " A2 "count='16'/>\n<vgpu:device " A2 "/>"), 7,
      "more than 16 vGPUs for one domain", .beyond_schema = true },
    { "uuid that is none", DEVICE(A2 "uuid='1234'"), 6,
      "attribute 'uuid' on <vgpu:device> is '1234', expected a UUID" },
    { "uuid as a path", DEVICE(A2 "uuid='../../../../../../../../../../../etc'"), 6,
      "expected a UUID" },
    { "uuid for several", DEVICE(A2 "count='2' uuid='" USERS_UUID "'"), 6,
      "has both uuid and count; a UUID names one device" },
    { "display of a device that is the user's", DEVICE(A2 "display='on' uuid='" USERS_UUID "'"),
      6, "has uuid together with display or ramfb" },
    { "ramfb of a device that is the user's", DEVICE(A2 "ramfb='off' uuid='" USERS_UUID "'"), 6,
      "has uuid together with display or ramfb" },
    { "uuid named twice",
      DEVICES("<vgpu:device " A2 "uuid='" USERS_UUID "'/>\n"
              "<vgpu:device " A2 "uuid='" USERS_UUID "'/>"),
      7, "uuid='" USERS_UUID "' is named by two <vgpu:device> elements", .beyond_schema = true },
    { "uuid that is computed",
      DEVICES("<vgpu:device " A2 "/>\n<vgpu:device " A2 "uuid='" UUID_0 "'/>"), 7,
      "is the one that virt-vgpu gives to vGPU 0 of this domain; leave it out",
      .beyond_schema = true },
    { "gpu that is no address", DEVICE(A2 "gpu='card0'"), 6,
      "attribute 'gpu' on <vgpu:device> is 'card0', expected a PCI address such as" },
    { "gpu without a function", DEVICE(A2 "gpu='0000:41:00'"), 6,
      "'0000:41:00', expected a PCI" },
    { "gpu with a slot too big", DEVICE(A2 "gpu='0000:41:20.0'"), 6, "expected a PCI address" },
    { "gpu with a function too big", DEVICE(A2 "gpu='0000:41:00.8'"), 6,
      "expected a PCI address" },
    { "ramfb without a display", DEVICE(A2 "display='off' ramfb='on'"), 6,
      "has ramfb='on' and display='off': ramfb needs a display" },
    { "second annotation", DEVICE(A2) "\n" DEVICE(A2), 8,
      "a second <vgpu:devices>; a domain has one", .beyond_schema = true },
    { "our namespace, another element", "<vgpu:device " NS " " A2 "/>", 5,
      "unknown element <vgpu:device> in <metadata>; known: <vgpu:devices>" },
    { "outside of the metadata", "</metadata>\n" DEVICE(A2) "\n<metadata>", 6,
      "<vgpu:devices> belongs in <metadata>" },
    { "long value", DEVICE("profile='" LONG_1024 " '"), 6, "attribute 'profile'" },
};

static void
test_bad(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad_cases); i++) {
        g_autofree char *start = g_strdup_printf("domain 'web1': line %ld: ", bad_cases[i].line);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain = read_annotation(bad_cases[i].annotation, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (domain)
            fail_msg("%s: accepted", bad_cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !g_str_has_prefix(text, start) || !strstr(text, bad_cases[i].text) ||
            strchr(text, '\n') || strlen(text) > 1100)
            fail_msg("%s: code %d, %s", bad_cases[i].what, error->code, text);
        if (is_valid_by_schema(bad_cases[i].annotation) != bad_cases[i].beyond_schema)
            fail_msg("%s: the schema thinks otherwise", bad_cases[i].what);
    }
}

static void
test_other_version(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain =
        read_annotation("<v:devices xmlns:v='urn:virt-vgpu:domain:2'/>", &error);
    g_autofree char *text = error ? vgpu_error_text(error) : NULL;

    assert_null(domain);
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED));
    assert_string_equal(text,
                        "domain 'web1': line 5: namespace version '2' is not supported by this "
                        "version, which reads urn:virt-vgpu:domain:1");
}

static void
test_good(void **state)
{
    static const struct {
        const char *what;
        const char *annotation;
        guint wants;
        bool not_by_schema; /* it takes seconds */
    } cases[] = {
        { "none at all", "<x:y xmlns:x='urn:x'><x:devices/></x:y>", 0 },
        { "empty", "<vgpu:devices " NS "/>", 0 },
        { "empty with a comment", DEVICES("<!-- none yet --><?pi?>"), 0 },
        { "one", DEVICE(A2), 1 },
        { "any prefix",
          "<v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device " A2 "/></v:devices>", 1 },
        { "no prefix", "<devices xmlns='urn:virt-vgpu:domain:1'><device " A2 "/></devices>", 1 },
        { "the most", DEVICE(A2 "count='16'"), 16 },
        { "two and three",
          DEVICES("<vgpu:device " A2 "count='2'/><vgpu:device " A2 "count='3'/>"), 5 },
        { "tenant without devices", "<vgpu:devices " NS " tenant='acme'/>", 0 },
        { "its room is kept", "<vgpu:devices " NS " keepRoom='yes' tenant='acme'/>", 0 },
        { "its room is not kept", "<vgpu:devices " NS " keepRoom='no'/>", 0 },
        { "pool", DEVICE("pool='design' count='2'"), 2 },
        { "pool with a profile", DEVICE(A2 "pool='design'"), 1 },
        { "pool with alternatives",
          DEVICES("<vgpu:device pool='design'><vgpu:profile name='a'/></vgpu:device>"), 1 },
        { "pool with a parameter",
          DEVICES("<vgpu:device pool='p'><vgpu:param name='a' value='2'/></vgpu:device>"), 1 },
        { "pool of the user's", DEVICE("pool='design' uuid='" USERS_UUID "'"), 1 },
        { "numa", DEVICE(A2 "placement='numa'"), 1 },
        { "driver", DEVICE(A2 "driverISO='yes'"), 1 },
        { "everything",
          DEVICE(A2 "count='1' display='on' ramfb='on' placement='spread' gpu='0000:41:00.0' "
                    "create='define' lateAttach='off' driverISO='no' frameRateLimit='on' "
                    "pool='design' "
                    "consoleVNC='on' unifiedMemory='off' debugging='off' profiling='on'"),
          1, true },
        { "parameters around alternatives",
          DEVICES("<vgpu:device><vgpu:param name='a' value='2'/><vgpu:profile name='p'/>"
                  "<vgpu:param name='b' value='1'/></vgpu:device>"),
          1 },
        { "display and ramfb off", DEVICE(A2 "display='off' ramfb='off'"), 1 },
        { "display off, ramfb auto", DEVICE(A2 "display='off' ramfb='auto'"), 1 },
        { "ramfb alone", DEVICE(A2 "ramfb='on'"), 1 },
        { "the user's", DEVICE(A2 "uuid='" USERS_UUID "' count='1' display='auto' ramfb='auto'"),
          1 },
        { "address of nodedev", DEVICE(A2 "gpu='pci_0000_41_00_0'"), 1 },
        { "short address", DEVICE(A2 "gpu='41:00.0'"), 1 },
        { "address of nvidia-smi", DEVICE(A2 "gpu='00000000:C1:1F.7'"), 1 },
        { "id", DEVICE("profile='nvidia-749'"), 1 },
        { "name in another script", DEVICE("profile='Größe 4'"), 1 },
        { "alternatives",
          DEVICES("<vgpu:device count='2'><!-- big first --><vgpu:profile name='A2-8Q'/>\n"
                  "<vgpu:profile name='A2-4Q'/></vgpu:device>"),
          2 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain = read_annotation(cases[i].annotation, &error);

        if (!domain)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (domain->wants->len != cases[i].wants || domain->annotated != (i > 0))
            fail_msg("%s: %u wants", cases[i].what, domain->wants->len);
        if (i > 0 && !cases[i].not_by_schema && !is_valid_by_schema(cases[i].annotation))
            fail_msg("%s: the schema thinks otherwise", cases[i].what);
    }
}

static const VgpuWant *
want_of(const VgpuDomain *domain, guint n)
{
    const VgpuWant *want = g_ptr_array_index(domain->wants, n);

    assert_int_equal(want->index, n);
    return want;
}

static void
test_defaults(void **state)
{
    g_autoptr(VgpuDomain) domain = read_annotation(DEVICE(A2), NULL);
    const VgpuWant *want = want_of(domain, 0);

    assert_int_equal(want->line, 6);
    assert_int_equal(g_strv_length(want->profiles), 1);
    assert_string_equal(want->profiles[0], "NVIDIA A2-4Q");
    assert_null(want->gpu);
    assert_int_equal(want->placement, VGPU_PLACEMENT_PACK);
    assert_false(want->asked.has_placement);
    assert_int_equal(want->display, VGPU_SWITCH_AUTO);
    assert_int_equal(want->ramfb, VGPU_SWITCH_AUTO);
    assert_true(want->late_attach);
    assert_false(want->create_at_define);
    assert_false(want->uuid_is_users);
    assert_string_equal(want->uuid, UUID_0);
    assert_null(want->pool);
    assert_false(want->asked.has_placement);
    assert_false(want->asked.has_display);
    assert_false(want->asked.has_ramfb);
    assert_int_equal(want->driver_iso, VGPU_SWITCH_AUTO);
    assert_null(want->asked.raw_params);
    for (gsize i = 0; i < VGPU_N_PARAMS; i++)
        assert_int_equal(want->asked.params[i], VGPU_SWITCH_AUTO);
    assert_null(domain->tenant);
}

static void
test_keep_room(void **state)
{
    static const struct {
        const char *annotation;
        VgpuSwitch keep_room;
    } cases[] = {
        { "<vgpu:devices " NS " keepRoom='yes'><vgpu:device " A2 "/></vgpu:devices>",
          VGPU_SWITCH_ON },
        { "<vgpu:devices " NS " keepRoom='no'><vgpu:device " A2 "/></vgpu:devices>",
          VGPU_SWITCH_OFF },
        { "<vgpu:devices " NS "><vgpu:device " A2 "/></vgpu:devices>", VGPU_SWITCH_AUTO },
        { "", VGPU_SWITCH_AUTO },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = read_annotation(cases[i].annotation, NULL);

        assert_int_equal(domain->keep_room, cases[i].keep_room);
    }
}

static void
test_pool(void **state)
{
    g_autoptr(VgpuDomain) domain =
        read_annotation("<vgpu:devices " NS " tenant='acme &amp; sons'>"
                        "<vgpu:device pool='design' count='2' display='auto' placement='numa' "
                        "driverISO='no'/>"
                        "<vgpu:device pool='x' profile='A' ramfb='auto' driverISO='yes'>"
                        "<vgpu:param name='a' value='1'/><vgpu:param name='b' value='2'/>"
                        "</vgpu:device></vgpu:devices>",
                        NULL);
    const VgpuWant *second = want_of(domain, 1);
    const VgpuWant *third = want_of(domain, 2);

    assert_string_equal(domain->tenant, "acme & sons");
    assert_string_equal(second->pool, "design");
    assert_non_null(second->profiles);
    assert_null(second->profiles[0]);
    assert_int_equal(second->placement, VGPU_PLACEMENT_NUMA);
    assert_true(second->asked.has_placement);
    assert_true(second->asked.has_display);
    assert_false(second->asked.has_ramfb);
    assert_int_equal(second->driver_iso, VGPU_SWITCH_OFF);

    assert_string_equal(third->pool, "x");
    assert_string_equal(third->profiles[0], "A");
    assert_false(third->asked.has_display);
    assert_true(third->asked.has_ramfb);
    assert_int_equal(third->driver_iso, VGPU_SWITCH_ON);
    assert_string_equal(third->asked.raw_params, "a=1,b=2");
}

static void
test_values(void **state)
{
    g_autoptr(VgpuDomain) domain = read_annotation(
        DEVICES("<vgpu:device count='2' display='on' ramfb='off' placement='spread' "
                "gpu='pci_0000_C1_00_4' create='define' lateAttach='off'>"
                "<vgpu:profile name='A2-8Q'/><vgpu:profile name='749'/></vgpu:device>\n"
                "<vgpu:device " A2 "uuid='ABCDEF00-2222-4333-8444-555555555555' display='auto' "
                "create='start' placement='pack' lateAttach='on'/>"),
        NULL);
    const VgpuWant *first = want_of(domain, 0);
    const VgpuWant *second = want_of(domain, 1);
    const VgpuWant *users = want_of(domain, 2);

    assert_int_equal(domain->wants->len, 3);
    assert_string_equal(first->profiles[0], "A2-8Q");
    assert_string_equal(first->profiles[1], "749");
    assert_null(first->profiles[2]);
    assert_string_equal(second->profiles[1], "749");
    assert_string_equal(first->gpu, "0000:c1:00.4");
    assert_int_equal(first->placement, VGPU_PLACEMENT_SPREAD);
    assert_int_equal(first->display, VGPU_SWITCH_ON);
    assert_int_equal(first->ramfb, VGPU_SWITCH_OFF);
    assert_false(first->late_attach);
    assert_true(first->create_at_define);
    assert_string_not_equal(first->uuid, second->uuid);

    assert_int_equal(users->line, 7);
    assert_true(users->uuid_is_users);
    assert_string_equal(users->uuid, "abcdef00-2222-4333-8444-555555555555");
    assert_int_equal(users->placement, VGPU_PLACEMENT_PACK);
    assert_true(users->asked.has_placement);
    assert_true(users->late_attach);
    assert_false(users->create_at_define);
}

static void
test_params(void **state)
{
    static const struct {
        const char *what;
        const char *device; /* its attributes and children */
        const char *params; /* NULL: none */
    } cases[] = {
        { "none", A2 ">", NULL },
        { "frame rate limit on", A2 "frameRateLimit='on'>", "frame_rate_limiter=1" },
        { "frame rate limit off", A2 "frameRateLimit='off'>", "frame_rate_limiter=0" },
        { "console off", A2 "consoleVNC='off'>", "disable_vnc=1" },
        { "console on is what it is anyway", A2 "consoleVNC='on'>", NULL },
        { "unified memory on", A2 "unifiedMemory='on'>", "enable_uvm=1" },
        { "unified memory off is what it is anyway", A2 "unifiedMemory='off'>", NULL },
        { "debugging on", A2 "debugging='on'>", "enable_debugging=1" },
        { "debugging off is what it is anyway", A2 "debugging='off'>", NULL },
        { "profiling on", A2 "profiling='on'>", "enable_profiling=1" },
        { "profiling off is what it is anyway", A2 "profiling='off'>", NULL },
        { "all of them, in the order of the list and not of the XML",
          A2 "profiling='on' debugging='on' unifiedMemory='on' consoleVNC='off' "
             "frameRateLimit='off'>",
          "frame_rate_limiter=0,disable_vnc=1,enable_uvm=1,enable_debugging=1,"
          "enable_profiling=1" },
        { "raw ones, in the order of the XML",
          A2 "><vgpu:param name='vgpu-placement-id' value='12'/>"
             "<vgpu:param name='loglevel' value='2'/>",
          "vgpu-placement-id=12,loglevel=2" },
        { "raw ones come last",
          "profiling='on'><vgpu:param name='a' value='1'/><vgpu:profile name='p'/>"
          "<vgpu:param name='B_2' value='0x1F'/>",
          "enable_profiling=1,a=1,B_2=0x1F" },
        { "a raw one instead of its attribute",
          A2 "consoleVNC='off'><vgpu:param name='frame_rate_limiter' value='0'/>",
          "disable_vnc=1,frame_rate_limiter=0" },
        { "names differ in case",
          A2 "><vgpu:param name='a' value='1'/>"
             "<vgpu:param name='A' value='2'/>",
          "a=1,A=2" },
        { "every character that a value may have",
          A2
          "><vgpu:param name='a' value=\"!&quot;#$%&amp;'()*+-./09:;&lt;>?@AZ[\\]^_`az{|}~\"/>",
          "a=!\"#$%&'()*+-./09:;<>?@AZ[\\]^_`az{|}~" },
        { "exactly as much as is allowed",
          A2 "frameRateLimit='on'><vgpu:param name='abcdefghijklmnopqr' value='" LONG_960 "'/>",
          "frame_rate_limiter=1,abcdefghijklmnopqr=" LONG_960 },
        { "a device with the user's uuid", A2 "debugging='on' uuid='" USERS_UUID "'>",
          "enable_debugging=1" },
        { "a device with create='define'", A2 "create='define' frameRateLimit='off'>",
          "frame_rate_limiter=0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *annotation =
            g_strconcat("<vgpu:devices " NS "><vgpu:device ", cases[i].device,
                        "</vgpu:device></vgpu:devices>", NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain = read_annotation(annotation, &error);

        if (!domain)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (g_strcmp0(want_of(domain, 0)->params, cases[i].params) != 0)
            fail_msg("%s: %s", cases[i].what, want_of(domain, 0)->params);
        if (!is_valid_by_schema(annotation))
            fail_msg("%s: the schema thinks otherwise", cases[i].what);
    }
}

/* Each of equal devices has its own copy, the next device its own parameters. */
static void
test_params_of_several(void **state)
{
    g_autoptr(VgpuDomain) domain =
        read_annotation(DEVICES("<vgpu:device " A2 "count='2' consoleVNC='off'/>"
                                "<vgpu:device " A2 "><vgpu:param name='a' value='1'/>"
                                "</vgpu:device><vgpu:device " A2 "/>"),
                        NULL);

    assert_string_equal(want_of(domain, 0)->params, "disable_vnc=1");
    assert_string_equal(want_of(domain, 1)->params, "disable_vnc=1");
    assert_ptr_not_equal(want_of(domain, 0)->params, want_of(domain, 1)->params);
    assert_string_equal(want_of(domain, 2)->params, "a=1");
    assert_null(want_of(domain, 3)->params);
}

/* A file has no UUID yet; then none can be computed either. */
static void
test_no_domain_uuid(void **state)
{
    const char *xml = "<domain><name>x</name><metadata>" DEVICES(
        "<vgpu:device " A2 "/><vgpu:device " A2 "uuid='" USERS_UUID "'/>") "</metadata></domain>";
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), "x.xml", NULL);

    assert_non_null(domain);
    assert_null(want_of(domain, 0)->uuid);
    assert_string_equal(want_of(domain, 1)->uuid, USERS_UUID);
}

/* Additions to the <hostdev> are kept unchanged, in any namespace. */
static void
test_additions(void **state)
{
    static const struct {
        const char *what;
        const char *annotation;
        const char *additions; /* NULL: none */
        const char *place;
        guint order;
        const char *for_pci;
    } cases[] = {
        { "nothing", DEVICE(A2), NULL, NULL, 0, NULL },
        { "an empty one", ADDS("", ""), NULL, NULL, 0, NULL },
        { "an address as libvirt writes it",
          ADDS("", AT("domain='0x0000' bus='0x00' slot='0x10' function='0x0'")),
          "<hostdev><address type=\"pci\" domain=\"0x0000\" bus=\"0x00\" slot=\"0x10\" "
          "function=\"0x0\"/></hostdev>",
          "0000:00:10.0", 0, NULL },
        { "as virsh metadata leaves it", ADDS("", "<vgpu:address type='pci' bus='7' slot='0'/>"),
          "<hostdev><address type=\"pci\" bus=\"7\" slot=\"0\"/></hostdev>", "0000:07:00.0", 0,
          NULL },
        { "a ROM for several",
          ADDS("count='2'", "<vgpu:rom bar='off' file='/a&amp;&lt;rom.bin'/>"),
          "<hostdev><rom bar=\"off\" file=\"/a&amp;&lt;rom.bin\"/></hostdev>", NULL, 0, "<rom>" },
        { "all of them",
          ADDS("", "<driver name='vfio' model='xe_vfio_pci'/><boot order='2'/><!-- a -->"
                   "<rom enabled='no'/>" AT("domain='65535' slot='31' function='7' "
                                            "multifunction='on'")),
          "<hostdev><address type=\"pci\" domain=\"65535\" slot=\"31\" function=\"7\" "
          "multifunction=\"on\"/><rom enabled=\"no\"/><boot order=\"2\"/><driver name=\"vfio\" "
          "model=\"xe_vfio_pci\"/></hostdev>",
          "ffff:00:1f.7", 2, "<rom>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain = read_annotation(cases[i].annotation, &error);
        const char *additions;
        g_autofree char *place = NULL;

        if (!domain)
            fail_msg("%s: %s", cases[i].what, error->message);
        additions = want_of(domain, domain->wants->len - 1)->additions;
        place = vgpu_additions_place(additions);
        if (g_strcmp0(additions, cases[i].additions) != 0 ||
            g_strcmp0(place, cases[i].place) != 0 ||
            vgpu_additions_boot_order(additions) != cases[i].order ||
            g_strcmp0(vgpu_additions_for_pci(additions), cases[i].for_pci) != 0)
            fail_msg("%s: %s at %s", cases[i].what, additions, place);
        if (!is_valid_by_schema(cases[i].annotation))
            fail_msg("%s: the schema thinks otherwise", cases[i].what);
    }
}

/* The list of alternatives is limited, as placement time grows with it. */
static void
test_long_lists(void **state)
{
    g_autoptr(GString) profiles = g_string_new("<vgpu:devices " NS "><vgpu:device>");
    g_autoptr(GString) devices = g_string_new("<vgpu:devices " NS ">");
    g_autoptr(GError) too_many = NULL, too_long = NULL;

    (void) state;
    for (guint i = 0; i < 33; i++)
        g_string_append_printf(profiles, "<vgpu:profile name='P-%u'/>", i);
    g_string_append(profiles, "</vgpu:device></vgpu:devices>");
    for (guint i = 0; i < 17; i++)
        g_string_append(devices, "<vgpu:device " A2 "/>");
    g_string_append(devices, "</vgpu:devices>");
    assert_null(read_annotation(profiles->str, &too_long));
    assert_non_null(strstr(too_long->message, "more than 32 elements in one device"));
    assert_null(read_annotation(devices->str, &too_many));
    assert_non_null(strstr(too_many->message, "more than 16 vGPUs for one domain"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_other_version),
        cmocka_unit_test(test_good),      cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_keep_room), cmocka_unit_test(test_pool),
        cmocka_unit_test(test_additions), cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_no_domain_uuid),
        cmocka_unit_test(test_params),    cmocka_unit_test(test_params_of_several),
    };

    xmlInitParser();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
